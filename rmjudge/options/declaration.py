"""How an option is declared: its type, check, help and place, beside the field that it is."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final, Literal, TypeAlias

from rmjudge.options.kinds import Kind

Concern: TypeAlias = Literal["run", "hosted", "local", "both"]

WHAT: Final = "what is scored"
HOW: Final = "how judges are asked"
WHERE: Final = "endpoints"
LIMITS: Final = "limits"
LOCAL: Final = "local models (hf/..., dpo/..., hf-judge/...)"
CHECKS: Final = "checks (for CI)"
FILES: Final = "files and output"
GROUPS: Final = (WHAT, HOW, WHERE, LIMITS, LOCAL, CHECKS, FILES)
"""The groups of `rmjudge run --help`, in their order."""


@dataclass(frozen=True, slots=True)
class Option:
    """One option. `name` is its keyword, its key in `rmjudge.toml` and its field.

    `concerns` says what it is about: the run as a whole, hosted models, local models, or both of
    these; all but the run's may be set in [provider.NAME] too. `only` is the one provider that has
    it. `flag` is its word on the command line, None where there is none. `bare` is the value of
    a flag without a word (`--flag` beside `--flag WORD`). `section` is the table of `rmjudge.toml`
    that it stands in. `recorded` tells whether it changes results, so that `run.json` keeps it:
    always, or where it is set. `tuples` are of a run over a data set, not of `rmjudge score`.
    `once` refuses a second, other value on the command line, where most options take the last.
    """

    kind: Kind
    help: str = ""
    group: str = FILES
    metavar: str | None = None
    concerns: Concern = "run"
    only: str | None = None
    flag: str | None = ""
    bare: Any = None
    section: str | None = None
    recorded: Literal["always", "where set"] | None = None
    tuples: bool = False
    once: bool = False
    name: str = ""
    default: Any = None

    @property
    def key(self) -> str:
        """Its key in `rmjudge.toml`."""
        return f"{self.section}.{self.name}" if self.section else self.name


def option(kind: Kind, help: str = "", *, default: Any = None, **about: Any) -> Any:
    """A field that is an option; `about` are the fields of `Option`."""
    if kind.form == "table":
        metadata = {"option": Option(kind, help, default={}, **about)}
        return field(default_factory=dict, metadata=metadata)
    return field(default=default, metadata={"option": Option(kind, help, default=default, **about)})
