"""Receivers for tests: a recording one, and FastAPI applications as users write them."""

import asyncio
import base64
import hashlib
import hmac
import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import uvicorn
from fastapi import FastAPI, HTTPException, Request


class Recorder:
    """Answers what `script` says (status codes, then 200) and keeps every request."""

    def __init__(self, script=(), delay=0.0):
        self.requests = []
        self.script = list(script)
        self.delay = delay
        self.lock = threading.Lock()
        recorder = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = self.rfile.read(int(self.headers.get("content-length", 0)))
                with recorder.lock:
                    recorder.requests.append(
                        {
                            "method": self.command,
                            "path": self.path,
                            "headers": {k.lower(): v for k, v in self.headers.items()},
                            "body": body,
                            "time": time.time(),
                        }
                    )
                    status = recorder.script.pop(0) if recorder.script else 200
                if recorder.delay:
                    time.sleep(recorder.delay)
                answer = b'{"status":"seen"}'
                self.send_response(status)
                self.send_header("content-type", "application/json")
                self.send_header("content-length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            do_PUT = do_POST

            def log_message(self, *args):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_port}/hook"
        self.thread = threading.Thread(target=self.server.serve_forever, daemon=True)
        self.thread.start()

    def ids(self):
        with self.lock:
            return [r["headers"].get("webhook-id") for r in self.requests]

    def event_ids(self):
        with self.lock:
            return [json.loads(r["body"])["id"] for r in self.requests]

    def close(self):
        self.server.shutdown()
        self.server.server_close()


class Application:
    """Serves an ASGI application with uvicorn on a free port."""

    def __init__(self, app):
        self.server = uvicorn.Server(
            uvicorn.Config(app, host="127.0.0.1", port=0, log_level="error")
        )
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()
        while not self.server.started:
            time.sleep(0.01)
        port = self.server.servers[0].sockets[0].getsockname()[1]
        self.url = f"http://127.0.0.1:{port}/"

    def _run(self):
        asyncio.run(self.server.serve())

    def close(self):
        self.server.should_exit = True
        self.thread.join(10)


def documented_example(key: bytes):
    """The FastAPI receiver of the webhook documentation: it signs the text of the parsed body and
    compares the whole header."""
    app = FastAPI()
    app.state.verified = []

    def verify_signature(message_id, timestamp, payload, received_signature):
        data = f"{message_id}.{timestamp}.{payload}".encode()
        expected = base64.b64encode(hmac.new(key, data, hashlib.sha256).digest()).decode("utf-8")
        return hmac.compare_digest(f"v1,{expected}", received_signature)

    @app.post("/")
    async def catch_all(request: Request):
        headers = request.headers
        message_id = headers.get("webhook-id")
        timestamp = headers.get("webhook-timestamp")
        received_signature = headers.get("webhook-signature")
        payload = await request.json()
        if not all([message_id, timestamp, received_signature, payload]):
            raise HTTPException(status_code=400, detail="Missing required headers or payload")
        if not verify_signature(message_id, timestamp, payload, received_signature):
            raise HTTPException(status_code=403, detail="Invalid webhook signature")
        app.state.verified.append(payload)
        return {"status": "success", "message": "Webhook received and verified"}

    return app


def raw_body_verifier(key: bytes, reserialise=None):
    """A receiver of today: it signs the raw body, or what `reserialise` makes of the parsed one."""
    app = FastAPI()
    app.state.verified = []

    @app.post("/")
    async def receive(request: Request):
        body = await request.body()
        payload = body.decode()
        if reserialise:
            payload = reserialise(json.loads(body))
        signed = f"{request.headers['webhook-id']}.{request.headers['webhook-timestamp']}.{payload}"
        code = base64.b64encode(hmac.new(key, signed.encode(), hashlib.sha256).digest()).decode()
        if not hmac.compare_digest(f"v1,{code}", request.headers["webhook-signature"]):
            raise HTTPException(status_code=401, detail="wrong signature")
        app.state.verified.append(json.loads(body))
        return {"status": "success"}

    return app


def library_verifier(verify):
    """A receiver that asks an official library: `verify(body, headers)` raises when it does not
    verify."""
    app = FastAPI()
    app.state.verified = []

    @app.post("/")
    async def receive(request: Request):
        body = await request.body()
        try:
            verify(body, dict(request.headers))
        except Exception as error:
            raise HTTPException(status_code=400, detail=str(error)) from error
        app.state.verified.append(json.loads(body))
        return {"status": "success"}

    return app
