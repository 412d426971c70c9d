"""What vendors' batches do wrong, in three shapes: nothing is lost, nothing bought twice."""

from __future__ import annotations

import re
import sqlite3
import time
from contextlib import closing
from dataclasses import replace
from subprocess import CompletedProcess

import pytest
from batch_vendor import FAST, BatchVendor, each_shape
from command import Cli

from rmjudge.cache.ledger import encode_chunk, read_chunks


def bought(cli: Cli, vendor: BatchVendor, provider: str, *more: object) -> CompletedProcess[str]:
    words = ("run", vendor.model(provider), "--limit", "1", "--quiet", "--out", "runs/batch")
    return cli(*words, "--batch", *more, **FAST)


def check_paid_once(vendor: BatchVendor) -> None:
    stats = vendor.stats
    assert max(stats["paid"].values()) == 1
    assert len(stats["paid"]) + stats["live"] == 36


def check_as_live(cli: Cli, vendor: BatchVendor, provider: str) -> None:
    """Each call was paid for once, the vendor has nothing left, and the files are a live run's."""
    check_paid_once(vendor)
    assert vendor.stats["files"] == []
    words = ("run", vendor.model(provider), "--limit", "1", "--quiet", "--out", "runs/live")
    assert cli(*words, "--cache-dir", "other").returncode == 0
    assert cli.results("runs/batch") == cli.results("runs/live")


@each_shape
@pytest.mark.parametrize(
    "rows", [["shuffle", "foreign"], ["doubled"], ["torn"], ["bom", "crlf"]], ids="+".join
)
def test_odd_results_bring_the_same_numbers(
    cli: Cli, vendor: BatchVendor, rows: list[str], provider: str
) -> None:
    vendor.control(rows=rows)
    done = bought(cli, vendor, provider)
    assert done.returncode == 0, done.stdout + done.stderr
    check_as_live(cli, vendor, provider)


@each_shape
def test_a_lost_create_is_found_among_shuffled_and_foreign_rows(
    cli: Cli, vendor: BatchVendor, provider: str
) -> None:
    vendor.control(create=["lost"], rows=["foreign", "shuffle"], lag=3)
    done = bought(cli, vendor, provider)
    assert done.returncode == 0, done.stdout + done.stderr
    assert vendor.stats["creates"] == 1
    check_as_live(cli, vendor, provider)


@each_shape
def test_a_batch_that_is_not_found_at_first_is_waited_for(
    cli: Cli, vendor: BatchVendor, provider: str
) -> None:
    vendor.control(gone=3, fetch=["404", "503", "cut"])
    done = bought(cli, vendor, provider)
    assert done.returncode == 0, done.stdout + done.stderr
    assert vendor.stats["creates"] == 1
    check_as_live(cli, vendor, provider)


@each_shape
def test_a_missing_row_is_told_and_bought_again(
    cli: Cli, vendor: BatchVendor, provider: str
) -> None:
    vendor.control(rows=["missing"])
    done = bought(cli, vendor, provider)
    assert done.returncode == 0, done.stdout + done.stderr
    assert sorted(vendor.stats["paid"].values())[-2:] == [1, 2]
    assert cli.json("runs/batch/run.json")["calls"]["maybe_billed"] == 1


@each_shape
@pytest.mark.parametrize("fault", ["queue", "queue of unknown length", "too large"])
def test_a_batch_that_is_too_much_is_halved_where_nothing_else_is_open(
    cli: Cli, vendor: BatchVendor, provider: str, fault: str
) -> None:
    vendor.control(create=[fault])
    done = bought(cli, vendor, provider)
    assert done.returncode == 0, done.stdout + done.stderr
    assert max(vendor.stats["sizes"]) <= 18  # of 35
    check_as_live(cli, vendor, provider)


@pytest.mark.parametrize("provider", ["openai", "gemini"])  # Anthropic's tells it at the create
def test_a_queue_that_turns_out_to_be_full_after_the_create_makes_smaller_batches(
    cli: Cli, vendor: BatchVendor, provider: str
) -> None:
    vendor.control(ends=["queue"])
    done = bought(cli, vendor, provider)
    assert done.returncode == 0, done.stdout + done.stderr
    first, *others = vendor.stats["sizes"]
    assert first == 35
    assert max(others) <= 18
    check_as_live(cli, vendor, provider)


