"""Batches against a vendor that fails: every call is paid for once, and answers are live ones."""

from __future__ import annotations

import json
import re
from subprocess import CompletedProcess

import pytest
from batch_vendor import FAST, BatchVendor, each_shape
from command import Cli
from served import StubServer

DIALECTS = ("openai", "anthropic", "gemini", "openai-responses")


def bought(
    cli: Cli, vendor: BatchVendor, *more: object, provider: str = "openai"
) -> CompletedProcess[str]:
    words = ("run", vendor.model(provider), "--limit", "2", "--quiet", "--out", "runs/batch")
    return cli(*words, "--batch", *more, **FAST)


def live(cli: Cli, vendor: BatchVendor, provider: str = "openai") -> dict[str, bytes]:
    """The files of a live run, with answers of its own."""
    words = ("run", vendor.model(provider), "--limit", "2", "--quiet", "--out", "runs/live")
    done = cli(*words, "--cache-dir", "other")
    assert done.returncode == 0, done.stdout + done.stderr
    return cli.results("runs/live")


def check_paid_once(vendor: BatchVendor, calls: int) -> None:
    stats = vendor.stats
    assert max(stats["paid"].values()) == 1
    assert len(stats["paid"]) + stats["live"] == calls


@pytest.mark.parametrize("provider", DIALECTS)
def test_a_batch_brings_what_a_live_run_brings(
    cli: Cli, vendor: BatchVendor, provider: str
) -> None:
    done = bought(cli, vendor, provider=provider)
    assert done.returncode == 0, done.stdout + done.stderr
    check_paid_once(vendor, 72)
    assert vendor.stats["live"] == 1  # bought first, to see that it works
    assert vendor.stats["files"] == []
    assert cli.results("runs/batch") == live(cli, vendor, provider)


def test_a_run_without_batches_finds_what_a_batch_brought(cli: Cli, vendor: BatchVendor) -> None:
    assert bought(cli, vendor).returncode == 0
    before = vendor.stats["live"]
    done = cli("run", vendor.model(), "--limit", "2", "--quiet")
    assert done.returncode == 0, done.stdout + done.stderr
    assert vendor.stats["live"] == before


def test_a_batch_costs_what_the_user_says_that_it_does(cli: Cli, vendor: BatchVendor) -> None:
    price = "input = 1000.0\noutput = 3000.0\nbatch = 0.25"
    (cli.home / "rmjudge.toml").write_text(f'[prices."openai/judge"]\n{price}\n')
    assert bought(cli, vendor).returncode == 0
    read, written = vendor.stats["tokens"]
    live_read, live_written = vendor.stats["live_tokens"]
    # Half of what is read comes from the vendor's prompt cache, at no other price here.
    bill = 0.25 * (read * 1000 + written * 3000) + live_read * 1000 + live_written * 3000
    (told,) = [json.loads(cli("cache", "info", "--json").stdout)["scorers"]]
    assert told[0]["cost"]["usd"] == pytest.approx(bill / 1e6)
    assert cli.json("runs/batch/run.json")["cost"]["usd"] == pytest.approx(bill / 1e6)


def test_replies_that_are_json_in_a_text_are_read(cli: Cli, vendor: BatchVendor) -> None:
    vendor.control(rows=["as text"])
    done = bought(cli, vendor)
    assert done.returncode == 0, done.stdout + done.stderr
    check_paid_once(vendor, 72)
    assert cli.results("runs/batch") == live(cli, vendor)


@each_shape
@pytest.mark.parametrize("rows", ["status0", "5xx"])
def test_a_row_without_an_answer_is_handed_over_again(
    cli: Cli, vendor: BatchVendor, rows: str, provider: str
) -> None:
    vendor.control(rows=[rows])
    done = bought(cli, vendor, provider=provider)
    assert done.returncode == 0, done.stdout + done.stderr
    check_paid_once(vendor, 72)
    assert vendor.stats["sizes"][1] == 1


