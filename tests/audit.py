"""Hold the pinned versions against the known advisories: `make audit`, and leniently `make test`.

Exit code 1 for an advisory that is not named below. Where no advisory service answers, as
behind a package mirror, that is said aloud; with `--strict` it is an error too.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

CONSTRAINTS: Final = Path(__file__).parents[1] / "constraints.txt"
HARMLESS: Final = {
    "CVE-2025-69872": "diskcache unpickles what it finds in its folder, and no release mends it: "
    "rmjudge.cache.database.TextDisk refuses every row but plain text, so nothing is unpickled "
    "(tests/cache/test_answers.py)",
}
"""Advisories that cannot be mended, and why they do not bite here."""
PROBE: Final = "diskcache==5.6.3"
"""A service that knows nothing of this one is none: it has an advisory."""
SERVICES: Final = ("pypi", "osv")


def report(service: str, requirements: Path) -> dict[str, Any] | str:
    """What pip-audit says of pinned requirements, or why it says nothing."""
    words = ["-s", service, "-f", "json", "-r", str(requirements), "--no-deps", "--disable-pip"]
    done = subprocess.run(
        [sys.executable, "-m", "pip_audit", "--progress-spinner=off", "--timeout=10", *words],
        capture_output=True,
        text=True,
        check=False,
    )
    try:
        found: dict[str, Any] = json.loads(done.stdout)
    except ValueError:
        return (done.stderr.strip().splitlines() or ["pip-audit said nothing"])[-1]
    return found


def unaudited(found: dict[str, Any]) -> Iterator[str]:
    """The packages that the service did not look up, and why."""
    for package in found["dependencies"]:
        if "skip_reason" in package:
            yield f"{package['name']}: {package['skip_reason']}"


def advisories(found: dict[str, Any]) -> Iterator[tuple[str, set[str], str]]:
    """(package, every name of the advisory, versions that mend it)."""
    for package in found["dependencies"]:
        for advisory in package.get("vulns", ()):
            names = {advisory["id"], *advisory.get("aliases", ())}
            mended = ", ".join(advisory.get("fix_versions", ())) or "no release"
            yield f"{package['name']} {package['version']}", names, mended


def answering(folder: Path) -> tuple[str, str]:
    """The first service that answers, or "" and what each of them said."""
    probe = folder / "probe.txt"
    probe.write_text(f"{PROBE}\n")
    said: list[str] = []
    for service in SERVICES:
        found = report(service, probe)
        if isinstance(found, dict) and not list(unaudited(found)):
            return service, ""
        why = found if isinstance(found, str) else next(unaudited(found))
        said.append(f"{service}: {why}")
    return "", "; ".join(said)


def judged(found: dict[str, Any]) -> tuple[list[str], int]:
    """The lines to print, and how many advisories are not named as harmless."""
    lines = [f"not audited: {line}" for line in unaudited(found)]
    bad = 0
    for package, names, mended in advisories(found):
        known = names & HARMLESS.keys()
        bad += not known
        why = HARMLESS[known.pop()] if known else f"MENDED IN {mended}: raise constraints.txt"
        lines.append(f"{package}: {', '.join(sorted(names))}: {why}")
    return lines, bad


def main(words: list[str], folder: Path) -> int:
    """Print what there is to say and return the exit code."""
    strict = "--strict" in words
    service, why = answering(folder)
    found = report(service, CONSTRAINTS) if service else why
    if isinstance(found, str):
        print(f"AUDIT SKIPPED: no advisory service answers from here ({found})")
        return int(strict)
    lines, bad = judged(found)
    print(f"audited by {service}: {bad} advisories to act on", *lines, sep="\n  ")
    return int(bad > 0 or (strict and any(unaudited(found))))


if __name__ == "__main__":
    from tempfile import TemporaryDirectory

    with TemporaryDirectory() as name:
        sys.exit(main(sys.argv[1:], Path(name)))
