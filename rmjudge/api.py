"""The library's front door: `evaluate`, `score`, `load`, `report`, `compare`, `style`."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Collection, Coroutine, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from inspect import Parameter, cleandoc, signature
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, ParamSpec, TypeAlias, TypedDict, TypeVar, Unpack

from rmjudge import findings
from rmjudge.calls import Json
from rmjudge.config import check_option, run_options
from rmjudge.errors import UsageError
from rmjudge.findings import Compared, StyleReports
from rmjudge.metrics.report import Reading
from rmjudge.options import OPTIONS, written
from rmjudge.running.preparation import prepare
from rmjudge.running.scoring import TextScores, Watch, score_texts
from rmjudge.running.signals import draining
from rmjudge.runs.comparable import distinct
from rmjudge.runs.items import part_results, read_items
from rmjudge.runs.stored import read_runs
from rmjudge.scorer import Scorer
from rmjudge.session import Run, Started, execute
from rmjudge.text import did_you_mean
from rmjudge.vocabulary import Domain

if TYPE_CHECKING:
    from httpx import AsyncBaseTransport

P = ParamSpec("P")
R = TypeVar("R")
Models: TypeAlias = str | Scorer | Sequence[str | Scorer]
Sources: TypeAlias = str | Path | Sequence[str | Path]


class Options(TypedDict, total=False):
    """Keyword arguments of `evaluate`; they mean what the options of `rmjudge run` mean.

    `rmjudge.options.run` declares them. This list is for type checkers, and a test holds it equal.
    """

    out: str | Path
    method: str
    order: str
    votes: int
    cells: int
    template: str | Path
    verdict: str
    scale: tuple[float, float]
    inputs: Mapping[str, str]
    early_stop: bool
    seed: int
    benchmark: str
    columns: Mapping[str, str]
    domains: Sequence[Domain]
    limit: int
    base_url: str
    params: Mapping[str, Json]
    concurrency: int
    rpm: float
    tpm: float
    deadline: float
    headers: Mapping[str, str]
    server_args: str
    key_env: Mapping[str, str]
    reward_path: str
    reward_batch: int
    client_cert: str | Path
    client_key: str | Path
    transport: AsyncBaseTransport
    outage: float
    until: str
    until_decided: bool
    max_cost: float
    max_cost_total: float
    max_calls: int
    batch: bool
    detach: bool
    batch_tokens: int
    tier: str
    allow_unscored: str | int
    fail_under: Mapping[str, float]
    junit: str | Path
    append: str | Path
    fallback: str
    offline: bool
    retry_unscored: bool | Sequence[str]
    retry_with: Mapping[str, Any]
    cache_dir: str | Path
    revision: str
    dtype: str
    attention: str
    device: str
    device_map: str
    max_tokens: int
    trust_remote_code: bool
    reward_head: str
    reference: str | Path
    dpo_reduction: str
    engine: str
    allow_unused: str
    template_date: str
    reward_token: str
    prices: Mapping[str, Any]
    progress: bool


def _lists_options(function: Callable[P, R], names: Collection[str] = ()) -> Callable[P, R]:
    """Let `help`, and a notebook's completion, show the options by name, with what they are for."""
    kinds = {
        name: kind for name, kind in Options.__annotations__.items() if not names or name in names
    }
    shown = signature(function)
    own = [one for one in shown.parameters.values() if one.kind is not Parameter.VAR_KEYWORD]
    named = [
        Parameter(name, Parameter.KEYWORD_ONLY, default=None, annotation=kind.__forward_arg__)
        for name, kind in kinds.items()
    ]
    helps = (f"    {name}: {OPTIONS[name].help}" for name in kinds if _help(name))
    function.__signature__ = shown.replace(parameters=[*own, *named])  # type: ignore[attr-defined]
    function.__doc__ = "\n".join((cleandoc(function.__doc__ or ""), "", "Options:", *helps))
    return function


def _help(name: str) -> str:
    return OPTIONS[name].help if name in OPTIONS else ""


