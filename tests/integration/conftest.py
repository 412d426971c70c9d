"""Real servers as fixtures, started once a session; skipped unless they were asked for."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from served import ModelServer

from . import servers
from .servers import PROXY_KEY, UPSTREAM, Aimock, Server, free_port, require, running


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    if os.environ.get("RMJUDGE_INTEGRATION") == "1":
        return
    skip = pytest.mark.skip(reason="needs real servers: make test-integration")
    for item in items:
        if item.get_closest_marker("integration"):
            item.add_marker(skip)


@pytest.fixture(scope="session")
def logs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where servers run and write their logs."""
    return tmp_path_factory.mktemp("servers")


@pytest.fixture(scope="session")
def served(logs: Path) -> Iterator[Server]:
    """`transformers serve` with the tiny judge."""
    require(servers.TRANSFORMERS, servers.TINY_LM)
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    where = ["--host", "127.0.0.1", "--port", port, "--device", "cpu"]
    command = [servers.TRANSFORMERS, "serve", servers.TINY_LM, *where]
    with running(command, url, "/health", logs / "transformers.log", within_s=180):
        yield Server(url)


@pytest.fixture(scope="session")
def _aimock(logs: Path) -> Iterator[Aimock]:
    require(servers.AIMOCK)
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    nothing = logs / "fixtures"
    nothing.mkdir()
    command = [servers.AIMOCK, "-h", "127.0.0.1", "-p", port, "-f", nothing]
    with running(command, url, "/health", logs / "aimock.log", within_s=30):
        yield Aimock(url)


@pytest.fixture
def aimock(_aimock: Aimock) -> Aimock:
    """aimock, with everything forgotten that other tests taught it."""
    _aimock.call("POST", "/__aimock/reset", {})
    return _aimock


@pytest.fixture
def ogx(logs: Path, server: ModelServer) -> Iterator[Server]:
    """OGX before the model server: its own batches, in OpenAI's and in Anthropic's form."""
    require(servers.OGX)
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    config = logs / "ogx.yaml"
    config.write_text(json.dumps(_ogx_config(server.root, logs / "ogx")), "utf-8")
    command = [servers.OGX, "run", config, "--port", port, "--insecure"]
    with running(command, url, "/v1/models", logs / "ogx.log", within_s=120):
        yield Server(url)


def _ogx_config(upstream: str, folder: Path) -> dict[str, object]:
    """Its configuration; JSON is YAML too. It binds every address unless `host` says otherwise."""

    def provider(kind: str, **config: object) -> list[dict[str, object]]:
        return [{"provider_id": "up", "provider_type": kind, "config": config}]

    def table(name: str) -> dict[str, str]:
        return {"table_name": name, "backend": "sql_default"}

    return {
        "version": 2,
        "distro_name": "peer",
        "apis": ["batches", "files", "inference", "messages"],
        "providers": {
            "inference": provider("remote::openai", api_key="none", base_url=f"{upstream}/v1"),
            "files": provider(
                "inline::localfs", storage_dir=str(folder / "files"), metadata_store=table("files")
            ),
            "messages": provider(
                "inline::builtin", kvstore={"namespace": "messages", "backend": "kv_default"}
            ),
            "batches": provider("inline::reference", sqlstore=table("batches")),
        },
        "storage": {
            "backends": {
                "kv_default": {"type": "kv_sqlite", "db_path": str(folder / "kv.db")},
                "sql_default": {"type": "sql_sqlite", "db_path": str(folder / "sql.db")},
            }
        },
        "registered_resources": {"models": [{"model_id": "judge", "provider_id": "up"}]},
        "server": {"host": "127.0.0.1"},
    }


@pytest.fixture(scope="session")
def proxy(logs: Path, request: pytest.FixtureRequest) -> Iterator[Server]:
    """A LiteLLM proxy before `transformers serve`, before aimock, and with canned answers.

    Only `judge` and `decider` need `transformers serve`, and only `upstream-*` need aimock;
    without them those models have nobody behind them, and the tests that use them skip.
    """
    require(servers.LITELLM)
    behind = {name: _url_or_nobody(request, name) for name in ("served", "_aimock")}
    config = logs / "litellm.yaml"
    config.write_text(_proxy_config(behind["served"], behind["_aimock"]), "utf-8")
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    command = [servers.LITELLM, "--config", config, "--host", "127.0.0.1", "--port", port]
    environment = {**servers.OFFLINE, "LITELLM_LOCAL_MODEL_COST_MAP": "True"}
    log = logs / "litellm.log"
    with running(command, url, "/health/liveliness", log, within_s=120, environment=environment):
        yield Server(url)


