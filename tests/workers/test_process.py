"""A worker process: it answers in time, or is ended, told, and started again."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from rmjudge.workers.process import Worker, WorkerGoneError

MODULE = """
import os, sys, time
from rmjudge.workers.lines import serve

def answer(question):
    if question == "sleep":
        time.sleep(600)
    if question == "chatter":
        sys.stderr.write("x" * 1_000_000)
    if question == "end":
        sys.stderr.write("the engine broke\\n")
        sys.stderr.flush()
        os._exit(3)
    return {"question": question, "process": os.getpid()}

serve(answer)
"""


@pytest.fixture
def worker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Worker]:
    (tmp_path / "answering.py").write_text(MODULE)
    # The worker's Python reads no environment, so its command says where the module is.
    script = f"import sys; sys.path.insert(0, {str(tmp_path)!r}); import answering"
    found = Worker("answering")
    monkeypatch.setattr(found, "_command", (sys.executable, "-c", script))
    yield found
    found.close()


def test_one_process_answers_question_after_question(worker: Worker) -> None:
    first = worker.ask("one", 60)
    second = worker.ask(["zwei", "três"], 60)
    assert (first["question"], second["question"]) == ("one", ["zwei", "três"])
    assert first["process"] == second["process"]


def test_an_answer_that_does_not_come_in_time_is_told_and_the_next_one_comes(
    worker: Worker,
) -> None:
    before = worker.ask("one", 60)["process"]
    with pytest.raises(TimeoutError):
        worker.ask("sleep", 0.2)
    with pytest.raises(ProcessLookupError):
        os.kill(before, 0)
    assert worker.ask("two", 60)["question"] == "two"


def test_a_process_that_ends_is_told_with_its_last_words_and_replaced(worker: Worker) -> None:
    with pytest.raises(WorkerGoneError, match="the engine broke"):
        worker.ask("end", 60)
    assert worker.ask("two", 60)["question"] == "two"


def test_a_process_that_was_killed_between_two_questions_is_told(worker: Worker) -> None:
    killed = worker.ask("one", 60)["process"]
    os.kill(killed, signal.SIGKILL)
    os.waitid(os.P_PID, killed, os.WEXITED | os.WNOWAIT)  # or it would depend on who is quicker
    with pytest.raises(WorkerGoneError):
        worker.ask("two", 60)
    assert worker.ask("three", 60)["question"] == "three"


def test_what_a_process_says_besides_blocks_nothing(worker: Worker) -> None:
    assert worker.ask("chatter", 60)["question"] == "chatter"
    assert worker.ask("one", 60)["question"] == "one"


def test_a_process_whose_asker_was_killed_ends_at_the_deadline(tmp_path: Path) -> None:
    (tmp_path / "answering.py").write_text(MODULE)
    asker = f"""
import sys
from rmjudge.workers.process import Worker
worker = Worker("answering")
script = "import sys; sys.path.insert(0, {str(tmp_path)!r}); import answering"
worker._command = (sys.executable, "-c", script)
print(worker.ask("one", 60)["process"], flush=True)
worker.ask("sleep", 1)
"""
    with subprocess.Popen([sys.executable, "-c", asker], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        number = int(process.stdout.readline())
        time.sleep(0.5)
        process.kill()
    assert wait_until_gone(number)


def wait_until_gone(number: int) -> bool:
    for _ in range(300):
        try:
            os.kill(number, 0)
        except ProcessLookupError:
            return True
        state = Path(f"/proc/{number}/stat")
        if state.exists() and state.read_text().rpartition(")")[2].split()[0] == "Z":
            return True  # ended, and nobody asks how
        time.sleep(0.1)
    return False


def test_a_process_that_does_not_start_is_told() -> None:
    worker = Worker("rmjudge.no_such_module")
    with pytest.raises(WorkerGoneError, match="No module named"):
        worker.start()
