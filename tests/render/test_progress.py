"""What is shown of a run under way: figures, bars, matrices as they fill."""

from __future__ import annotations

import asyncio
import re
from contextlib import suppress
from io import StringIO
from typing import TYPE_CHECKING

import pytest
from rich.console import Console

from rmjudge.cache.keys import call_key
from rmjudge.calls import Call, Failure, Reward, RewardCall, Unscored, Usage
from rmjudge.dataset.tuples import BenchTuple
from rmjudge.errors import Interrupted
from rmjudge.planning.plan import plan_tuple
from rmjudge.render import progress
from rmjudge.render.board import Board, time_left
from rmjudge.render.progress import watcher
from rmjudge.running.pricing import FREE, Price
from rmjudge.running.tuples import TupleJob
from rmjudge.scorer import Flow, PointwiseScorer
from rmjudge.store import key_fields
from rmjudge.vocabulary import DOMAINS, Domain

if TYPE_CHECKING:
    from collections.abc import Sequence


class Length(PointwiseScorer):
    """A reward model of one's own, as a user writes it."""

    name = "length"
    version = "1"

    def reward(self, prompt: str, response: str) -> float:
        return float(len(response))


class Clock:
    """Seconds that pass when they are told to."""

    now = 100.0

    def __call__(self) -> float:
        return self.now


def key_of(call: Call) -> str:
    return call_key(key_fields(call))


def item(number: int, domain: Domain) -> BenchTuple:
    return BenchTuple(
        number, domain, None, f"prompt {number}", ("a", "bb", "ccc"), ("d", "ee", "fff")
    )


def job_of(domains: Sequence[Domain] = ("chat", "math"), name: str = "length") -> TupleJob:
    """One tuple a domain: six calls each."""
    scorer = Length()
    plans = [plan_tuple(item(n, domain), scorer.method) for n, domain in enumerate(domains)]
    job = TupleJob(scorer, plans, key_of)
    scorer.name = name
    job.first_questions()
    return job


def answer(job: TupleJob, count: int) -> None:
    """Let the first open calls be answered."""
    for work in [work for work in job.work.values() if work.answer is None][:count]:
        assert isinstance(work.call, RewardCall)
        job.counts.sent += 1
        job.counts.answered += 1
        job.settle(work, Reward(float(len(work.call.response))))


def drawn(board: Board, width: int = 80, height: int = 24) -> str:
    console = Console(file=StringIO(), width=width, height=height, force_terminal=False)
    console.print(board.renderable())
    assert isinstance(console.file, StringIO)
    return console.file.getvalue()


def test_a_line_says_how_far_each_scorer_is() -> None:
    board = Board([job_of(), job_of(["chat"], "other")])
    assert board.lines() == [
        "length: 0 of 12 calls, 0 cached, 0 in flight",
        "other: 0 of 6 calls, 0 cached, 0 in flight",
    ]


def test_the_rate_and_the_time_left_come_from_what_was_bought() -> None:
    job, clock = job_of(), Clock()
    board = Board([job], clock)
    clock.now += 4
    answer(job, 8)
    assert board.lines() == ["length: 8 of 12 calls, 0 cached, 0 in flight, 2.0/s, 2 s left"]


def test_cached_answers_are_no_speed() -> None:
    job, clock = job_of(), Clock()
    board = Board([job], clock)
    clock.now += 1
    job.counts.from_cache = 6
    assert board.lines() == ["length: 6 of 12 calls, 6 cached, 0 in flight"]


def test_no_time_is_left_when_all_is_done() -> None:
    job, clock = job_of(["chat"]), Clock()
    board = Board([job], clock)
    clock.now += 2
    answer(job, 6)
    assert board.lines() == ["length: 6 of 6 calls, 0 cached, 0 in flight, 3.0/s"]


def test_what_went_wrong_is_counted_only_when_something_did() -> None:
    job, clock = job_of(["chat"]), Clock()
    board = Board([job], clock)
    clock.now += 1
    job.scorer.activity.retried = 3
    first, second, *_ = job.work.values()
    job.fail(second, Failure("http-500", "broken"))
    job.counts.answered += 1
    job.settle(first, Unscored("not-a-number"))
    assert board.lines() == [
        "length: 2 of 6 calls, 0 cached, 0 in flight, 3 retried, 1 failed, 1 unscored, "
        "2.0/s, 2 s left"
    ]