def test_a_missing_row_is_told_and_bought_again(cli: Cli, vendor: BatchVendor) -> None:
    vendor.control(rows=["missing"])
    done = bought(cli, vendor)
    assert done.returncode == 0, done.stdout + done.stderr
    assert sorted(vendor.stats["paid"].values())[-2:] == [1, 2]
    assert "1 calls have no row in its results" in cli("report", "runs/batch").stdout
    assert cli.json("runs/batch/run.json")["calls"]["maybe_billed"] == 1


def test_a_refused_row_is_one_failed_call(cli: Cli, vendor: BatchVendor) -> None:
    vendor.control(rows=["refused"])
    done = bought(cli, vendor)
    assert done.returncode == 1, done.stderr
    assert cli.json("runs/batch/run.json")["calls"]["failed"] == 1


@each_shape
@pytest.mark.parametrize("fault", ["lost", "500"])
def test_a_create_whose_reply_is_lost_is_found_and_not_sent_again(
    cli: Cli, vendor: BatchVendor, fault: str, provider: str
) -> None:
    vendor.control(create=[fault], lag=2)
    done = bought(cli, vendor, provider=provider)
    assert done.returncode == 0, done.stdout + done.stderr
    assert vendor.stats["creates"] == 1
    check_paid_once(vendor, 72)


def test_a_create_that_was_not_heard_is_made_anew_once_its_file_is_gone(
    cli: Cli, vendor: BatchVendor
) -> None:
    vendor.control(create=["reset"])
    done = bought(cli, vendor)
    assert done.returncode == 0, done.stdout + done.stderr
    check_paid_once(vendor, 72)
    assert cli.json("runs/batch/run.json")["calls"]["maybe_billed"] == 71


def test_where_lists_tell_nothing_the_user_is_asked(cli: Cli, vendor: BatchVendor) -> None:
    vendor.control(create=["reset"])
    done = bought(cli, vendor, provider="anthropic")
    assert done.returncode == 3
    assert "--not-submitted" in done.stderr
    assert vendor.stats["paid"] == {}
    uid = re.search(r"resolve ([0-9a-f]{32})", done.stderr)
    assert uid
    assert bought(cli, vendor, provider="anthropic").returncode == 3  # and asked again
    assert cli("batches", "resolve", uid[1], "--not-submitted").returncode == 0
    assert bought(cli, vendor, provider="anthropic").returncode == 0
    check_paid_once(vendor, 72)


def test_a_batch_that_ends_early_leaves_its_rest_to_the_next(cli: Cli, vendor: BatchVendor) -> None:
    vendor.control(outcome="expired", share=0.5)
    done = bought(cli, vendor)
    assert done.returncode == 1, done.stderr  # every batch of that vendor expires
    check_paid_once(vendor, 1 + len(vendor.stats["paid"]))
    assert len(vendor.stats["sizes"]) == 3
    vendor.control(outcome="completed")
    assert bought(cli, vendor).returncode == 0
    check_paid_once(vendor, 72)


def test_a_refusal_of_the_model_stops_with_the_vendors_words(cli: Cli, vendor: BatchVendor) -> None:
    vendor.control(create=["refused"])
    done = bought(cli, vendor)
    assert done.returncode == 3
    assert "this model cannot be used in batches" in done.stderr
    assert vendor.stats["files"] == []


def test_a_batch_that_fails_as_a_whole_is_told(cli: Cli, vendor: BatchVendor) -> None:
    vendor.control(outcome="failed", errors=[["invalid_json_line", "line 3 is no JSON"]])
    done = bought(cli, vendor)
    assert done.returncode == 3
    assert "line 3 is no JSON" in done.stderr
    assert vendor.stats["paid"] == {}


@pytest.mark.parametrize("fault", ["cut", "404", "503"])
def test_a_download_that_breaks_is_begun_again(cli: Cli, vendor: BatchVendor, fault: str) -> None:
    vendor.control(fetch=[fault], gone=2)
    done = bought(cli, vendor)
    assert done.returncode == 0, done.stdout + done.stderr
    check_paid_once(vendor, 72)
    assert list((cli.home / ".cache" / "rmjudge" / "answers" / "batches").iterdir()) == []


