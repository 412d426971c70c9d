"""The audit of pinned versions: what to act on, what is harmless, a service that is not there."""

from __future__ import annotations

import runpy
from pathlib import Path
from types import SimpleNamespace
from typing import Any

audit: Any = SimpleNamespace(**runpy.run_path(str(Path(__file__).with_name("audit.py"))))

MENDED = {"id": "PYSEC-1", "aliases": ["CVE-1"], "fix_versions": ["2.0"]}
PICKLES = {"id": "GHSA-x", "aliases": ["CVE-2025-69872"], "fix_versions": []}


def found(*packages: dict[str, Any]) -> dict[str, Any]:
    return {"dependencies": list(packages), "fixes": []}


def test_an_advisory_is_told_with_the_version_that_mends_it() -> None:
    lines, bad = audit.judged(found({"name": "a", "version": "1.0", "vulns": [MENDED]}))

    assert lines == ["a 1.0: CVE-1, PYSEC-1: MENDED IN 2.0: raise constraints.txt"]
    assert bad == 1


def test_a_harmless_advisory_is_told_with_its_reason_by_any_of_its_names() -> None:
    (line,), bad = audit.judged(found({"name": "d", "version": "5.6.3", "vulns": [PICKLES]}))

    assert "TextDisk refuses every row but plain text" in line
    assert bad == 0


def test_a_package_that_was_not_looked_up_is_not_taken_for_sound() -> None:
    report = found({"name": "a", "skip_reason": "not found on PyPI"})

    assert list(audit.unaudited(report)) == ["a: not found on PyPI"]
    assert audit.judged(report) == (["not audited: a: not found on PyPI"], 0)


def test_every_harmless_advisory_concerns_a_package_that_is_pinned() -> None:
    pins = audit.CONSTRAINTS.read_text()

    assert audit.PROBE in pins
    assert set(audit.HARMLESS) == {"CVE-2025-69872"}
