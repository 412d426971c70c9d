"""torch and transformers, imported when a model is needed and not before."""

from __future__ import annotations

import ctypes
import gc
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from rmjudge.errors import UsageError
from rmjudge.garbage import uncollected

NEEDED: Final = ("torch", "transformers", "safetensors")


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


@contextmanager
def loading() -> Iterator[None]:
    """Load a model, on a thread, while the event loop goes on. torch is imported with it.

    Raises:
        ImportError: torch or transformers is broken.
    """
    with uncollected():
        _load_ahead()
        for library in ("torch", "transformers"):
            import_module(library)
        yield  # which imports more of them
        gc.freeze()  # the collector takes a tenth of a second to look through them


def _load_ahead() -> None:
    """Load torch's shared libraries, as its import would and in its order.

    The import keeps the interpreter's lock for as long as that takes, and hosted calls stand
    still: half a second and more. A call through ctypes lets go of it. Whatever cannot be loaded
    so is left to the import, which then says why.
    """
    spec = find_spec("torch")
    if sys.platform != "linux" or "torch" in sys.modules or spec is None or spec.origin is None:
        return
    dlopen = ctypes.CDLL(None).dlopen
    dlopen.argtypes, dlopen.restype = (ctypes.c_char_p, ctypes.c_int), ctypes.c_void_p
    folder = Path(spec.origin).parent / "lib"
    for name, scope in (("libtorch_global_deps.so", os.RTLD_GLOBAL), ("libtorch.so", 0)):
        dlopen(os.fsencode(folder / name), os.RTLD_LAZY | scope)


@contextmanager
def quiet() -> Iterator[None]:
    """Keep transformers' own warnings and bars off the terminal; what matters is told by us."""
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
