"""Batches beside the rest of a run: dry runs, ceilings, fallbacks, other scorers, commands."""

from __future__ import annotations

import json
from subprocess import CompletedProcess
from typing import Any

import pytest
from batch_vendor import FAST, BatchVendor
from command import Cli

PRICE = "input = 1000.0\noutput = 3000.0\n"


def words(vendor: BatchVendor, *more: object) -> tuple[object, ...]:
    return ("run", vendor.model(), *more, "--limit", "1", "--quiet", "--out", "runs/batch")


def bought(cli: Cli, vendor: BatchVendor, *more: object) -> CompletedProcess[str]:
    return cli(*words(vendor, *more, "--batch"), **FAST)


def priced(cli: Cli, *more: str) -> None:
    table = "\n".join((PRICE, *more))
    (cli.home / "rmjudge.toml").write_text(f'[prices."openai/judge"]\n{table}\n')


def estimate(cli: Cli, vendor: BatchVendor, *more: object) -> Any:
    done = cli(*words(vendor, "--dry-run", "--json", *more))
    assert done.returncode == 0, done.stderr
    (one,) = json.loads(done.stdout)["dry_run"]
    return one


def test_a_dry_run_tells_batches_waves_and_the_price_of_the_batch(
    cli: Cli, vendor: BatchVendor
) -> None:
    priced(cli, "batch = 0.25")
    live = estimate(cli, vendor)
    whole = estimate(cli, vendor, "--batch")
    cut = estimate(cli, vendor, "--batch", "--batch-tokens", "9000")
    assert "batches" not in live
    assert (whole["batches"]["batches"], whole["batches"]["waves"]) == (1, 1)
    assert cut["batches"]["batches"] == cut["batches"]["waves"] == 4  # a tuple each
    assert cut["batches"]["limit"] == 9000
    assert whole["cost"]["usd"] == pytest.approx(0.25 * live["cost"]["usd"])
    assert whole["most"]["usd"] == pytest.approx(0.25 * live["most"]["usd"])
    assert vendor.stats["live"] == vendor.stats["creates"] == 0
    told = " ".join(cli(*words(vendor, "--dry-run", "--batch")).stdout.split())
    assert "1 batch in 1 wave: " in told


def test_a_share_that_is_not_known_is_counted_at_the_full_price_and_told(
    cli: Cli, vendor: BatchVendor
) -> None:
    priced(cli)
    assert estimate(cli, vendor, "--batch")["cost"] == estimate(cli, vendor)["cost"]
    done = cli(*words(vendor, "--dry-run", "--batch"))
    assert "what openai/judge costs in batches is not known" in done.stderr


def test_a_ceiling_of_calls_counts_a_call_when_its_batch_is_planned(
    cli: Cli, vendor: BatchVendor
) -> None:
    vendor.control(run_s=3600)
    done = bought(cli, vendor, "--max-calls", "10", "--detach")
    assert done.returncode == 3
    assert vendor.stats["sizes"] == [9]  # and the one that was bought live


def test_other_scorers_of_the_run_are_asked_live_which_is_told(
    cli: Cli, vendor: BatchVendor
) -> None:
    vendor.control(run_s=3600)
    done = bought(cli, vendor, "baseline/length", "--detach")
    assert done.returncode == 3
    assert done.stderr.count("baseline/length has no batches that are known here") == 1
    assert cli.json("runs/batch/baseline-length/metrics.json")["domains"]


def test_a_fallback_takes_what_refused_batches_leave_and_no_more(
    cli: Cli, vendor: BatchVendor
) -> None:
    vendor.control(create=["ok", "refused"])
    done = bought(cli, vendor, "--batch-tokens", "9000", "--fallback", "baseline/length")
    assert done.returncode == 1, done.stderr
    assert "this model cannot be used in batches" in done.stderr
    (size,) = vendor.stats["sizes"]
    assert len(vendor.stats["paid"]) == size
    filled = (cli.home / "runs/batch/baseline-length/results.jsonl").read_text("utf-8")
    assert len(filled.splitlines()) == 3  # of four tuples


