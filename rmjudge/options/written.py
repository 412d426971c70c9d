"""What users write in paths: `~` and variables. Expanded here, once, and nowhere else.

A `Path` that a caller in Python gives is never expanded: it names exactly one place. A variable
that is not set stays as it is written, since a folder may have a `$` in its name.
"""

from __future__ import annotations

import os
from argparse import ArgumentTypeError
from pathlib import Path


def expanded(text: str) -> str:
    """Expand a leading `~` or `~user`, `$NAME` and `${NAME}` in what the user wrote.

    Their values are taken as they are: a home folder or a value with a `$` in it stays whole.
    """
    if not text.startswith("~"):
        return os.path.expandvars(text)
    home, slash, rest = text.partition("/")
    return os.path.expanduser(home) + slash + os.path.expandvars(rest)  # noqa: PTH111 - only the head


def path(text: str | os.PathLike[str]) -> Path:
    """A path of the command line, a file or Python.

    Raises:
        ArgumentTypeError: it is empty, which would mean the working directory.
    """
    if text == "":
        raise ArgumentTypeError("an empty path; name a file or a folder")
    return Path(expanded(text) if isinstance(text, str) else text)


def source(given: str | os.PathLike[str]) -> str:
    """A source of data; a `Path` stays a path even where it is called like a source of ours."""
    return expanded(given) if isinstance(given, str) else str(Path(given).absolute())


def model(name: str) -> str:
    """A model's name, in which a local model's folder is a path (`hf/~/models/rm`)."""
    from rmjudge.providers.spec import LOCAL

    provider, slash, folder = name.partition("/")
    local = provider.rpartition("=")[2] in LOCAL  # behind a name of the user's own
    return f"{provider}{slash}{expanded(folder)}" if local else name


def place(given: str | os.PathLike[str]) -> str:
    """A model of the hub, or a folder."""
    return expanded(given) if isinstance(given, str) else os.fspath(given)


# argparse names the type in its messages: "invalid path value: 'x'".
path.__name__ = "path"
