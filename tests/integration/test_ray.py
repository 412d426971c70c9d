"""Local models over a real Ray cluster of two nodes, one of which is killed in the middle."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from local_models import Kind, make

from . import servers

if TYPE_CHECKING:
    from command import Cli

    from .conftest import RayCluster

pytestmark = pytest.mark.integration

RUN = Path(__file__).with_name("ray_run.py")
TUPLES = 40
CALLS = 6 * TUPLES
BLOCKS = TUPLES // 2  # of 12 calls
MARK = "the moon is made of"


@pytest.fixture
def here(cli: Cli) -> Cli:
    """A home with a classifier `rm`, a policy `policy` and `data.jsonl`."""
    make(cli.home / "rm", Kind())
    make(cli.home / "policy", Kind(task="CausalLM"))
    lines = [
        {
            "id": k,
            "domain": ("chat", "math", "code", "safety-refuse")[k % 4],
            "prompt": f"Question {k}: {MARK} what?",
            "chosen": [f"{MARK} rock {k}{end}" for end in (".", ", they say.", "\n\n- **rock**")],
            "rejected": [f"{MARK} cheese {k}{end}" for end in ("!", ", so it is.", "\n\n- *brie*")],
        }
        for k in range(TUPLES)
    ]
    (cli.home / "data.jsonl").write_text("".join(f"{json.dumps(line)}\n" for line in lines))
    return cli


def rmjudge(home: Path, *words: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run the command line with the Python that has Ray."""
    return subprocess.run(
        [servers.RAY, "-m", "rmjudge", "run", *words, "--data", "data.jsonl", "--quiet"],
        capture_output=True,
        text=True,
        check=False,
        cwd=home,
        env=environment(home, **variables),
        timeout=300,
    )


def environment(home: Path, **variables: str) -> dict[str, str]:
    bare = {"PATH": os.environ["PATH"], "HOME": str(home), "LANG": "C.UTF-8"}
    return {**bare, "OMP_NUM_THREADS": "1", **servers.OFFLINE, **variables}


def begin(home: Path, address: str, out: str, cache: str = "kept") -> subprocess.Popen[bytes]:
    """Begin `ray_run.py`; it notes its blocks in the file `begun`."""
    words = [str(servers.RAY), str(RUN), "rm", "data.jsonl", out, cache, "begun"]
    variables = environment(home, RAY_ADDRESS=address)
    with (home / f"{out}.log").open("wb") as log:
        return subprocess.Popen(words, stdout=log, stderr=log, cwd=home, env=variables)


def begun(home: Path) -> list[dict[str, Any]]:
    path = home / "begun"
    return list(map(json.loads, path.read_text().splitlines())) if path.exists() else []


