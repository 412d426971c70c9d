"""Whether words alone tell the sides of what the recipe `edit` makes."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from command import Cli
from scripted_builds import PANEL, ScriptedModels

PROGRAM = Path(__file__).resolve().parents[3] / "shared" / "programs" / "blind_words.py"
STYLES = ("concise", "detailed", "markdown")


def built(cli: Cli, prompts: int, *, favourite: str = "") -> dict[str, Any]:
    """Build, and what `data check` says of the wording."""
    offered = [{"id": k, "prompt": f"What is to be known of Land{k}?"} for k in range(prompts)]
    lines = "".join(json.dumps(line) + "\n" for line in offered)
    (cli.home / "prompts.jsonl").write_text(lines)
    with ScriptedModels(favourite=favourite) as models:
        panel = [word for name in PANEL for word in ("--panel", models.model(name))]
        command = ("build", "prompts.jsonl", "--writer", models.model("writer"), *panel)
        done = cli(*command, "--out", "mine", "--quiet")
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(cli("data", "check", "mine", "--json").stdout)
    return found


def test_words_alone_do_not_tell_the_sides_of_edits(cli: Cli) -> None:
    found = built(cli, 100)
    assert found["tuples"] >= 60
    shares = [found["words"]["chat"][style]["share"] for style in STYLES]
    assert max(shares) <= 0.6
    if not PROGRAM.exists():
        pytest.skip("the independent program lies beside the project only where it is developed")
    command = [sys.executable, str(PROGRAM), str(cli.home / "mine" / "tuples.json")]
    told = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    printed = re.findall(r"^  \w+ +(\d\.\d+)", told, re.MULTILINE)
    assert [float(share) for share in printed] == pytest.approx(shares, abs=0.03)
    assert max(map(float, printed)) <= 0.6


def test_a_writer_that_always_puts_in_the_same_word_is_told(cli: Cli) -> None:
    found = built(cli, 40, favourite="Elsewhere")
    assert found["tuples"] >= 20
    for style in STYLES:
        words = found["words"]["chat"][style]
        assert (words["share"], words["telling"]) == (1.0, True)
