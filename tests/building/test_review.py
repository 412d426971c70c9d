"""`rmjudge review`: here, on a page, and as a file; what people say is kept, counted and told."""

from __future__ import annotations

import json
import math
import re
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from command import Cli

from rmjudge.building.folder import settled
from rmjudge.reviewing.measures import label_noise, reviewers_agreement
from rmjudge.reviewing.tasks import chosen_first, drawn, tasks_for

HOSTILE = "</script><script>alert(1)</script> \x1b[31mred \u202eevil"


def outcome(number: int, state: str) -> dict[str, Any]:
    """A tuple as a build leaves it, its prompt full of what acts on a page or a terminal."""
    true, false = f"Town{number}", f"Else{number}"
    lines = "It is old, and many people come to see it.\n- Its markets are open on every day."
    chosen = [
        f"The capital is {true}.",
        f"Land\nThe capital is {true}.\n{lines.replace('- ', '')}",
        f"# Land\n\n**The capital** is {true}.\n\n- {lines}",
    ]
    item = {
        "id": number,
        "prompt": f"What is it, {number}? {HOSTILE}",
        "chosen": chosen,
        "rejected": [text.replace(true, false) for text in chosen],
        "domain": "chat",
    }
    votes = [{"claims": ["true", "true"], "asserts": ["true"] * 3 + ["false"] * 3}] * 2
    about = {"recipe": "edit", "reference": "A reference.", "claim_true": true, "votes": votes}
    found = {"state": state, "proof": "panel" if state == "kept" else None, "tuple": item}
    if state == "queued":
        found |= {"step": "panel", "reason": "panel-split", "detail": "true 3, false 1"}
    return {**found, "provenance": about}


@pytest.fixture
def cli(tmp_path: Path) -> Cli:
    """A build of twenty kept tuples and three that wait."""
    folder = tmp_path / "mine"
    folder.mkdir()
    made = [outcome(k, "kept" if k < 20 else "queued") for k in range(23)]
    text = "".join(json.dumps(one) + "\n" for one in [{"format": 1}, *made])
    (folder / "outcomes.jsonl").write_text(text)
    return Cli(tmp_path)


def typed(cli: Cli, keys: str, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [cli.command, "review", "mine", *words],
        input=keys,
        text=True,
        capture_output=True,
        cwd=cli.home,
        env=cli.environment(),
        check=False,
    )


def decisions(cli: Cli, name: str) -> list[dict[str, Any]]:
    path = cli.home / "mine" / "decisions" / f"{name}.jsonl"
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def kept(cli: Cli) -> list[int]:
    return [item["id"] for item in cli.json("mine/tuples.json")]


