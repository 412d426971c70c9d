"""Prompts offered to `rmjudge build`, the command for them, and the lines of what it writes."""

from __future__ import annotations

import json
from typing import Any

from command import Cli


def offer(cli: Cli, *lines: dict[str, Any]) -> None:
    (cli.home / "prompts.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))


def words(model: str, *more: str, out: str = "mine") -> list[str]:
    """The command with one writer and no panel."""
    return ["build", "prompts.jsonl", "--writer", model, "--out", out, "--quiet", *more]


def lines(cli: Cli, name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (cli.home / name).read_text().splitlines()]
