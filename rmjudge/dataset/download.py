"""Published data files: downloaded once, verified, kept in the user's cache folder."""

from __future__ import annotations

import hashlib
import os
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from rmjudge.errors import UsageError
from rmjudge.text import error_line, printable

if TYPE_CHECKING:
    import httpx

FILE: Final = "total_dataset.json"
BASE_URL: Final = (
    "https://raw.githubusercontent.com/THU-KEG/RM-Bench/"
    "73c52d7b27b361621361ec959ac6c0eb9bb7a689/data"
)
BLOB_ID: Final = "75d9c1eab827fa32bfb684fc6554f96dee69f66a"
URL_VARIABLE: Final = "RMJUDGE_RM_BENCH_URL"
MAX_BYTES: Final = 64 * 2**20
DEADLINE_S: Final = 600.0
"""Seconds for the whole download; httpx itself only limits the wait for each piece."""

_TIMEOUT_S: Final = 30.0
_CHUNK: Final = 2**20
_ADVICE: Final = f"get {FILE} from https://github.com/THU-KEG/RM-Bench and pass --data PATH"


@dataclass(frozen=True, slots=True)
class WebFile:
    """A published file: what messages call its set, where it is, what its content is.

    `url` is the folder on the web, `variable` names the environment variable with another one, such
    as a mirror. `blob_id` is the git blob id that the content must have; `kept_as` its name here.
    """

    name: str
    title: str
    file: str
    url: str
    variable: str
    blob_id: str
    kept_as: str
    advice: str


def rm_bench(
    cache_dir: Path | None = None,
    notice: Callable[[str], None] | None = None,
    *,
    blob_id: str = BLOB_ID,
) -> Path:
    """Give the path of the verified benchmark, after downloading it if need be.

    A kept file is verified each time. One that is no longer what it should be is renamed,
    never deleted, and downloaded again. The environment variable `RMJUDGE_RM_BENCH_URL`
    names another folder on the web to download `total_dataset.json` from, such as a mirror;
    what comes from there is verified all the same.

    Args:
        cache_dir: the folder to keep the file in; the user's cache folder if None.
        notice: called with a line for a download and for a file set aside.
        blob_id: the git blob id that the content must have.

    Raises:
        UsageError: the file cannot be had or kept, or is not the published one.
    """
    file = WebFile(
        name="rm-bench",
        title="RM-Bench (about 11 MB, once)",
        file=FILE,
        url=BASE_URL,
        variable=URL_VARIABLE,
        blob_id=blob_id,
        kept_as=f"rm-bench-{blob_id[:8]}.json",
        advice=_ADVICE,
    )
    return kept(file, cache_dir, notice)


def kept(
    file: WebFile,
    cache_dir: Path | None = None,
    notice: Callable[[str], None] | None = None,
) -> Path:
    """Give the path of a verified file, after downloading it if need be, as `rm_bench` does.

    Raises:
        UsageError: the file cannot be had or kept, or is not the published one.
    """
    tell = notice or (lambda _line: None)
    try:
        folder = _default_folder() if cache_dir is None else cache_dir
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / file.kept_as
        if path.exists():
            if _verifies(path, file.blob_id):
                return path
            aside = _set_aside(path)
            tell(printable(f"{path} is damaged; renamed to {aside.name} and downloaded again"))
        _download(path, file, tell)
    except (OSError, ValueError) as error:  # ValueError: a NUL character in the path
        message = f"{file.name} cannot be kept in {cache_dir or 'the cache folder'}"
        raise UsageError(printable(f"{message} ({error_line(error)}); {file.advice}")) from error
    return path


def git_blob_id(path: Path) -> str:
    r"""Compute the id git gives to a file's content: the SHA-1 of `blob SIZE\0` and the bytes."""
    # SHA-1 is git's choice. Here it tells a damaged or different file, not an attacker's.
    with path.open("rb") as stream:
        sha = hashlib.sha1(b"blob %d\0" % os.fstat(stream.fileno()).st_size, usedforsecurity=False)
        while chunk := stream.read(_CHUNK):
            sha.update(chunk)
    return sha.hexdigest()


def _default_folder() -> Path:
    import platformdirs

    return Path(platformdirs.user_cache_dir("rmjudge", appauthor=False)) / "data"


def _verifies(path: Path, blob_id: str) -> bool:
    return path.is_file() and path.stat().st_size <= MAX_BYTES and git_blob_id(path) == blob_id


def _set_aside(path: Path) -> Path:
    number = 1
    while (aside := path.with_name(f"{path.name}.damaged-{number}")).exists():
        number += 1
    return path.rename(aside)


def _download(path: Path, file: WebFile, tell: Callable[[str], None]) -> None:
    """Write the file beside its place, verify it there, and only then move it in."""
    url = f"{(os.environ.get(file.variable) or file.url).rstrip('/')}/{file.file}"
    tell(printable(f"downloading {file.title} to {path}"))
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-", suffix=".part")
    part = Path(name)
    try:
        with os.fdopen(handle, "wb") as out:
            _fetch(url, out.write, file)
            out.flush()
            os.fsync(out.fileno())
        found = git_blob_id(part)
        if found != file.blob_id:
            what = f"what was downloaded is not the published file (git blob {found[:12]})"
            raise UsageError(f"{file.name}: {what}; {file.advice}")
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def _fetch(url: str, write: Callable[[bytes], object], file: WebFile) -> None:
    """Send the body of `url` to `write`, piece by piece.

    Raises:
        UsageError: it cannot be had whole, quickly enough and within the size cap.
    """
    import httpx

    try:
        # Asked for unpacked and taken as it comes: a compressed bomb stays small.
        with httpx.stream(
            "GET",
            url,
            headers={"accept-encoding": "identity"},
            timeout=_TIMEOUT_S,
            follow_redirects=False,
        ) as response:
            _copy(response, write, file)
    except (httpx.HTTPError, httpx.InvalidURL, OSError, ValueError, ImportError) as error:
        # The last three: a full disk, and proxies and certificates that the environment names.
        raise _failure(error_line(error), file) from error


def _copy(response: httpx.Response, write: Callable[[bytes], object], file: WebFile) -> None:
    if response.status_code != 200:
        raise _failure(f"the server answered {response.status_code}", file)
    end = time.monotonic() + DEADLINE_S
    size = 0
    for chunk in response.iter_raw():
        size += len(chunk)
        if size > MAX_BYTES:
            raise _failure(f"the server sent more than {MAX_BYTES:,} bytes", file)
        if time.monotonic() > end:
            raise _failure(f"it took longer than {DEADLINE_S:.0f} seconds", file)
        write(chunk)


def _failure(why: str, file: WebFile) -> UsageError:
    return UsageError(f"{file.name} could not be downloaded ({why}); {file.advice}")
