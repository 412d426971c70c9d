"""What vendors' batches do wrong, in three shapes: nothing is lost, nothing bought twice."""

from __future__ import annotations

from subprocess import CompletedProcess

import pytest
from batch_vendor import FAST, BatchVendor, each_shape
from command import Cli


def bought(cli: Cli, vendor: BatchVendor, provider: str, *more: object) -> CompletedProcess[str]:
    words = ("run", vendor.model(provider), "--limit", "1", "--quiet", "--out", "runs/batch")
    return cli(*words, "--batch", *more, **FAST)


def check_as_live(cli: Cli, vendor: BatchVendor, provider: str) -> None:
    """Each call was paid for once, the vendor has nothing left, and the files are a live run's."""
    stats = vendor.stats
    assert max(stats["paid"].values()) == 1
    assert len(stats["paid"]) + stats["live"] == 36
    assert stats["files"] == []
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
def test_a_full_queue_makes_smaller_batches(cli: Cli, vendor: BatchVendor, provider: str) -> None:
    vendor.control(create=["queue"])
    done = bought(cli, vendor, provider)
    assert done.returncode == 0, done.stdout + done.stderr
    assert len(vendor.stats["sizes"]) > 1
    check_as_live(cli, vendor, provider)


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