@pytest.mark.parametrize("provider", ["openai", "gemini"])
def test_of_two_batches_of_the_same_calls_one_is_adopted_and_the_other_cancelled(
    cli: Cli, vendor: BatchVendor, provider: str
) -> None:
    vendor.control(create=["twice"], run_s=2.0, share=0.0)
    done = bought(cli, vendor, provider)
    assert done.returncode == 0, done.stdout + done.stderr
    told = " ".join(cli("report", "runs/batch").stdout.split())
    assert "with the same calls: bought twice; the second is" in told
    most = {"openai": 0, "gemini": 35}[provider]  # by what each tells of a cancelled batch
    assert cli.json("runs/batch/run.json")["calls"]["maybe_billed"] <= most
    check_paid_once(vendor)


@each_shape
def test_a_second_batch_that_was_not_cancelled_is_told_and_counted(
    cli: Cli, vendor: BatchVendor, provider: str
) -> None:
    vendor.control(create=["twice"], run_s=0.2 if provider == "anthropic" else 2.0, no_cancels=1)
    done = bought(cli, vendor, provider)
    assert done.returncode == 0, done.stdout + done.stderr
    told = " ".join(cli("report", "runs/batch").stdout.split())
    if provider == "anthropic":  # whose a batch is shows once it has ended
        assert "the second is ended, and 35 of its calls may be billed" in told
    else:
        assert "the second goes on, since it was not cancelled (HTTP 500): cancel it there" in told
    assert cli.json("runs/batch/run.json")["calls"]["maybe_billed"] == 35


@each_shape
def test_a_cancel_that_takes_a_while_keeps_what_was_run(
    cli: Cli, vendor: BatchVendor, provider: str
) -> None:
    vendor.control(run_s=3600, share=0.5, cancel_s=1.0)
    assert bought(cli, vendor, provider, "--detach").returncode == 3
    done = cli("batches", "cancel", "--all", **FAST)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "what has run stays billed" in done.stderr
    vendor.control(run_s=0)
    done = bought(cli, vendor, provider)
    assert done.returncode == 3
    assert "was cancelled; the same command buys what it left" in done.stderr
    assert len(vendor.stats["paid"]) == 17
    done = bought(cli, vendor, provider)
    assert done.returncode == 0, done.stdout + done.stderr
    check_as_live(cli, vendor, provider)


def aged(cli: Cli, seconds: float) -> None:
    """Have the ledger's batches been at their state for so long."""
    folder = cli.home / ".cache" / "rmjudge" / "answers"
    with closing(sqlite3.connect(folder / "cache.db", isolation_level=None)) as connection:
        for chunk in read_chunks(folder):
            created, ended = chunk.created - seconds, chunk.ended - seconds
            text = encode_chunk(replace(chunk, created=created, ended=ended))
            connection.execute("UPDATE Cache SET value = ? WHERE key = ?", (text, chunk.row))


@each_shape
def test_results_that_stay_away_for_half_an_hour_are_paid_and_lost(
    cli: Cli, vendor: BatchVendor, provider: str
) -> None:
    vendor.control(fetch=["404"] * 100, run_s=0)
    for _ in range(2):
        done = bought(cli, vendor, provider, "--detach")
        assert done.returncode == 3
        assert "404" in done.stderr
        assert "lost" not in done.stderr
    aged(cli, 1801)
    for _ in range(2):
        done = bought(cli, vendor, provider)
        assert done.returncode == 3
        assert "paid and lost" in done.stderr
    assert vendor.stats["creates"] == 1  # nothing is bought again unasked
    (uid,) = set(re.findall(r"resolve ([0-9a-f]{32})", done.stderr))
    vendor.control(fetch=[])
    assert cli("batches", "resolve", uid, "--discard").returncode == 0
    done = bought(cli, vendor, provider)
    assert done.returncode == 0, done.stdout + done.stderr
    assert set(vendor.stats["paid"].values()) == {2}


def test_a_batch_that_the_vendor_knows_no_more_is_not_bought_again_unasked(
    cli: Cli, vendor: BatchVendor
) -> None:
    vendor.control(run_s=3600)
    assert bought(cli, vendor, "openai", "--detach").returncode == 3
    vendor.reset()
    aged(cli, 1801)
    assert "no more (this key submitted it)" in cli("batches", "fetch").stderr
    done = bought(cli, vendor, "openai")
    assert done.returncode == 3
    assert "no more (this key submitted it)" in done.stderr
    (uid,) = set(re.findall(r"resolve ([0-9a-f]{32})", done.stderr))
    assert vendor.stats["creates"] == 0
    assert cli("batches", "resolve", uid, "--not-submitted").returncode == 0
    assert bought(cli, vendor, "openai").returncode == 0


