"""A benchmark's published files: downloaded once, verified by their git blob ids, kept."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from rmjudge.benchmarks.descriptors import Descriptor
from rmjudge.dataset.download import WebFile, kept
from rmjudge.errors import UsageError


def fetch(descriptor: Descriptor, *, notice: Callable[[str], None] | None = None) -> list[Path]:
    """The verified files of a benchmark, after downloading them if need be.

    The environment variable `RMJUDGE_NAME_URL`, as in `RMJUDGE_JUDGEBENCH_URL`, names another
    folder on the web to download from.

    Raises:
        UsageError: none is published where it could be downloaded, or one cannot be had.
    """
    name, source = descriptor.name, descriptor.source or "its authors"
    if not descriptor.downloads:
        raise UsageError(f"{name} has no file to download; get it from {source}, and --data PATH")
    variable = f"RMJUDGE_{name.upper().replace('-', '_')}_URL"
    return [
        kept(
            WebFile(
                name=name,
                title=f"{descriptor.title} (once)",
                file=one.file,
                url=one.url,
                variable=variable,
                blob_id=one.blob,
                kept_as=f"{name}-{one.blob[:8]}{Path(one.file).suffix}",
                advice=f"get {one.file} from {source} and pass --data PATH",
            ),
            notice=notice,
        )
        for one in descriptor.downloads
    ]