@pytest.mark.parametrize(("price", "shown"), [(Price(2, 8), True), (FREE, False), (None, False)])
def test_the_cost_so_far_is_shown_where_it_is_known(price: Price | None, shown: bool) -> None:
    job = job_of()
    job.price = price
    job.spent.add(Usage(input_tokens=1000, output_tokens=250))
    (line,) = Board([job]).lines()
    assert line.endswith(", $0.0040") is shown
    assert ("$" in line) is shown


def test_a_note_is_shown_until_the_scorer_has_finished() -> None:
    job = job_of(["chat"])
    board = Board([job])
    job.scorer.activity.note = "paused by 429 for 30 s"
    assert "paused by 429 for 30 s" in drawn(board)
    answer(job, 6)
    assert "waiting" not in drawn(board)


def test_answers_that_come_in_batches_tell_no_time_left() -> None:
    clock = Clock()
    job = job_of()
    board = Board([job], clock)
    clock.now += 10
    answer(job, 3)
    assert " left" in board.lines()[0]
    job.scorer.activity.batched = True
    job.scorer.activity.note = "batches 0 of 1 ended"
    (line,) = board.lines()
    assert line.endswith("in flight, batches 0 of 1 ended")


def test_what_waits_for_its_turn_at_an_endpoint_is_not_in_flight() -> None:
    job = job_of()
    job.counts.in_flight = 64
    job.scorer.activity.flow = Flow(ceiling=64)
    assert ", 0 in flight" in Board([job]).lines()[0]
    job.scorer.activity.flow = Flow(ceiling=64, limit=6, in_flight=5)
    assert ", 5 of 6 in flight" in Board([job]).lines()[0]


def test_a_matrix_fills_as_tuples_are_completed() -> None:
    job = job_of()
    board = Board([job])
    answer(job, 5)
    assert "concise" not in drawn(board)
    answer(job, 1)
    shown = drawn(board)
    assert "chat (1)" in shown
    assert "math" not in shown
    rows = {words[0]: words[1:] for line in shown.splitlines() if (words := line.split())}
    assert rows["concise"] == ["0", "0", "0"]  # strict, as the final table has it: ties are none
    assert rows["markdown"] == ["100", "100", "0"]
    assert rows["E/N/H"] == ["100", "0", "0"]


def test_a_cell_that_could_not_be_scored_is_a_dash_and_not_a_zero() -> None:
    job = job_of(["chat"])
    first = next(iter(job.work.values()))
    job.settle(first, Unscored("not-a-number"))
    answer(job, 5)
    rows = [line.split() for line in drawn(Board([job])).splitlines()]
    assert ["concise", "-", "-", "-"] in rows


def test_the_board_of_four_domains_fits_in_80_columns_and_cuts_no_figure() -> None:
    job = job_of(DOMAINS, "openai/" + "a-very-long-name-" * 20)
    answer(job, 23)
    job.scorer.activity.note = "slowed down: " + "words " * 30
    head, *lines = drawn(Board([job])).splitlines()
    assert head.rstrip() == "0 s elapsed"
    assert max(map(len, lines)) <= 80
    assert lines[0].startswith("openai/a-very-long-name-")
    assert lines[0].rstrip().endswith("23/24")
    assert sum(line.count("words") for line in lines) == 30
    assert any("chat (1)" in line and "code (1)" in line for line in lines)


def test_names_and_notes_are_shown_as_text_and_never_obeyed() -> None:
    job = job_of(["chat"], "[/INST]\x1b[31mred\u202e")
    job.scorer.activity.note = "[bold]\x1b]0;title\x07"
    board = Board([job])
    for shown in (drawn(board), "\n".join(board.lines())):
        assert "[/INST]" in shown
        assert "[bold]" in shown
        assert not {"\x1b", "\x07", "\u202e"} & set(shown)


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0.2, "0 s"),
        (42, "42 s"),
        (60, "1 min"),
        (200, "3 min"),
        (3599, "1 h 00 min"),
        (7500, "2 h 05 min"),
    ],
)
def test_durations_are_told_in_two_units_at_most(seconds: float, words: str) -> None:
    assert time_left(seconds) == words


