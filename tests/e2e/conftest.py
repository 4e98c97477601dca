import pytest

from herald_process import HERALD, Herald, Listener
from receivers import Application, Recorder


def pytest_sessionstart(session):
    assert HERALD.exists(), f"build herald first (scripts/build): {HERALD} is missing"


@pytest.fixture
def herald(tmp_path):
    process = Herald(tmp_path).start()
    yield process
    process.stop()


@pytest.fixture
def make_herald(tmp_path):
    """Heralds with options; all are stopped at the end."""
    made = []

    def make(env=None, args=(), name="herald"):
        folder = tmp_path / f"{name}{len(made)}"
        folder.mkdir()
        made.append(Herald(folder, env, args))
        return made[-1]

    yield make
    for process in made:
        process.stop()


@pytest.fixture
def recorder():
    receiver = Recorder()
    yield receiver
    receiver.close()


@pytest.fixture
def serve_app():
    """Serves ASGI applications; all end with the test."""
    running = []

    def serve(app):
        running.append(Application(app))
        return running[-1].url

    yield serve
    for application in running:
        application.close()


@pytest.fixture
def key_file(tmp_path):
    path = tmp_path / "key.txt"
    path.write_text("supersecretkey\n")
    return path


@pytest.fixture
def listener():
    """`herald listen` with these arguments; all end with the test."""
    running = []

    def listen(*args):
        running.append(Listener(*args))
        return running[-1]

    yield listen
    for one in running:
        one.stop()