def wait(process: subprocess.Popen[bytes], until: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 240
    while not until():
        assert process.poll() is None, "it ended too early"
        assert time.monotonic() < deadline
        time.sleep(0.05)


def processes(home: Path) -> set[int]:
    return {block["process"] for block in begun(home)}


def test_a_run_over_ray_has_the_files_of_a_run_without(ray_cluster: RayCluster, here: Cli) -> None:
    models = ("hf/rm", "dpo/policy")
    alone = rmjudge(here.home, *models, "--out", "alone", "--cache-dir", "kept-alone")
    assert alone.returncode == 0, alone.stderr
    words = (*models, "--engine", "ray", "--out", "over-ray", "--cache-dir", "kept")
    done = rmjudge(here.home, *words, RAY_ADDRESS=ray_cluster.address)
    assert done.returncode == 0, done.stderr
    # Ray's core has one line of its own about every actor that may start again.
    told = [line for line in done.stderr.splitlines() if "core_worker.cc" not in line]
    assert told == alone.stderr.replace("alone", "over-ray").splitlines()
    assert here.results("over-ray") == here.results("alone")
    assert done.stdout == alone.stdout.replace("alone", "over-ray")
    assert here.json("over-ray/hf-rm/run.json")["calls"]["sent"] == CALLS

    again = rmjudge(here.home, *models, "--out", "again", "--cache-dir", "kept")
    assert again.returncode == 0
    assert here.json("again/hf-rm/run.json")["calls"]["from_cache"] == CALLS


def test_a_node_that_is_killed_costs_no_answer_and_only_its_own_blocks_again(
    ray_cluster: RayCluster, here: Cli
) -> None:
    alone = rmjudge(here.home, "hf/rm", "--out", "alone", "--cache-dir", "kept-alone")
    assert alone.returncode == 0, alone.stderr
    running = begin(here.home, ray_cluster.address, "over-ray")
    wait(running, lambda: len(begun(here.home)) >= 8 and len(processes(here.home)) == 2)
    ray_cluster.kill_a_node()
    assert running.wait(240) == 0, (here.home / "over-ray.log").read_text()
    assert here.results("over-ray") == here.results("alone")

    blocks = [tuple(block["prompts"]) for block in begun(here.home)]
    assert len(set(blocks)) == BLOCKS
    assert len(blocks) - BLOCKS <= 2  # one under way, and one that may have begun since


def test_ctrl_c_keeps_what_came_and_the_next_run_asks_for_the_rest(
    ray_cluster: RayCluster, here: Cli
) -> None:
    stopped = begin(here.home, ray_cluster.address, "first")
    wait(stopped, lambda: len(begun(here.home)) >= 8)
    stopped.send_signal(signal.SIGINT)
    assert stopped.wait(60) == 130, (here.home / "first.log").read_text()

    done = rmjudge(here.home, "hf/rm", "--out", "second", "--cache-dir", "kept")
    assert done.returncode == 0, done.stderr
    calls = here.json("second/run.json")["calls"]
    assert calls["from_cache"] >= 12
    assert calls["from_cache"] + calls["sent"] == CALLS


def test_no_text_stands_in_ray_s_logs(ray_cluster: RayCluster, here: Cli) -> None:
    words = ("hf/rm", "--engine", "ray", "--out", "o", "--cache-dir", "kept")
    assert rmjudge(here.home, *words, RAY_ADDRESS=ray_cluster.address).returncode == 0
    logs = [path for path in ray_cluster.home.rglob("*") if path.is_file()]
    assert any(path.name == "ray-data.log" for path in logs)
    assert [path for path in logs if MARK.encode() in path.read_bytes()] == []


def test_a_model_that_a_node_cannot_load_is_refused_with_the_reason(
    ray_cluster: RayCluster, here: Cli
) -> None:
    (here.home / "rm" / "model.safetensors").write_bytes(bytes(64))
    words = ("hf/rm", "--engine", "ray", "--device", "cpu", "--out", "o", "--cache-dir", "kept")
    done = rmjudge(here.home, *words, RAY_ADDRESS=ray_cluster.address)
    assert done.returncode == 2
    assert "hf/rm, on the node" in done.stderr
    assert "has the same path on every node" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.usefixtures("ray_python")
def test_a_cluster_that_is_not_there_is_told(here: Cli) -> None:
    nobody = f"127.0.0.1:{servers.free_port()}"
    done = rmjudge(here.home, "hf/rm", "--engine", "ray", RAY_ADDRESS=nobody)
    assert done.returncode == 2
    assert f"--engine ray: no Ray cluster at RAY_ADDRESS={nobody}: " in done.stderr


@pytest.mark.usefixtures("ray_python")
def test_without_a_cluster_one_is_started_and_ended(here: Cli) -> None:
    words = ("hf/rm", "--engine", "ray", "--limit", "2", "--out", "o")
    done = rmjudge(here.home, *words, RAY_TMPDIR=f"/tmp/ray-{os.getpid()}")
    assert done.returncode == 0, done.stderr
    assert here.json("o/run.json")["calls"]["sent"] == 48
