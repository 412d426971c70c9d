"""torch and transformers, imported when a model is needed and not before."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from importlib.util import find_spec
from threading import Lock
from typing import Final

from rmjudge.errors import UsageError

NEEDED: Final = ("torch", "transformers", "safetensors")
_IMPORTING: Final = Lock()


def require(name: str) -> None:
    """Check that local models can be run at all. Imports nothing.

    Raises:
        UsageError: the extra `local` is not installed.
    """
    missing = [library for library in NEEDED if not _is_there(library)]
    if missing:
        raise UsageError(
            f"{name} runs here and needs {', '.join(missing)}; install with "
            "pip install 'rmjudge[local]'"
        )


def require_accelerate(name: str) -> None:
    """Check for the library that spreads one model over several devices. Imports nothing.

    Raises:
        UsageError: it is not installed.
    """
    if not _is_there("accelerate"):
        raise UsageError(
            f"{name}: --device-map auto needs accelerate; install with pip install accelerate"
        )


def has_peft() -> bool:
    """Whether adapters can be applied. Imports nothing."""
    return _is_there("peft")


def require_ray() -> None:
    """Check for Ray Data. Imports nothing.

    Raises:
        UsageError: the extra `ray` is not installed.
    """
    missing = [library for library in ("ray", "pyarrow") if not _is_there(library)]
    if missing:
        raise UsageError(
            f"--engine ray needs {', '.join(missing)}; install with pip install 'rmjudge[ray]'"
        )


def _is_there(library: str) -> bool:
    try:
        return find_spec(library) is not None
    except ValueError:  # what `sys.modules` holds has no spec
        return False


def import_needed() -> None:
    """Import them, one thread at a time.

    transformers puts another module into its own place while it is imported: a second thread
    would get the first, which lacks most names.
    """
    with _IMPORTING:
        for library in NEEDED:
            import_module(library)


@contextmanager
def quiet() -> Iterator[None]:
    """Keep transformers' own warnings and bars off the terminal; we say what matters."""
    from transformers.utils import logging

    before, bars = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        logging.set_verbosity(before)
        if bars:
            logging.enable_progress_bar()
