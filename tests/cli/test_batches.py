"""`rmjudge batches`: what the user decides, and what is said of batches that are open."""

from __future__ import annotations

import json
import re
import signal
import sqlite3
import time
from contextlib import closing
from subprocess import CompletedProcess
from typing import Any

import pytest
from batch_vendor import FAST, BatchVendor, each_shape
from command import Cli


def words(vendor: BatchVendor, provider: str = "openai") -> tuple[str, ...]:
    return ("run", vendor.model(provider), "--limit", "1", "--quiet", "--out", "runs/batch")


def bought(
    cli: Cli, vendor: BatchVendor, *more: str, provider: str = "openai"
) -> CompletedProcess[str]:
    return cli(*words(vendor, provider), "--batch", *more, **FAST)


def the_batch(cli: Cli) -> Any:
    (one,) = json.loads(cli("batches", "list", "--json").stdout)["batches"]
    return one


def check_paid_once(vendor: BatchVendor) -> None:
    stats = vendor.stats
    assert max(stats["paid"].values()) == 1
    assert len(stats["paid"]) + stats["live"] == 36


def item_of(cli: Cli) -> str:
    """A tuple of the run."""
    lines = (cli.home / "runs/batch/results.jsonl").read_text("utf-8").splitlines()
    return str(next(line["id"] for line in map(json.loads, lines) if line["domain"] == "chat"))


def lose_a_create(cli: Cli, vendor: BatchVendor, provider: str) -> str:
    """A create that the vendor accepted, and that no list shows; return its UID."""
    vendor.control(create=["lost"], lag=10_000)
    done = bought(cli, vendor, "--detach", provider=provider)
    assert done.returncode == 3, done.stderr
    assert the_batch(cli)["state"] == "creating"
    return str(the_batch(cli)["uid"])


@each_shape
def test_the_vendors_batch_can_be_named(cli: Cli, vendor: BatchVendor, provider: str) -> None:
    uid = lose_a_create(cli, vendor, provider)
    time.sleep(0.3)  # it has ended
    (batch,) = vendor.stats["batches"]
    done = cli("batches", "resolve", uid, "--adopt", batch, **FAST)
    assert done.returncode == 0, done.stderr
    assert bought(cli, vendor, provider=provider).returncode == 0
    assert vendor.stats["creates"] == 1
    check_paid_once(vendor)


def test_another_batch_is_not_adopted(cli: Cli, vendor: BatchVendor) -> None:
    first = ("run", vendor.model(), "--limit", "1", "--domain", "math", "--quiet")
    assert cli(*first, "--batch", "--detach", "--cache-dir", "other", **FAST).returncode == 3
    (others,) = vendor.stats["batches"]
    uid = lose_a_create(cli, vendor, "openai")
    done = cli("batches", "resolve", uid, "--adopt", others, **FAST)
    assert done.returncode == 2
    assert "is not this one" in done.stderr
    assert the_batch(cli)["state"] == "creating"


def test_a_batch_that_the_vendor_does_not_know_is_not_adopted(
    cli: Cli, vendor: BatchVendor
) -> None:
    uid = lose_a_create(cli, vendor, "openai")
    done = cli("batches", "resolve", uid, "--adopt", "batch-none", **FAST)
    assert done.returncode == 2
    assert "batch-none" in done.stderr
    assert "Traceback" not in done.stderr


def test_what_was_put_aside_is_read_when_the_user_says_so(cli: Cli, vendor: BatchVendor) -> None:
    vendor.control(rows=["swapped"])
    done = bought(cli, vendor)
    assert done.returncode == 3
    uid = re.search(r"resolve ([0-9a-f]{32})", done.stderr)
    assert uid
    assert cli("batches", "resolve", uid[1], "--accept").returncode == 0
    done = bought(cli, vendor)
    assert done.returncode == 0, done.stderr
    assert vendor.stats["creates"] == 1
    check_paid_once(vendor)


@pytest.mark.parametrize("decision", ["--accept", "--discard", "--not-submitted"])
def test_a_decision_on_what_is_done_is_refused(
    cli: Cli, vendor: BatchVendor, decision: str
) -> None:
    assert bought(cli, vendor).returncode == 0
    done = cli("batches", "resolve", the_batch(cli)["uid"], decision)
    assert done.returncode == 2
    assert "is released" in done.stderr


