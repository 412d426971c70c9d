"""Batches at servers that were not written here: aimock and OGX."""

from __future__ import annotations

import json

import pytest
from batch_vendor import FAST
from command import Cli

from .servers import Aimock, Server

pytestmark = pytest.mark.integration
LIVE = {"content": "\\boxed{A=B}"}


def words(aimock: Aimock) -> tuple[str, ...]:
    model = f"openai/some-model@{aimock.url}/v1"
    return ("run", model, "--limit", "1", "--quiet", "--out", "runs/b", "--batch")


def states(cli: Cli) -> list[tuple[str, int]]:
    listed = json.loads(cli("batches", "list", "--json").stdout)["batches"]
    return [(one["vendor_state"], one["calls"]) for one in listed]


def test_every_row_of_a_batch_is_read(cli: Cli, aimock: Aimock) -> None:
    aimock.teach("some-model", LIVE)
    done = cli(*words(aimock), **FAST)
    # Its batches always say "Mock batch completion": a reply, and no verdict.
    assert done.returncode in (1, 3), done.stderr
    assert states(cli) == [("completed", 35)]
    calls = cli.json("runs/b/run.json")["calls"]
    assert calls["sent"] == 36
    assert calls["maybe_billed"] == 0
    answers = json.loads(cli("cache", "info", "--json").stdout)["scorers"][0]
    assert answers["answers"] == 36
    (chunk,) = json.loads(cli("batches", "list", "--json").stdout)["batches"]
    assert chunk["state"] == "released"


@pytest.mark.parametrize("provider", ["openai", "anthropic"])
def test_ogx_s_batches_bring_what_it_answers_live(cli: Cli, ogx: Server, provider: str) -> None:
    url = f"{ogx.url}/v1" if provider == "openai" else ogx.url
    run = ("run", f"{provider}/up/judge@{url}", "--limit", "1", "--quiet")
    done = cli(*run, "--out", "runs/batch", "--batch", "--detach", **FAST)
    assert done.returncode == 3, done.stderr
    done = cli(*run, "--out", "runs/batch", "--batch", **FAST)
    assert done.returncode == 0, done.stdout + done.stderr
    assert states(cli) == [("ended" if provider == "anthropic" else "completed", 35)]
    assert ogx.call("GET", "/v1/files")["data"] == []
    assert cli(*run, "--out", "runs/live", "--cache-dir", "other").returncode == 0
    assert cli.json("runs/live/run.json")["calls"]["sent"] == 36
    assert cli.results("runs/batch") == cli.results("runs/live")