@contextmanager
def page(cli: Cli, *words: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    with cli.start("review", "mine", "--page", *words) as process:
        assert process.stdout is not None
        address = process.stdout.readline().strip()
        try:
            yield process, address
        finally:
            if process.poll() is None:
                process.kill()


def ask(address: str, below: str = "", given: Any = None, **headers: str) -> tuple[int, str]:
    parts = urlsplit(address)
    connection = HTTPConnection("127.0.0.1", parts.port or 0, timeout=60)
    body = None if given is None else json.dumps(given)
    sent = {"Content-Type": "application/json", **headers}
    connection.request("GET" if body is None else "POST", parts.path + below, body, sent)
    answer = connection.getresponse()
    told = answer.read().decode()
    connection.close()
    return answer.status, told


def embedded(text: str) -> list[dict[str, Any]]:
    data = text.split('id="data">')[1].split("</script>", maxsplit=1)[0]
    found: list[dict[str, Any]] = json.loads(data)["tasks"]
    return found


def test_what_waits_comes_first_and_then_a_share_is_shown_blind_in_a_drawn_order() -> None:
    found = settled([outcome(k, "kept" if k < 20 else "queued") for k in range(23)], [])
    tasks = tasks_for(found, "ann", 0.5)
    assert [task.blind for task in tasks[:3]] == [False] * 3
    blind = tasks[3:]
    assert {task.texts for task in blind} == {
        task.texts
        for task in tasks_for(found, "bob", 1.0)
        if task.blind and drawn(task.texts) < 0.5
    }
    assert 0 < len(blind) < 20
    for task in blind:
        sides = [task.item["tuple"]["chosen"], task.item["tuple"]["rejected"]]
        assert list(task.sides) == (sides if chosen_first(task.texts) else sides[::-1])
    assert len(tasks_for(found, "ann", 0.0)) == 3


def test_a_blind_answer_against_the_label_lets_the_tuple_wait_and_is_in_the_report(
    cli: Cli,
) -> None:
    done = typed(cli, "s\ns\ns\n" + "1\n" * 20, "--reviewer", "ann", "--blind", "100%")
    assert done.returncode == 0, done.stderr
    said = decisions(cli, "ann")
    against = [one["id"] for one in said if one["verdict"] == "no"]
    assert len(said) == 20
    assert 0 < len(against) < 20  # the order is drawn, and the first was always named
    assert kept(cli) == [k for k in range(20) if k not in against]
    blind = json.loads(cli("data", "check", "mine", "--json").stdout)["builds"]["mine"]["blind"]
    assert (blind["shown"], blind["against"]) == (20, len(against))
    # Clopper and Pearson: at the upper end so few or fewer are seen with probability 2.5 %.
    high = blind["interval"][1]
    tail = math.fsum(
        math.comb(20, k) * high**k * (1 - high) ** (20 - k) for k in range(len(against) + 1)
    )
    assert tail == pytest.approx(0.025, abs=1e-9)
    assert f"{high * 100:.1f} % of the labels are wrong" in " ".join(done.stdout.split())


def test_two_reviewers_have_the_kappa_that_is_computed_by_hand() -> None:
    items = [outcome(k, "kept") for k in range(10)]
    texts = [task.texts for task in tasks_for(settled(items, []), "x", 1.0)]
    first = ["yes"] * 6 + ["no"] * 4
    second = ["yes"] * 5 + ["no"] * 4 + ["yes"]
    said = [
        {"id": 0, "texts": t, "reviewer": name, "verdict": word}
        for name, words in (("ann", first), ("bob", second))
        for t, word in zip(texts, words, strict=True)
    ]
    ((one, other, cases, agreed, kappa),) = reviewers_agreement(settled(items, said))
    assert (one, other, cases, agreed) == ("ann", "bob", 10, 0.8)
    chance = 0.6 * 0.6 + 0.4 * 0.4
    assert kappa.value == pytest.approx((0.8 - chance) / (1 - chance))


def test_an_answer_that_is_taken_back_does_not_count() -> None:
    items = [outcome(1, "kept")]
    (task,) = tasks_for(settled(items, []), "ann", 1.0)
    wrong = "second" if chosen_first(task.texts) else "first"
    undo = {"id": 1, "texts": task.texts, "reviewer": "ann", "verdict": "undo"}
    said: list[dict[str, Any]] = [dict(task.decision(wrong, "ann")), undo]
    assert label_noise(settled(items, said)) is None
    assert settled(items, said).counts["kept"] == 1
    assert settled(items, said[:1]).counts["queued"] == 1


def test_the_page_is_for_the_one_who_has_the_token_and_keeps_each_answer(cli: Cli) -> None:
    with page(cli, "--reviewer", "ann") as (process, address):
        parts = urlsplit(address)
        assert ask(f"http://127.0.0.1:{parts.port}/")[0] == 403
        assert ask(f"http://127.0.0.1:{parts.port}/guessed/", "take", {"undo": True})[0] == 403
        assert ask(address, Host="evil.example")[0] == 403
        status, text = ask(address)
        assert status == 200
        assert "<script>alert(1)" not in text
        assert "<U+202E>" in json.dumps(embedded(text))
        first = embedded(text)[0]
        given = {"texts": first["texts"], "answer": "yes"}
        assert ask(address, "take", given, **{"Content-Type": "text/plain"})[0] == 403
        assert decisions(cli, "ann") == []
        assert ask(address, "take", given) == (200, "{}")
        assert [one["verdict"] for one in decisions(cli, "ann")] == ["yes"]  # before the end
        assert "no answer here" in ask(address, "take", {**given, "answer": "first"})[1]
        process.kill()
    with page(cli, "--reviewer", "ann") as (process, address):
        assert first["texts"] not in [one["texts"] for one in embedded(ask(address)[1])]
        process.send_signal(signal.SIGINT)
        assert process.wait(60) == 0
    assert 20 in kept(cli)


def test_what_is_blind_does_not_hold_the_label_on_the_page(cli: Cli) -> None:
    assert cli("review", "mine", "--blind", "1", "--export", "q.html").returncode == 0
    for task in embedded((cli.home / "q.html").read_text())[3:]:
        assert task["blind"]
        assert [side["name"] for side in task["sides"]] == ["first", "second"]
        assert task["claims"] == task["votes"] == []
        assert "chosen" not in json.dumps(task)
        assert "rejected" not in json.dumps(task)


def test_hostile_texts_reach_the_terminal_written_out(cli: Cli) -> None:
    done = typed(cli, "q\n")
    assert "\x1b[31m" not in done.stdout
    assert "\u202e" not in done.stdout
    assert "<U+001B>[31mred <U+202E>evil" in done.stdout


def test_a_person_changes_one_side_in_all_three_styles(cli: Cli) -> None:
    done = typed(cli, "e\nr\nElse20\nElsewhere\nq\n", "--reviewer", "ann")
    assert done.returncode == 0, done.stderr
    (item,) = [one for one in cli.json("mine/tuples.json") if one["id"] == 20]
    for chosen, rejected in zip(item["chosen"], item["rejected"], strict=True):
        assert rejected == chosen.replace("Town20", "Elsewhere")
    refused = typed(cli, "e\nr\nnowhere to be found\nx\nq\n", "--reviewer", "ann")
    assert "must be once in the concise" in " ".join(refused.stderr.split())
    assert len(decisions(cli, "ann")) == 1


def answered(cli: Cli, kind: str) -> Any:
    """What another tool makes of the exported file: each open task answered with yes."""
    name = "q.json" if kind == "labelstudio" else "q.jsonl"
    assert cli("review", "mine", "--blind", "0", "--export", name).returncode == 0
    text = (cli.home / name).read_text()
    if kind == "labelstudio":
        result = {"from_name": "answer", "type": "choices", "value": {"choices": ["yes"]}}
        note = {"result": [result], "was_cancelled": False, "completed_by": 7}
        return [{**task, "annotations": [note]} for task in json.loads(text)]
    response = {"answer": [{"value": "yes", "user_id": "u7"}]}
    return [{**json.loads(line), "responses": response} for line in text.splitlines()]


@pytest.mark.parametrize("kind", ["labelstudio", "argilla"])
def test_answers_of_other_tools_are_taken_over_once(cli: Cli, kind: str) -> None:
    (cli.home / "back.json").write_text(json.dumps(answered(cli, kind)))
    done = cli("review", "mine", "--import", "back.json")
    assert done.returncode == 0, done.stderr
    assert "3 decisions taken over" in done.stderr
    assert {20, 21, 22} <= set(kept(cli))
    again = cli("review", "mine", "--import", "back.json")
    assert "0 decisions taken over from back.json; 3 were there already" in again.stderr


def test_bad_answers_are_all_told_and_none_is_taken_over(cli: Cli) -> None:
    good, other, third = answered(cli, "labelstudio")
    typed(cli, "y\nq\n", "--reviewer", "ann")
    before = decisions(cli, "ann")
    other["data"]["texts"] = "0123"
    third["annotations"][0]["result"][0]["value"]["choices"] = ["perhaps"]
    (cli.home / "back.json").write_text(json.dumps([good, good, other, third, {"a": 1}]))
    bad = cli("review", "mine", "--import", "back.json")
    assert bad.returncode == 2
    assert "record 5" in bad.stderr  # what is no answer at all comes first, alone
    (cli.home / "back.json").write_text(json.dumps([good, good, other, third]))
    done = cli("review", "mine", "--import", "back.json")
    assert done.returncode == 2
    for word in ("record 2", "record 3", "record 4", "no tuple of this build", "perhaps"):
        assert word in done.stderr
    assert "Traceback" not in done.stderr
    assert decisions(cli, "ann") == before
    assert len(list((cli.home / "mine" / "decisions").iterdir())) == 1


def test_a_run_is_reported_without_the_tuples_that_people_took_out_since(cli: Cli) -> None:
    assert typed(cli, "q\n").returncode == 0
    assert cli("run", "baseline/length", "--data", "mine", "--out", "o").returncode == 0
    said = typed(cli, "s\ns\ns\n" + "b\n" * 2 + "q\n", "--reviewer", "ann", "--blind", "1")
    assert said.returncode == 0, said.stderr
    assert len(kept(cli)) == 18
    done = cli("report", "o", "--without", "flagged", "--format", "json")
    assert done.returncode == 0, done.stderr
    assert "without flagged" in done.stdout
    assert "2 tuples that are known to be bad are left out" in " ".join(done.stdout.split())


def test_the_page_of_a_run_tells_how_its_data_was_built(cli: Cli) -> None:
    done = typed(cli, "s\ns\ns\n" + "1\n" * 20, "--reviewer", "ann", "--blind", "1")
    assert done.returncode == 0, done.stderr
    assert cli("run", "baseline/length", "--data", "mine", "--out", "o").returncode == 0
    assert cli("report", "o", "--html", "page.html").returncode == 0
    page = (cli.home / "page.html").read_text()
    section = page.split("How mine was built")[-1].split("Leaderboard")[0]
    told = " ".join(re.sub(r"<[^>]*>", " ", section).split())
    counts = cli.json("mine/build.json")["prompts"]
    row = [str(counts[name]) for name in ("offered", "kept", "queued", "rejected", "open")]
    assert f"Without an answer {' '.join(row)} " in told
    assert f"Proofs: panel {counts['kept']}." in told
    bound = " ".join(done.stdout.split()).split("Label-noise bound: ")[1].split(" (")[0]
    assert f"Label-noise bound: {bound}" in told
    assert "Panel agrees: panel 1 and panel 2" in told


def test_a_key_that_is_none_is_told_and_the_panel_is_told_in_words(cli: Cli) -> None:
    done = typed(cli, "x\nq\n", "--reviewer", "ann")
    assert "x is none of the keys" in done.stderr
    assert "kept at once in mine/decisions/ann.jsonl" in done.stderr
    shown = " ".join(done.stdout.split())
    assert "panel 1: which claim is true? the true one, then the true one." in shown
    assert "the chosen the true one, the rejected the false one" in shown
    assert decisions(cli, "ann") == []