def test_ctrl_c_leaves_the_batches_and_the_same_command_collects_them(
    cli: Cli, vendor: BatchVendor
) -> None:
    vendor.control(run_s=3600)
    with cli.start(*words(vendor), "--batch", **FAST) as process:
        while not vendor.stats["batches"]:
            assert process.poll() is None
            time.sleep(0.05)
        time.sleep(0.5)
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "1 batch goes on at openai/judge; the same command collects" in err
    vendor.control(run_s=0)
    done = bought(cli, vendor)
    assert done.returncode == 0, done.stderr
    assert vendor.stats["creates"] == 1
    check_paid_once(vendor)


def test_reports_say_what_is_in_open_batches(cli: Cli, vendor: BatchVendor) -> None:
    vendor.control(run_s=3600)
    assert bought(cli, vendor, "--detach").returncode == 3
    said = "openai/judge: 35 calls in 1 open batch"
    place = f"chat/{item_of(cli)}"
    for command in (("report", "runs/batch"), ("list", "runs"), ("show", place, "runs/batch")):
        done = cli(*command)
        assert done.returncode == 0, done.stderr
        assert said in done.stdout + done.stderr
    vendor.control(run_s=0)
    assert bought(cli, vendor).returncode == 0
    done = cli("report", "runs/batch")
    assert "open batch" not in done.stdout + done.stderr


def test_a_live_run_leaves_what_is_under_way_to_the_batch(cli: Cli, vendor: BatchVendor) -> None:
    vendor.control(run_s=3600)
    assert bought(cli, vendor, "--detach").returncode == 3
    done = cli("run", vendor.model(), "--limit", "2", "--quiet", "--out", "runs/live")
    assert done.returncode == 3
    assert "35 calls are under way in a batch" in done.stderr
    assert vendor.stats["live"] == 1 + 36  # the other tuple


def test_a_damaged_row_of_a_batch_keeps_its_calls_from_being_bought_again(
    cli: Cli, vendor: BatchVendor
) -> None:
    vendor.control(run_s=3600)
    assert bought(cli, vendor, "--detach").returncode == 3
    database = cli.home / ".cache" / "rmjudge" / "answers" / "cache.db"
    with closing(sqlite3.connect(database, isolation_level=None)) as connection:
        connection.execute("UPDATE Cache SET value = 'x' || value WHERE key LIKE 'b:%'")
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    for _ in range(2):
        done = bought(cli, vendor)
        assert done.returncode == 3
        assert "is damaged" in done.stderr
    assert vendor.stats["creates"] == 1


@pytest.mark.parametrize("row", ["whole", "damaged"])
def test_a_salvaged_cache_still_knows_its_batches(cli: Cli, vendor: BatchVendor, row: str) -> None:
    vendor.control(run_s=3600)
    assert bought(cli, vendor, "--detach").returncode == 3
    database = cli.home / ".cache" / "rmjudge" / "answers" / "cache.db"
    with closing(sqlite3.connect(database, isolation_level=None)) as connection:
        if row == "damaged":
            connection.execute("UPDATE Cache SET value = 'x' || value WHERE key LIKE 'b:%'")
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    with database.open("r+b") as file:  # the header
        file.write(bytes(100))
    vendor.control(run_s=0)
    first = bought(cli, vendor)
    assert first.returncode == 3
    assert "was damaged" in first.stderr
    done = bought(cli, vendor)
    assert vendor.stats["creates"] == 1
    assert done.returncode == (0 if row == "whole" else 3), done.stderr
    if row == "whole":
        check_paid_once(vendor)
    else:
        assert "is damaged" in done.stderr


def test_what_is_exported_submits_nothing_anywhere_else(cli: Cli, vendor: BatchVendor) -> None:
    vendor.control(run_s=3600)
    assert bought(cli, vendor, "--detach").returncode == 3
    assert cli("cache", "export", "answers.jsonl").returncode == 0
    exported = (cli.home / "answers.jsonl").read_text("utf-8")
    assert the_batch(cli)["uid"] not in exported
    assert len(re.findall('"call"', exported)) == 1  # the one that was bought live


def test_a_cache_that_has_held_a_batch_is_of_a_format_that_older_versions_refuse(
    cli: Cli, vendor: BatchVendor
) -> None:
    database = cli.home / ".cache" / "rmjudge" / "answers" / "cache.db"

    def form() -> int:
        with closing(sqlite3.connect(database)) as connection:
            return int(connection.execute("PRAGMA user_version").fetchone()[0])

    assert cli(*words(vendor)[:2], "--limit", "1", "--domain", "math", "--quiet").returncode == 0
    assert form() == 1  # which any version reads
    assert bought(cli, vendor).returncode == 0
    assert form() == 2