def test_a_batch_that_does_not_move_for_a_day_and_a_quarter_is_told(
    cli: Cli, vendor: BatchVendor
) -> None:
    vendor.control(run_s=3600)
    done = bought(cli, vendor, "openai", "--detach")
    assert "batches cancel" not in done.stdout + done.stderr
    aged(cli, 31 * 3600)
    done = bought(cli, vendor, "openai", "--detach")
    assert done.returncode == 3
    told = " ".join(cli("report", "runs/batch").stdout.split())
    assert "has been at the vendor for over 30 hours" in told


@each_shape
@pytest.mark.parametrize("share", [0.0, 0.5])
def test_what_expired_is_bought_again_and_nothing_else(
    cli: Cli, vendor: BatchVendor, provider: str, share: float
) -> None:
    vendor.control(outcome="expired", share=share)
    assert bought(cli, vendor, provider).returncode == 1  # every batch of that vendor expires
    vendor.control(outcome="completed")
    done = bought(cli, vendor, provider)
    assert done.returncode == 0, done.stdout + done.stderr
    check_as_live(cli, vendor, provider)


@each_shape
def test_rows_of_several_hundred_kilobytes_are_read(
    cli: Cli, vendor: BatchVendor, provider: str
) -> None:
    vendor.control(pad=700_000)  # 25 MB in all, over the limit of a single reply
    done = bought(cli, vendor, provider)
    assert done.returncode == 0, done.stdout + done.stderr
    check_as_live(cli, vendor, provider)


@each_shape
def test_a_header_that_is_a_word_of_the_vendors_leaves_its_words_alone(
    cli: Cli, vendor: BatchVendor, provider: str
) -> None:
    words = {"openai": "completed", "anthropic": "succeeded", "gemini": "SUCCEEDED"}
    stage = ("--header", f"X-Stage={words[provider]}")
    done = bought(cli, vendor, provider, *stage)
    assert done.returncode == 0, done.stdout + done.stderr
    check_as_live(cli, vendor, provider)


@pytest.mark.parametrize("provider", ["openai", "anthropic", "gemini"])
def test_a_batch_in_a_state_that_is_not_known_is_watched_and_not_bought_again(
    cli: Cli, vendor: BatchVendor, provider: str
) -> None:
    vendor.control(run_s=3600, waits="moonlit")
    assert bought(cli, vendor, provider, "--detach").returncode == 3
    time.sleep(0.6)  # longer than a list that shows nothing is doubted
    assert bought(cli, vendor, provider, "--detach").returncode == 3
    assert "moonlit" in cli("batches", "fetch", "--json", **FAST).stdout.lower()
    vendor.control(run_s=0, waits="")
    done = bought(cli, vendor, provider)
    assert done.returncode == 0, done.stdout + done.stderr
    assert vendor.stats["creates"] == 1
    check_paid_once(vendor)


def test_results_that_somebody_deleted_are_fetched_again(cli: Cli, vendor: BatchVendor) -> None:
    vendor.control(run_s=1)
    assert bought(cli, vendor, "openai", "--detach").returncode == 3
    time.sleep(1.2)
    assert cli("batches", "fetch", **FAST).returncode == 0
    (file,) = (path for path in cli.home.rglob("batches/*.jsonl"))
    file.unlink()
    done = bought(cli, vendor, "openai")
    assert done.returncode == 0, done.stdout + done.stderr
    check_paid_once(vendor)


def test_a_row_in_a_state_of_a_newer_rmjudge_is_not_bought_again(
    cli: Cli, vendor: BatchVendor
) -> None:
    vendor.control(run_s=3600)
    assert bought(cli, vendor, "openai", "--detach").returncode == 3
    database = next(cli.home.rglob("cache.db"))
    (chunk,) = read_chunks(database.parent)
    changed = encode_chunk(replace(chunk, state="moonlit"))  # type: ignore[arg-type]
    with closing(sqlite3.connect(database)) as connection, connection:
        connection.execute("UPDATE Cache SET value = ? WHERE key = ?", (changed, chunk.row))
    done = bought(cli, vendor, "openai")
    assert done.returncode == 3
    assert "its state 'moonlit' is none that is known here" in done.stderr
    assert vendor.stats["creates"] == 1