@_lists_options
def evaluate(models: Models, data: Sources = "sample", **options: Unpack[Options]) -> Run:
    """Score a data set with one or several models and return the numbers.

    `models` are `PROVIDER/MODEL[@URL]` or scorers of your own; `data` is `sample`, `rm-bench`, or
    paths. `limit` counts tuples a domain, `rpm` and `tpm` requests and tokens a minute, `deadline`
    seconds an attempt. `transport` is an `httpx.AsyncBaseTransport` of your own, such as
    `httpx.MockTransport`, that sends the calls; closing it is left to you. A run that stops on
    `max_cost`, `max_cost_total` or `max_calls` raises `BudgetReached`. Works in plain code and in a
    notebook, where an event loop is already running. Answers are kept in the cache, so that the
    same call again buys nothing; the run's files go to `out` (default `runs/...`). Accuracies are
    fractions, None without data.

    Raises:
        UsageError: an argument is wrong; nothing was called. DataError: so is the data.
        StopRun: the run could not go on. What was answered is kept; calling again resumes.
    """
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        # A script of its own: Ctrl-C drains the run, as it does on the command line.
        return asyncio.run(_evaluate(models, data, options, draining(_to_stderr)))
    return _in_a_thread(aevaluate(models, data, **options))


_OF_TEXTS: Final = frozenset(name for name, option in OPTIONS.items() if not option.tuples)
"""Options that are not about a data set."""


@partial(_lists_options, names=_OF_TEXTS | {"progress"})
def score(
    models: Models, prompt: str, responses: Sequence[str], **options: Unpack[Options]
) -> list[TextScores]:
    """Score responses of your own to one prompt, as `rmjudge score` does.

    Returns one `TextScores` a model, in the order of `models`. With n `responses`, a reward model
    gives n `rewards` (floats, higher is better); a judge gives n `wins` (the mean credit against
    the others, in [0, 1]) and n·(n-1)/2 `comparisons`, each asked in both orders. A figure is None
    where a call brought no score. `options` are those of `evaluate` that are not about a data set.
    Answers are kept in the cache, and those that a run has bought are not bought again. Works in
    plain code and in a notebook.

    Raises:
        UsageError: a model, a text or an option is wrong, a judge has only one response; nothing
            was called.
        StopRun: a model could not go on. What was answered is kept; calling again goes on.
    """
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return asyncio.run(_score(models, prompt, responses, options, draining(_to_stderr)))
    return _in_a_thread(ascore(models, prompt, responses, **options))


@partial(_lists_options, names=_OF_TEXTS | {"progress"})
async def ascore(
    models: Models, prompt: str, responses: Sequence[str], **options: Unpack[Options]
) -> list[TextScores]:
    """Do what `score` does, as a coroutine. Signals are left to whoever runs the loop."""
    return await _score(models, prompt, responses, options, None)


async def _score(
    models: Models,
    prompt: str,
    responses: Sequence[str],
    options: Options,
    started: Started | None,
) -> list[TextScores]:
    given: dict[str, Any] = dict(options)
    watch = _watch(given.pop("progress", False))
    found = await score_texts(
        _scorers(models),
        run_options(_checked(given, "score", _OF_TEXTS)),
        *_texts(prompt, responses),
        watch=watch,
        started=started,
    )
    for item in found:
        if item.stopped is not None:
            raise item.stopped
    return found


def _texts(prompt: object, responses: object) -> tuple[str, list[str]]:
    given = list(responses) if isinstance(responses, Iterable) else [None]
    if isinstance(responses, (str, bytes, Mapping)) or not isinstance(prompt, str):
        given = [None]
    texts = [each for each in given if isinstance(each, str)]
    if len(texts) < len(given):
        raise UsageError("score takes a prompt, a text, and responses, a list of texts")
    return str(prompt), texts


def _watch(progress: object) -> Watch | None:
    if not isinstance(progress, bool):
        raise UsageError(f"progress = {progress!r} is not true or false")
    if not progress:
        return None
    from rmjudge.render.notebook import place_in_notebook
    from rmjudge.render.progress import watcher

    if (replace := place_in_notebook()) is not None:
        return watcher(None, replace=replace)
    from rich.console import Console

    return watcher(Console(stderr=True))


def _to_stderr(line: str) -> None:
    sys.stderr.write(f"{line}\n")


def _in_a_thread(work: Coroutine[Any, Any, R]) -> R:
    with ThreadPoolExecutor(max_workers=1) as pool:
        return pool.submit(asyncio.run, work).result()


@_lists_options
async def aevaluate(models: Models, data: Sources = "sample", **options: Unpack[Options]) -> Run:
    """Do what `evaluate` does, as a coroutine. Signals are left to whoever runs the loop."""
    return await _evaluate(models, data, options, None)


async def _evaluate(
    models: Models, data: Sources, options: Options, started: Started | None
) -> Run:
    given: dict[str, Any] = dict(options)
    watch = _watch(given.pop("progress", False))
    scorers = _scorers(models)
    prepared = prepare(scorers, run_options({"data": _sources(data), **_checked(given)}))
    run = await execute(
        prepared,
        watch=watch,
        started=started,
        resume="call rmjudge.evaluate with the same arguments",
    )
    if run.stopped is not None:
        raise run.stopped
    return run


