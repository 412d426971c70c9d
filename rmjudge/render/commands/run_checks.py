"""A run for those who do not watch it: JUnit XML, lines of JSON, Markdown for a CI's page."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from rmjudge.metrics.report import Metrics
from rmjudge.render.commands.report import conclusion_sheet, summary_sheet
from rmjudge.render.rows import summary_rows
from rmjudge.render.sheets import Sheet, sheets_markdown
from rmjudge.runs.checks import Check
from rmjudge.runs.naming import labels
from rmjudge.runs.results import ScorerResult
from rmjudge.text import one_line
from rmjudge.vocabulary import PARTS

if TYPE_CHECKING:
    from rmjudge.calls import Json


def to_junit(
    results: Sequence[ScorerResult], checks: Iterable[Check], *, wall_s: float, started: float
) -> str:
    """Write a suite with a class for each scorer: that it finished, and each check.

    A check that failed is a failure; a scorer that was stopped is an error, and its checks are
    skipped. ASCII. The form is that of Ant's and Jenkins' readers.
    """
    checks = list(checks)
    stopped = {name: result.stopped for name, result in zip(labels(results), results, strict=True)}
    root = Element("testsuites")
    suite = SubElement(root, "testsuite", name="rmjudge")
    counts = {"tests": 0, "failures": 0, "errors": 0, "skipped": 0}
    for name, reason in stopped.items():
        counts["tests"] += 1
        case = SubElement(suite, "testcase", classname=name, name="finished")
        if reason:
            counts["errors"] += 1
            SubElement(case, "error", message=one_line(reason))
    for check in checks:
        counts["tests"] += 1
        case = SubElement(suite, "testcase", classname=check.scorer, name=check.name)
        if stopped.get(check.scorer):
            counts["skipped"] += 1
            SubElement(case, "skipped", message="the scorer was stopped before its end")
        elif not check.passed:
            counts["failures"] += 1
            SubElement(case, "failure", message=check.told)
    for name, count in counts.items():
        suite.set(name, str(count))
    suite.set("time", f"{wall_s:.3f}")
    suite.set("timestamp", _date(started))
    indent(root)
    written: bytes = tostring(root, "us-ascii", xml_declaration=True)
    return written.decode("ascii") + "\n"


def to_lines(
    results: Sequence[ScorerResult],
    *,
    data: str,
    started: float,
    exit_code: int,
    folder: str,
) -> str:
    """Write a line of JSON for each scorer, fractions; ASCII."""
    lines = (
        {
            "started": _date(started),
            "scorer": name,
            "data": data,
            **_figures(result.metrics),
            "cost": result.cost,
            "stopped": None if result.stopped is None else one_line(result.stopped),
            "exit_code": exit_code,
            "folder": folder,
        }
        for name, result in zip(labels(results), results, strict=True)
    )
    return "".join(json.dumps(line, allow_nan=False) + "\n" for line in lines)


def to_step_summary(
    results: Sequence[ScorerResult], checks: Iterable[Check], *, data: str, end: str
) -> str:
    """Write Markdown: the sentence, the accuracies, the checks that failed, and the `end`."""
    failed = [f"{check.scorer}: {check.told}" for check in checks if not check.passed]
    sheets = [conclusion_sheet(results), summary_sheet(summary_rows(results))]
    if failed:
        sheets.append(Sheet("Not as asked", notes=tuple(failed)))
    last = Sheet(f"Data: {data}", notes=(end,))
    return sheets_markdown([sheet for sheet in (*sheets, last) if sheet.header or sheet.notes])


def _figures(metrics: Metrics) -> dict[str, Json]:
    values: dict[str, Json] = {part: getattr(metrics.headline, part) for part in PARTS}
    return {**values, "tuples": metrics.tuples, "unscored_cells": metrics.unscored_cells}


def _date(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
