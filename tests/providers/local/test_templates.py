"""Chat templates that leave texts out, cut them, or write today's date."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from local_models import (
    CHATML,
    Kind,
    answers,
    make,
    values,
    write_data,
)
from reward_heads import refused, rewards

import rmjudge
from rmjudge.errors import UsageError
from rmjudge.judging.methods import METHODS
from rmjudge.providers.local.classifier import Classifier
from rmjudge.providers.local.judge import LocalJudge
from rmjudge.providers.local.settings import LocalSettings

DATED = "{% if strftime_now is defined %}{{ strftime_now('%d %b %Y') }}\n{% endif %}" + CHATML


@pytest.mark.parametrize(
    "source",
    [
        "{% for m in messages if m.role == 'user' %}{{ m.content }}{% endfor %}",
        "{% for m in messages %}{% for part in m.content %}{{ part.text }}{% endfor %}{% endfor %}",
    ],
    ids=["no assistant", "parts"],
)
@pytest.mark.parametrize("given", [False, True])
async def test_a_template_that_drops_a_text_is_refused(
    source: str, given: bool, tmp_path: Path
) -> None:
    folder = make(tmp_path, Kind(template=CHATML if given else source))
    file = tmp_path / "own.j2"
    file.write_text(source)
    assert "leaves out the-" in refused(folder, **({"template": file} if given else {}))


@pytest.mark.parametrize("cut", ["m.content[:200]", "m.content.splitlines()[0]"])
async def test_a_template_that_cuts_texts_is_refused(cut: str, tmp_path: Path) -> None:
    folder = make(tmp_path, Kind(template=CHATML.replace("m.content", cut)))
    with pytest.raises(UsageError, match="leaves out a part of a long text"):
        Classifier(LocalSettings(str(folder)))


def test_a_judge_s_template_that_drops_the_question_is_refused(tmp_path: Path) -> None:
    folder = make(tmp_path, Kind(task="CausalLM", template="hello"))
    with pytest.raises(UsageError, match="leaves out the-prompt"):
        LocalJudge(LocalSettings(str(folder)), METHODS["pairwise"])


@pytest.mark.parametrize("given", [False, True])
async def test_a_date_that_a_template_writes_is_fixed_and_told(given: bool, tmp_path: Path) -> None:
    folder = make(tmp_path / "rm", Kind(template=CHATML if given else DATED))
    (tmp_path / "own.j2").write_text(DATED)
    more: dict[str, Any] = {"template": tmp_path / "own.j2"} if given else {}
    scorer = Classifier(LocalSettings(str(folder), template_date="2024-07-26", **more))
    assert scorer.identity["template_date"] == "2024-07-26"
    assert any("2024-07-26" in line for line in scorer.activity.remarks)
    fixed = make(tmp_path / "fixed", Kind(template="26 Jul 2024\n" + CHATML))
    assert values(await answers(scorer)) == pytest.approx(await rewards(fixed), abs=1e-4)
    assert "is no date" in refused(folder, template_date="yesterday", **more)


def test_the_day_of_the_first_answers_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from datetime import date

    from rmjudge.providers.local import templates

    folder = make(tmp_path / "rm", Kind(template=DATED))
    data = write_data(tmp_path / "data.jsonl")
    name, cache = f"hf/{folder}", tmp_path / "cache"
    days = iter([date(2026, 1, 31), date(2026, 2, 1), date(2026, 2, 1)])
    monkeypatch.setattr(templates, "_today", lambda: next(days))
    first = rmjudge.evaluate(name, data, cache_dir=cache)
    again = rmjudge.evaluate(name, data, cache_dir=cache)
    assert again[name].calls.sent == 0
    assert any("2026-01-31" in note for note in again[name].notes)
    assert again[name].metrics == first[name].metrics
    elsewhere = rmjudge.evaluate(name, data, cache_dir=tmp_path / "other")
    assert any("2026-02-01" in note for note in elsewhere[name].notes)