@pytest.mark.parametrize(
    ("model", "why"), [("xai/grok-4.3", "in pages"), ("openrouter/a/b", "two addresses")]
)
def test_a_vendor_whose_batches_are_not_sure_is_refused_with_the_reason(
    cli: Cli, model: str, why: str
) -> None:
    done = cli("run", model, "--limit", "1", "--batch", "--dry-run")
    assert done.returncode == 2
    assert why in " ".join(done.stderr.split())


@each_shape
@pytest.mark.parametrize(
    "value", ["completed", "SUCCEEDED", "succeeded", "ended", "custom_id", "batch", "id", "200"]
)
def test_a_header_that_says_what_the_vendor_says_changes_no_state(
    cli: Cli, vendor: BatchVendor, provider: str, value: str
) -> None:
    done = bought(cli, vendor, "--header", f"X-Stage={value}", provider=provider)
    assert done.returncode == 0, done.stdout + done.stderr
    check_paid_once(vendor)


def test_a_full_queue_is_known_whatever_the_headers_say(cli: Cli, vendor: BatchVendor) -> None:
    vendor.control(create=["queue"])
    done = bought(cli, vendor, "--header", "X-Stage=Enqueued", "--detach")
    assert done.returncode == 3, done.stdout + done.stderr
    (first, *_) = json.loads(cli("batches", "list", "--json").stdout)["batches"]
    assert "[key removed] token limit reached" in first["note"]
    assert bought(cli, vendor, "--header", "X-Stage=Enqueued").returncode == 0
    check_paid_once(vendor)


@pytest.mark.parametrize(
    ("provider", "faults"),
    [
        ("openai", {"outcome": "failed", "errors": [["bad", "this model cannot be used here"]]}),
        ("openai", {"create": ["refused"]}),
        ("anthropic", {"create": ["refused"]}),
        ("gemini", {"create": ["refused"]}),
    ],
)
def test_why_a_vendor_takes_no_batch_is_told_without_the_header(
    cli: Cli, vendor: BatchVendor, provider: str, faults: dict[str, Any]
) -> None:
    vendor.control(**faults)
    done = bought(cli, vendor, "--header", "X-Stage=cannot", provider=provider)
    assert done.returncode == 3, done.stdout + done.stderr
    assert "this model [key removed] be used" in done.stderr
    (one, *_) = json.loads(cli("batches", "list", "--json").stdout)["batches"]
    assert "cannot" not in one["note"]


@pytest.mark.parametrize("command", [("fetch",), ("cancel", "--all")])
@pytest.mark.parametrize("missing", ["openai", "anthropic"])
def test_a_missing_key_keeps_no_other_vendors_batches_back(
    cli: Cli, vendor: BatchVendor, command: tuple[str, ...], missing: str
) -> None:
    vendor.control(run_s=2 if command == ("fetch",) else 60)
    keys = {"openai": "FIRST_KEY", "anthropic": "SECOND_KEY"}
    named = [f"--key-env={provider}/judge={key}" for provider, key in keys.items()]
    held = dict.fromkeys(keys.values(), "k-123456789")
    for provider, given in zip(keys, named, strict=True):
        run = (*words(vendor, provider), "--out", f"runs/{provider}", "--batch", "--detach", given)
        assert cli(*run, **FAST, **held).returncode == 3
    if command == ("fetch",):
        time.sleep(2.5)
    del held[keys[missing]]

    done = cli("batches", *command, *named, "--json", **FAST, **held)

    assert done.returncode == 2
    assert "not asked about: batch" in done.stderr
    assert f"{keys[missing]}, for {missing}/judge, is not set" in done.stderr
    (batch,) = json.loads(done.stdout)["batches"]
    assert not batch["model"].startswith(missing)
    assert batch["state"] == "fetched"


@pytest.mark.parametrize(
    ("header", "said"),
    [
        ("nobody/model:X-Gate", "no hosted model of this run"),
        ("X-Gate", "this run asks at 2 addresses, and a header is sent to one"),
    ],
)
def test_a_header_goes_to_the_vendor_that_it_is_for(
    cli: Cli, vendor: BatchVendor, header: str, said: str
) -> None:
    other = BatchVendor()
    try:
        for one, provider in ((vendor, "openai"), (other, "anthropic")):
            one.control(run_s=60)
            run = (*words(one, provider), "--out", f"runs/{provider}", "--batch", "--detach")
            assert cli(*run, **FAST).returncode == 3
        done = cli("batches", "fetch", "--header", f"{header}=gateway-93b1f0", **FAST)
    finally:
        other.kill()

    assert done.returncode == 2
    assert said in done.stderr
