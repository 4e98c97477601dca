// A receiver that asks an official library: node receiver.js <library> <key>
// Prints its port; POST verifies, GET answers with what did.
"use strict";

const http = require("node:http");

const [library, key] = process.argv.slice(2);
const { Webhook } = require(library);
const webhook = new Webhook(key);
const verified = [];

function answer(response, status, body) {
  response.writeHead(status, { "content-type": "application/json" });
  response.end(JSON.stringify(body));
}

const server = http.createServer(async (request, response) => {
  if (request.method === "GET") return answer(response, 200, verified);
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  const body = Buffer.concat(chunks).toString("utf8");
  try {
    webhook.verify(body, request.headers);
  } catch (error) {
    return answer(response, 400, { error: error.message });
  }
  verified.push(JSON.parse(body));
  return answer(response, 200, { status: "success" });
});

server.listen(0, "127.0.0.1", () => console.log(server.address().port));