@pytest.mark.parametrize("dumb", [False, True])
async def test_a_pipe_and_a_dumb_terminal_get_a_dated_line_while_a_scorer_works(
    monkeypatch: pytest.MonkeyPatch, dumb: bool
) -> None:
    monkeypatch.setattr(progress, "LINE_S", 0.05)
    monkeypatch.setattr(progress, "FIRST_LINE_S", 0.05)
    done, works, out = job_of(["chat"]), job_of(["chat"], "other"), StringIO()
    answer(done, 6)
    console = Console(
        file=out, width=40, force_terminal=dumb, _environ={"TERM": "dumb"} if dumb else {}
    )
    async with watcher(console)([done, works]):
        await asyncio.sleep(1)
    assert out.getvalue().count("other") > 1
    lines = out.getvalue().splitlines()
    date = r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d"
    assert all(re.match(f"{date} (length|other): \\d of 6 calls, ", line) for line in lines)
    assert sum("length" in line for line in lines) == 1, "what is done was told again"


def test_the_time_a_model_takes_to_load_is_no_part_of_the_rate() -> None:
    job, clock = job_of(), Clock()
    board = Board([job], clock)
    job.scorer.activity.note = "loading the model on cpu"
    clock.now += 600
    board.look()
    job.scorer.activity.note = ""
    clock.now += 4
    answer(job, 8)
    assert board.lines() == ["length: 8 of 12 calls, 0 cached, 0 in flight, 2.0/s, 2 s left"]
    assert drawn(board).startswith("10 min elapsed")


def test_a_scorer_that_is_done_has_one_line_with_its_own_rate() -> None:
    first, second, clock = job_of(["chat"]), job_of(["chat"], "other"), Clock()
    board = Board([first, second], clock)
    answer(second, 1)
    clock.now += 2
    answer(first, 6)
    board.look()
    clock.now += 100
    head, line, *_ = drawn(board).splitlines()
    assert head.rstrip() == "2 min elapsed, 1 of 2 scorers done"
    assert line.rstrip() == "length done, 6 calls, 3.0/s, E/N/H 100 0 0, 2 s"


def test_a_stopped_scorer_is_done_when_nothing_is_under_way() -> None:
    job = job_of(["chat"])
    job.stopped = Interrupted("stop")
    job.counts.in_flight = 1
    assert "in flight" in drawn(Board([job]))
    job.counts.in_flight = 0
    assert "length stopped, 0 calls" in drawn(Board([job]))


@pytest.mark.parametrize("count", [1, 2, 4, 7, 11, 40])
@pytest.mark.parametrize("width", [80, 160])
def test_the_board_has_a_line_for_each_scorer_that_the_terminal_has_room_for(
    count: int, width: int
) -> None:
    jobs = [job_of(DOMAINS, f"openai/judge-{number}") for number in range(count)]
    for job in jobs:
        answer(job, 23)
    shown = drawn(Board(jobs), width)
    assert len(shown.splitlines()) <= 23
    named = sum(f"openai/judge-{number} " in shown for number in range(count))
    assert named == count or f"and {count - named} more" in shown
    assert "\N{HORIZONTAL ELLIPSIS}" not in shown
    assert ("in flight" in shown) is (count <= 11)
    assert ("Easy 100" in shown or "E/N/H" in shown) is (count <= 7)
    bar = next(line for line in shown.splitlines() if "23/24" in line)
    assert len(bar.rstrip()) == width


async def test_a_terminal_gets_frames_and_is_left_clean() -> None:
    out = StringIO()
    console = Console(file=out, width=80, force_terminal=True)
    with suppress(Interrupted):
        async with watcher(console)([job_of()]):
            await asyncio.sleep(0.1)
            raise Interrupted("stop")
    shown = out.getvalue()
    assert "0/12" in shown
    assert shown.rindex("\x1b[?25h") > shown.rindex("\x1b[?25l")


class Gone(StringIO):
    """A terminal that has been closed."""

    def write(self, _text: str) -> int:
        raise OSError(5, "Input/output error")


async def test_a_display_that_breaks_does_not_end_the_run(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(progress, "LINE_S", 0.01)
    monkeypatch.setattr(progress, "FIRST_LINE_S", 0.01)
    done = False
    async with watcher(Console(file=Gone(), width=80))([job_of()]):
        await asyncio.sleep(0.1)
        done = True
    assert done