def test_swapped_answers_are_put_aside_and_decided_on(cli: Cli, vendor: BatchVendor) -> None:
    vendor.control(rows=["swapped"])
    done = bought(cli, vendor)
    assert done.returncode == 3
    uid = re.search(r"resolve ([0-9a-f]{32})", done.stderr)
    assert uid
    assert "do not add up" in done.stderr
    vendor.control(rows=[])
    assert bought(cli, vendor).returncode == 3
    assert vendor.stats["creates"] == 1  # nothing is bought again unasked
    assert cli("batches", "resolve", uid[1], "--discard").returncode == 0
    assert bought(cli, vendor).returncode == 0
    assert cli.results("runs/batch") == live(cli, vendor)


def test_detached_runs_hand_over_and_collect(cli: Cli, vendor: BatchVendor) -> None:
    vendor.control(run_s=3600)
    done = bought(cli, vendor, "--detach")
    assert done.returncode == 3, done.stderr
    assert vendor.stats["paid"] == {}
    other = cli("run", vendor.model(), "--limit", "2", "--quiet")
    assert other.returncode == 3
    assert "71 calls are under way in a batch" in other.stderr
    listed = json.loads(cli("batches", "list", "--json").stdout)["batches"]
    assert [(one["state"], one["calls"]) for one in listed] == [("created", 71)]
    vendor.control(run_s=0)
    assert cli("batches", "fetch").returncode == 0
    done = bought(cli, vendor, "--detach")
    assert done.returncode == 0, done.stdout + done.stderr
    check_paid_once(vendor, 72)
    assert cli.json("runs/batch/run.json")["calls"]["sent"] == 0


def test_a_cancelled_batch_keeps_what_was_run(cli: Cli, vendor: BatchVendor) -> None:
    vendor.control(run_s=3600, share=0.5)
    assert bought(cli, vendor, "--detach").returncode == 3
    (uid,) = (one["uid"] for one in json.loads(cli("batches", "list", "--json").stdout)["batches"])
    done = cli("batches", "cancel", uid, **FAST)
    assert done.returncode == 0, done.stdout + done.stderr
    vendor.control(run_s=0)
    assert bought(cli, vendor).returncode == 3  # collects, and says what was cancelled
    assert bought(cli, vendor).returncode == 0
    check_paid_once(vendor, 72)


def test_a_ceiling_holds_back_the_worst_case(cli: Cli, vendor: BatchVendor) -> None:
    price = "input = 0.0\noutput = 1000.0\nbatch = 0.5"
    (cli.home / "rmjudge.toml").write_text(f'[prices."openai/judge"]\n{price}\n')
    # A call is at most 4,096 output tokens: $4.10 live, $2.05 in a batch, and $0.009 in the end.
    done = bought(cli, vendor, "--max-cost", "24")
    assert done.returncode == 0, done.stdout + done.stderr
    check_paid_once(vendor, 72)
    assert max(vendor.stats["sizes"]) <= 11


def test_the_flex_tier_costs_what_a_batch_does(cli: Cli, stub_server: type[StubServer]) -> None:
    usage = {"prompt_tokens": 1000, "completion_tokens": 0}
    message = {"role": "assistant", "content": "\\boxed{A>B}"}
    choice = {"message": message, "finish_reason": "stop"}
    served = {"model": "judge", "choices": [choice], "usage": usage}
    (cli.home / "rmjudge.toml").write_text(
        '[prices."openai/judge"]\ninput = 1000.0\noutput = 0.0\nbatch = 0.5\n'
    )
    with stub_server(lambda body: {**served, "service_tier": body["service_tier"]}) as server:
        model = f"openai/judge@{server.url}/v1"
        words = ("run", model, "--limit", "1", "--domain", "chat", "--quiet", "--out", "runs/flex")
        assert cli(*words, "--tier", "flex").returncode == 0
        asked = len(server.asked)
        assert cli.json("runs/flex/run.json")["cost"]["usd"] == pytest.approx(asked * 0.5)
        assert cli(*words).returncode == 0  # the answers serve the plain service too
        assert len(server.asked) == asked