def test_a_refused_row_is_not_asked_again_before_the_job_is_complete(
    cli: Cli, vendor: BatchVendor
) -> None:
    vendor.control(rows=["refused"], run_s=0)
    for _ in range(12):
        done = bought(cli, vendor, "--detach", "--batch-tokens", "9000")
        if done.returncode != 3:
            break
    assert done.returncode == 1, done.stderr
    sizes = vendor.stats["sizes"]
    assert sum(sizes) == 35  # nothing was handed over twice
    assert cli.json("runs/batch/run.json")["calls"]["failed"] == len(sizes)
    vendor.control(rows=[])
    assert bought(cli, vendor).returncode == 0
    assert vendor.stats["sizes"] == [*sizes, len(sizes)]


def test_what_a_detached_batch_cost_is_in_the_totals_of_the_run_that_collects_it(
    cli: Cli, vendor: BatchVendor
) -> None:
    priced(cli, "batch = 0.25")
    vendor.control(run_s=3600)
    assert bought(cli, vendor, "--detach").returncode == 3
    vendor.control(run_s=0)
    assert cli("batches", "fetch", **FAST).returncode == 0
    done = bought(cli, vendor)
    assert done.returncode == 0, done.stderr
    read, written = vendor.stats["tokens"]
    live_read, live_written = vendor.stats["live_tokens"]
    bill = (0.25 * (read * 1000 + written * 3000) + live_read * 1000 + live_written * 3000) / 1e6
    (told,) = json.loads(cli("cache", "info", "--json").stdout)["scorers"]
    (batch,) = json.loads(cli("batches", "list", "--json").stdout)["batches"]
    live = (live_read * 1000 + live_written * 3000) / 1e6
    assert told["cost"]["usd"] == pytest.approx(bill)
    assert cli.json("runs/batch/run.json")["in_all"]["cost"]["usd"] == pytest.approx(bill)
    assert batch["dollars"] == pytest.approx(bill - live)


def test_every_command_finds_the_batches_of_another_cache(cli: Cli, vendor: BatchVendor) -> None:
    vendor.control(run_s=3600, share=0.0)
    cache = ("--cache-dir", "other")
    assert bought(cli, vendor, "--detach", *cache).returncode == 3
    (one,) = json.loads(cli("batches", "list", "--json", *cache).stdout)["batches"]
    shown = cli("batches", "show", one["uid"][:8], *cache)
    assert one["vendor_id"] in shown.stdout
    assert cli("batches", "fetch", *cache, **FAST).returncode == 0
    assert cli("batches", "resolve", one["uid"], "--accept", *cache).returncode == 2
    assert cli("batches", "cancel", one["uid"], *cache, **FAST).returncode == 0
    (one,) = json.loads(cli("batches", "list", "--json", *cache).stdout)["batches"]
    assert one["vendor_state"] == "cancelled"


def test_commands_that_ask_a_vendor_leave_the_batches_that_a_run_watches(
    cli: Cli, vendor: BatchVendor
) -> None:
    vendor.control(run_s=3600)
    with cli.start(*words(vendor, "--batch"), **FAST) as process:
        while not vendor.stats["batches"]:
            assert process.poll() is None
        done = cli("batches", "fetch", **FAST)
        listed = cli("batches", "list")
        process.kill()
    assert done.returncode == 2
    assert "another process is at its batches" in done.stderr
    assert listed.returncode == 0


def test_results_that_cannot_be_written_stay_at_the_vendor(cli: Cli, vendor: BatchVendor) -> None:
    vendor.control(run_s=3600)
    assert bought(cli, vendor, "--detach").returncode == 3
    in_the_way = cli.home / ".cache" / "rmjudge" / "answers" / "batches"
    in_the_way.write_bytes(b"")
    vendor.control(run_s=0)
    done = bought(cli, vendor)
    assert done.returncode == 3
    assert "the results of a batch cannot be written to" in done.stderr
    assert vendor.stats["files"]
    in_the_way.unlink()
    done = bought(cli, vendor)
    assert done.returncode == 0, done.stderr
    assert max(vendor.stats["paid"].values()) == 1
    assert vendor.stats["creates"] == 1
