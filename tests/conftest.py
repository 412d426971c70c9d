"""Every test has its own home, no keys, and a real server process when it asks for one."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any, Self

import pytest

SERVER = Path(__file__).parent / "servers" / "model_server.py"
SHARED = Path(__file__).resolve().parents[2] / "shared" / "data" / "rm-bench"


class ModelServer:
    """A running `servers/model_server.py`."""

    def __init__(self, port: int) -> None:
        self.root = f"http://127.0.0.1:{port}"
        self.judge = f"openai/judge@{self.root}/v1"
        self.reward = f"vllm/rm@{self.root}"

    def _call(self, path: str, data: dict[str, Any] | None = None) -> dict[str, Any]:
        body = json.dumps(data or {}).encode()
        with urllib.request.urlopen(self.root + path, body, timeout=10) as reply:  # noqa: S310
            found: dict[str, Any] = json.load(reply)
            return found

    def control(self, **settings: Any) -> None:
        """Set script, rate, faults, seed, latency_s."""
        self._call("/control", settings)

    def reset(self) -> None:
        """Forget counts and settings. A fault that never happened would prove nothing."""
        unknown = self.stats["unknown"]
        self._call("/reset")
        assert unknown == [], "the server knows no such fault"

    @property
    def stats(self) -> dict[str, Any]:
        """What was asked and delivered so far."""
        return self._call("/stats")


class ServerProcess(ModelServer):
    """A model server of a test's own, which it may kill and start again on the same port."""

    def __init__(self, port: int = 0) -> None:
        self.process = subprocess.Popen(
            [sys.executable, str(SERVER), str(port)], stdout=subprocess.PIPE
        )
        assert self.process.stdout is not None
        self.port = int(self.process.stdout.readline())
        super().__init__(self.port)

    def kill(self) -> None:
        """End it at once, as a crash does."""
        self.process.kill()
        self.process.wait(10)
        assert self.process.stdout is not None
        self.process.stdout.close()


@pytest.fixture(scope="session")
def _model_server_process() -> Iterator[ModelServer]:
    server = ServerProcess()
    yield server
    server.kill()


@pytest.fixture
def start_server() -> Iterator[Callable[[int], ServerProcess]]:
    """Start a server on a port (0: any); it is killed at the end if the test has not done so."""
    started: list[ServerProcess] = []

    def start(port: int = 0) -> ServerProcess:
        started.append(ServerProcess(port))
        return started[-1]

    yield start
    for server in started:
        if server.process.poll() is None:
            server.kill()


@pytest.fixture
def server(_model_server_process: ModelServer) -> Iterator[ModelServer]:
    """A model server in a process of its own, with clean counts."""
    _model_server_process.reset()
    yield _model_server_process
    _model_server_process.reset()


@pytest.fixture(autouse=True)
def home(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """This test's home and working folder."""
    home = tmp_path_factory.mktemp("home")
    for name in ("HOME", "XDG_CACHE_HOME", "XDG_CONFIG_HOME"):
        monkeypatch.setenv(name, str(home))
    for name in ("OPENAI_API_KEY", "OPENAI_BASE_URL", "VLLM_API_KEY", "VLLM_BASE_URL"):
        monkeypatch.delenv(name, raising=False)
    for name in (
        "http_proxy",
        "https_proxy",
        "all_proxy",
        "HTTP_PROXY",
        "HTTPS_PROXY",
        "ALL_PROXY",
    ):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.delenv("COLUMNS", raising=False)
    monkeypatch.chdir(home)
    return home


class Cli:
    """`rmjudge` as a user starts it: a process in `home`, with nothing else in its environment."""

    command = Path(sys.executable).with_name("rmjudge")

    def __init__(self, home: Path) -> None:
        self.home = home

    def environment(self, **variables: str) -> dict[str, str]:
        """The variables of a bare login, and these."""
        home, kept = str(self.home), str(self.home / ".cache")
        bare = {"PATH": os.environ["PATH"], "HOME": home, "XDG_CACHE_HOME": kept}
        return {**bare, "LANG": "C.UTF-8", **variables}

    def start(self, *words: object, **variables: str) -> subprocess.Popen[str]:
        """Start a command; its output goes to pipes."""
        return subprocess.Popen(
            [self.command, *map(str, words)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd=self.home,
            env=self.environment(**variables),
            text=True,
        )

    def __call__(self, *words: object, **variables: str) -> subprocess.CompletedProcess[str]:
        """Run a command to its end."""
        with self.start(*words, **variables) as process:
            out, err = process.communicate()
        return subprocess.CompletedProcess(process.args, process.returncode, out, err)

    def json(self, path: str) -> Any:
        """A JSON file below home."""
        return json.loads((self.home / path).read_text("utf-8"))

    def results(self, folder: str) -> dict[str, bytes]:
        """The files of a run that are equal for equal runs, by their path in its folder."""
        root = self.home / folder
        files = [*root.rglob("metrics.json"), *root.rglob("results.jsonl")]
        return {str(path.relative_to(root)): path.read_bytes() for path in files}


@pytest.fixture(scope="session")
def new_cli(tmp_path_factory: pytest.TempPathFactory) -> Callable[[], Cli]:
    """Make command lines in homes of their own, for runs that several tests look at."""
    return lambda: Cli(tmp_path_factory.mktemp("home"))


@pytest.fixture
def cli(home: Path) -> Cli:
    """The command line, in this test's own home."""
    return Cli(home)


@pytest.fixture
def rm_bench_files() -> Path:
    """The folder with real RM-Bench files, which lies beside a developer's checkout only."""
    if not SHARED.is_dir():
        pytest.skip(f"the real RM-Bench files are not at {SHARED}")
    return SHARED


class StubServer(ThreadingHTTPServer):
    """Answers every POST with what `reply` makes of its body, and remembers what it was asked."""

    def __init__(self, reply: Callable[[Any], Any]) -> None:
        super().__init__(("127.0.0.1", 0), StubHandler)
        self.url = f"http://127.0.0.1:{self.server_port}"
        self.reply = reply
        self.asked: list[tuple[str, Any]] = []

    def __enter__(self) -> Self:
        Thread(target=self.serve_forever, args=(0.01,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.shutdown()
        self.server_close()


class StubHandler(BaseHTTPRequestHandler):
    server: StubServer

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        self.server.asked.append((self.path, body))
        data = json.dumps(self.server.reply(body)).encode()
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def stub_server() -> type[StubServer]:
    """A server on loopback that answers with what a function makes of each body."""
    return StubServer