def _url_or_nobody(request: pytest.FixtureRequest, name: str) -> str:
    try:
        server: Server = request.getfixturevalue(name)
    except pytest.skip.Exception:
        return "http://127.0.0.1:9"
    return server.url


def _proxy_config(served: str, aimock: str) -> str:
    """LiteLLM's configuration; JSON is YAML too."""

    def model(name: str, target: str, **params: str) -> dict[str, object]:
        return {
            "model_name": name,
            "litellm_params": {"model": target, "api_key": "none", **params},
        }

    models = [
        # As `openai/` it would ask transformers serve for Responses, which it streams unasked.
        model("judge", f"hosted_vllm/{servers.TINY_LM}", api_base=f"{served}/v1"),
        model("decider", f"typesafe/{servers.TINY_LM}", api_base=served),
        model("canned", "openai/canned", mock_response="A says so. \\boxed{A>B}"),
        model("limited", "openai/limited", mock_response="litellm.RateLimitError"),
        model("broken", "openai/broken", mock_response="litellm.InternalServerError"),
        model("long", "openai/long", mock_response="litellm.ContextWindowExceededError"),
        *(model(name, f"openai/{name}", api_base=f"{aimock}/v1") for name in UPSTREAM),
    ]
    return json.dumps(
        {
            "model_list": models,
            "litellm_settings": {"drop_params": True, "telemetry": False},
            "router_settings": {"disable_cooldowns": True, "num_retries": 0},
            "general_settings": {"master_key": PROXY_KEY},
        }
    )


@pytest.fixture(scope="session")
def nemo(logs: Path) -> Iterator[Server]:
    """PyTriton with the tensors of NeMo-Aligner's reward server."""
    require(servers.PYTRITON)
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    command = [servers.PYTRITON, Path(__file__).with_name("reward_tensors.py"), port]
    ready = "/v2/models/attributes/ready"  # the one that is bound last
    with running(command, url, ready, logs / "pytriton.log", within_s=90):
        yield Server(url)


@pytest.fixture(scope="session")
def vllm(logs: Path) -> Iterator[Server]:
    """vLLM with the tiny reward model."""
    require(servers.VLLM, servers.TINY_RM)
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    how = ["--max-model-len", 4096, "--dtype", "float32", "--served-model-name", "tiny-rm"]
    where = ["--host", "127.0.0.1", "--port", port]
    environment = {**servers.OFFLINE, "VLLM_CPU_KVCACHE_SPACE": "1", "VLLM_NO_USAGE_STATS": "1"}
    command = [servers.VLLM, "serve", servers.TINY_RM, *where, *how]
    log = logs / "vllm.log"
    with running(command, url, "/health", log, within_s=300, environment=environment):
        yield Server(url)


@dataclass(frozen=True)
class RayCluster:
    """A head and two nodes with one core each; `home` is where Ray has its logs."""

    address: str
    home: Path
    process: subprocess.Popen[str]

    def kill_a_node(self) -> None:
        """Kill one of the two, with the actor on it."""
        assert self.process.stdin is not None
        self.process.stdin.write("kill\n")
        self.process.stdin.flush()


@pytest.fixture
def ray_python() -> Path:
    """The Python that has Ray."""
    require(servers.RAY)
    return servers.RAY


@pytest.fixture
def ray_cluster(ray_python: Path, tmp_path: Path) -> Iterator[RayCluster]:
    """A Ray cluster of the test's own."""
    environment = {"PATH": os.environ["PATH"], "OMP_NUM_THREADS": "1", **servers.OFFLINE}
    environment |= {"RAY_USAGE_STATS_ENABLED": "0"}
    with (
        (tmp_path / "cluster.log").open("w") as log,
        subprocess.Popen(
            [ray_python, Path(__file__).with_name("ray_cluster.py")],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
            cwd=tmp_path,
            env=environment,
        ) as process,
    ):
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line, (tmp_path / "cluster.log").read_text()
        told = json.loads(line)
        yield RayCluster(told["address"], Path(told["home"]), process)
        process.communicate(timeout=60)