def _scorers(models: object) -> list[str | Scorer]:
    given = [models] if isinstance(models, (str, Scorer)) else models
    if not isinstance(given, Iterable) or isinstance(given, (bytes, Mapping)):
        raise UsageError(
            f"models = {models!r} is not a PROVIDER/MODEL, a scorer, or a list of these"
        )
    return [written.model(each) if isinstance(each, str) else each for each in given]


def _sources(data: object) -> list[str | Path]:
    given = [data] if isinstance(data, (str, Path)) else data
    if isinstance(given, Iterable) and not isinstance(given, (bytes, Mapping)):
        sources = list(given)
        if all(isinstance(source, (str, Path)) for source in sources):
            return sources
    raise UsageError(f"data = {data!r} is not sample, rm-bench, a path, or a list of these")


def _checked(
    given: Mapping[str, Any],
    function: str = "evaluate",
    known: Collection[str] = Options.__optional_keys__ | {"data"},
) -> dict[str, Any]:
    """Check what the command line and `rmjudge.toml` check as well; None leaves the default."""
    for name, value in given.items():
        if name not in known:
            raise UsageError(
                f"{function} has no option {name!r}; {did_you_mean(name, sorted(known))}"
            )
        if value is not None and (name, value) not in (("domains", ()), ("domains", [])):
            check_option(name, value)
    return {name: value for name, value in given.items() if value is not None}


def load(*folders: str | Path) -> Run:
    """Read finished runs back; several folders become one `Run` with all their scorers.

    A run that is there twice, or a copy of one, counts once.

    Raises:
        UsageError: a folder holds no run.
    """
    if not folders:
        raise TypeError("load takes at least one folder")
    named = _folders(folders)
    of_tuples, of_items = part_results(named)
    runs, _ = distinct(read_runs(of_tuples))
    return Run(
        tuple(run.result for run in runs),
        named[0],
        places=tuple(r.folder for r in runs),
        items=tuple(map(read_items, of_items)),
    )


def report(*runs: Run | str | Path) -> Run:
    """Put runs, or the folders of finished ones, together; shown, it is the table of `report`.

    Raises:
        UsageError: a folder holds no run.
    """
    return load(*_named(runs, "report"))


def compare(
    *runs: Run | str | Path,
    reading: Reading | None = None,
    baselines: bool = False,
    data: Sources = (),
) -> Compared:
    """Compare the scorers of runs, or of their folders, two by two.

    What comes back holds the numbers (`.comparison`); shown, it is what `rmjudge compare` shows.
    `reading` is what a tie is worth: strict or half_credit; `baselines` compares baseline/* too;
    `data` says where the texts are now, if they have moved.

    Raises:
        UsageError: a folder holds no run, there is only one scorer, or their data differ.
    """
    texts = tuple(map(written.source, _sources(data)))
    stored = read_runs(_named(runs, "compare"), data=texts)
    return findings.compare(stored, reading=_reading(reading), baselines=baselines)


def style(
    *runs: Run | str | Path,
    reading: Reading | None = None,
    data: Sources = (),
    attributes: Mapping[str, str] | None = None,
) -> StyleReports:
    """Tell what style is worth to the scorers of runs, or of their folders.

    What comes back holds a report for each scorer and baseline; shown, it is what `rmjudge style`
    shows. It takes the same arguments as `compare`, without `baselines`; and `attributes`, which
    says which of a reward model's attributes are its `correctness` and its `verbosity`.

    Raises:
        UsageError: a folder holds no run, its texts cannot be found, or no run has the attributes.
    """
    texts = tuple(map(written.source, _sources(data)))
    stored = read_runs(_named(runs, "style"), data=texts)
    return findings.style(stored, reading=_reading(reading), attributes=attributes)


def _named(runs: Sequence[Run | str | Path], function: str) -> list[Path]:
    """The folders of runs."""
    if not runs:
        raise TypeError(f"{function} takes at least one run or folder")
    folders: list[Path] = []
    for run in runs:
        folders += (run.places or (run.folder,)) if isinstance(run, Run) else _folders((run,))
    return folders


def _folders(given: Sequence[object]) -> list[Path]:
    for folder in given:
        if not isinstance(folder, (str, Path)) or folder == "":
            raise UsageError(f"{folder!r} is not the folder of a run")
    return [written.path(folder) for folder in given if isinstance(folder, (str, Path))]


def _reading(reading: Reading | None) -> Reading | None:
    if reading not in (None, "strict", "half_credit"):
        raise UsageError(f"reading = {reading!r} is not one of strict, half_credit")
    return reading
