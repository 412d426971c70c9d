"""`rmjudge data new`: a file with one tuple to copy from."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Final

from rmjudge.errors import UsageError
from rmjudge.text import printable

SUFFIXES: Final = (".json", ".jsonl")
TUPLE: Final = {
    "domain": "finance",
    "prompt": "A bond of 1,000 euros pays 5 % interest a year, which is not reinvested. "
    "How much interest does it pay in two years?",
    "chosen": [
        "100 euros.",
        "The bond pays 5 % of 1,000 euros a year, which is 50 euros. The interest is not "
        "reinvested, so it is the same in both years. In two years the bond pays 100 euros.",
        "**Each year:** 5 % of 1,000 euros = 50 euros\n\n"
        "**Two years:** the interest is not reinvested, so both years pay the same:\n\n"
        "- first year: 50 euros\n- second year: 50 euros\n\n**Answer: 100 euros**",
    ],
    "rejected": [
        "102.50 euros.",
        "The bond pays 5 % of 1,000 euros in the first year, which is 50 euros. In the second "
        "year it pays 5 % of 1,050 euros. In two years the bond pays 102.50 euros.",
        "**First year:** 5 % of 1,000 euros = 50 euros\n\n"
        "**Second year:** the interest is added to the bond:\n\n"
        "- first year: 50 euros\n- second year: 52.50 euros\n\n**Answer: 102.50 euros**",
    ],
}
"""One tuple: the rejected side has one error, and each style says the same as the others."""


def write_template(path: Path) -> None:
    """Write the tuple as a list (`.json`) or as a line (`.jsonl`), never over a file.

    Raises:
        UsageError: the file is there, cannot be written, or has another ending.
    """
    if path.suffix not in SUFFIXES:
        raise UsageError(printable(f"{path}: the file's name must end in .json or .jsonl"))
    text = json.dumps([TUPLE], indent=2) if path.suffix == ".json" else json.dumps(TUPLE)
    try:
        with path.open("x", encoding="ascii", newline="\n") as file:
            file.write(f"{text}\n")
            file.flush()
            os.fsync(file.fileno())
    except FileExistsError:
        raise UsageError(printable(f"{path} is there already; name another file")) from None
    except (OSError, ValueError) as error:  # ValueError: a NUL character in the path
        why = getattr(error, "strerror", None) or str(error)
        raise UsageError(printable(f"{path} cannot be written: {why}")) from error
