"""Every test has its own home, no keys, and a real server process when it asks for one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from batch_vendor import BatchVendor
from command import Cli
from served import ModelServer, ServerProcess, StubServer

SHARED = Path(__file__).resolve().parents[2] / "shared" / "data" / "rm-bench"


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


@pytest.fixture(scope="session")
def _batch_vendor() -> Iterator[BatchVendor]:
    vendor = BatchVendor()
    yield vendor
    vendor.kill()


@pytest.fixture
def vendor(_batch_vendor: BatchVendor) -> BatchVendor:
    """A vendor with batches, in a process of its own, that has forgotten everything."""
    _batch_vendor.reset()
    return _batch_vendor


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


@pytest.fixture
def stub_server() -> type[StubServer]:
    """A server on loopback that answers with what a function makes of each body."""
    return StubServer
