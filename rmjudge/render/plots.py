"""Scatter plots as SVG, PNG or PDF files, drawn by matplotlib (the extra `plots`)."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from rmjudge.errors import UsageError
from rmjudge.render.commands.correlate import RELATIVE, task_name
from rmjudge.render.commands.responses import kind_name
from rmjudge.render.verbosity import ACROSS, CHANCE, NO_STYLE, UP, Coordinate, places
from rmjudge.statistics.correlation import Correlation
from rmjudge.statistics.pooling import Pool
from rmjudge.statistics.responses import Responses
from rmjudge.statistics.style import Style
from rmjudge.text import shorten

if TYPE_CHECKING:
    from matplotlib.figure import Figure, FigureBase

SUFFIXES: Final = (".svg", ".png", ".pdf")
NAME_WIDTH: Final = 32
DPI: Final = 150
_ACROSS: Final = 2
_COLOURS: Final = 10
_MARKERS: Final = ("o", "s", "^", "D", "v", "P", "X")
_INSTALL: Final = "plots need matplotlib: pip install 'rmjudge[plots]'"


def check_plot(path: Path) -> None:
    """Find out what would fail before anything is computed.

    Raises:
        UsageError: it is no kind of file that can be drawn, or matplotlib is not installed.
    """
    if path.suffix.lower() not in SUFFIXES:
        raise UsageError(f"{path}: plots are written as {', '.join(SUFFIXES)}; name it so")
    try:
        import matplotlib  # noqa: F401 - only for plots
    except ImportError as error:
        raise UsageError(_INSTALL) from error


def plot_styles(styles: Sequence[Style], responses: Sequence[Responses], path: Path) -> None:
    """Draw the scorers by correctness and verbosity (`render.verbosity`), with 95 % intervals.

    Below, for each of `responses`, a row with a panel a domain and a point a response.

    Raises:
        UsageError: the file cannot be written.
    """
    heights = [5.0, *([3.2] * len(responses))]
    figure = _figure(8.0 if not responses else 11.0, sum(heights))
    top, *rows = figure.subfigures(len(heights), 1, height_ratios=heights, squeeze=False).flat
    _plot_scorers(top, styles)
    for row, one in zip(rows, responses, strict=True):
        _plot_responses(row, one)
    _save(figure, path)


def _plot_scorers(figure: FigureBase, styles: Sequence[Style]) -> None:
    axes = figure.add_subplot()
    looks = _looks([style.name for style in styles])
    for place in places(styles):
        axes.errorbar(
            [place.verbosity.value * 100],
            [place.correctness.value * 100],
            xerr=_bars(place.verbosity),
            yerr=_bars(place.correctness),
            elinewidth=1,
            **looks[place.name],
        )
    axes.axvline(NO_STYLE * 100, color="grey", lw=0.8, ls=":")
    axes.axhline(CHANCE * 100, color="grey", lw=0.8, ls=":")
    axes.set_xlabel(ACROSS)
    axes.set_ylabel(UP)
    axes.margins(0.1)
    _legend(figure, looks)


def _plot_responses(figure: FigureBase, found: Responses) -> None:
    looks = _looks([kind_name(kind) for kind in found.kinds()])
    for look, kind in zip(looks.values(), found.kinds(), strict=True):
        look |= {"marker": _MARKERS[kind.style], "color": "C2" if kind.chosen else "C3"}
    panels = figure.subplots(1, len(found.domains), sharex=True, sharey=True, squeeze=False)
    for axes, domain in zip(panels.flat, found.domains, strict=True):
        kinds = list(found.of(domain).kinds())
        for kind in kinds:
            axes.plot(
                [point.verbosity for point in kind.points],
                [point.correctness for point in kind.points],
                **{**looks[kind_name(kind)], "markersize": 2, "alpha": 0.35},
            )
        for kind in kinds:
            look = {**looks[kind_name(kind)], "markersize": 8, "markeredgecolor": "white"}
            axes.plot([kind.verbosity], [kind.correctness], **look)
        axes.set_title(domain, fontsize=9)
        axes.set_xlabel("verbosity", fontsize=8)
    panels.flat[0].set_ylabel("correctness", fontsize=8)
    title = f"Responses by {shorten(found.name, NAME_WIDTH)}; large: means"
    figure.suptitle(title, fontsize=10, parse_math=False)
    _legend(figure, looks)


def plot_correlations(found: Sequence[Correlation], pooled: Pool | None, path: Path) -> None:
    """Draw the scores of policies against accuracy, a panel a task and one for all together.

    Raises:
        UsageError: the file cannot be written.
    """
    panels = len(found) + (pooled is not None)
    across = max(1, min(_ACROSS, panels))
    down = max(1, -(-panels // across))
    figure = _figure(3.6 * across + 2.2, 3.4 * down)
    looks = _looks([point.scorer for item in found for point in item.points])
    for number, item in enumerate(found, 1):
        axes = figure.add_subplot(down, across, number)
        for point in item.points:
            axes.plot([point.accuracy * 100], [point.score], **looks[point.scorer])
        title = f"{item.domain}: {shorten(task_name(item), NAME_WIDTH)}"
        if item.pearson.value is not None and item.spearman.value is not None:
            title += f"\nr = {item.pearson.value:.2f}, rho = {item.spearman.value:.2f}"
        axes.set_title(title, fontsize=9, parse_math=False)
        axes.set_xlabel(f"{item.difficulty.capitalize()} accuracy, %", fontsize=8)
        axes.set_ylabel("policy's score" + RELATIVE[item.scale], fontsize=8)
        axes.margins(0.1)
    if pooled is not None:
        axes = figure.add_subplot(down, across, panels)
        for one in pooled.points:
            axes.plot([one.accuracy], [one.score], **looks[one.scorer])
        title = f"{' + '.join(pooled.domains)}: all tasks together"
        if pooled.value is not None and pooled.permuted_p is not None:
            title += f"\nr = {pooled.value:.2f}, p (whole models) = {pooled.permuted_p:.3f}"
        axes.set_title(title, fontsize=9, parse_math=False)
        axes.set_xlabel("accuracy, standard deviations", fontsize=8)
        axes.set_ylabel("policy's score / SFT", fontsize=8)
        axes.margins(0.1)
    _legend(figure, looks)
    _save(figure, path)


def _figure(width: float, height: float) -> Figure:
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height), layout="constrained")


def _bars(at: Coordinate) -> list[list[float]]:
    return [[(at.value - at.low) * 100], [(at.high - at.value) * 100]]


def _looks(names: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Give each scorer a colour and, after ten, another shape."""
    return {
        name: {
            "color": f"C{place % _COLOURS}",
            "marker": _MARKERS[place // _COLOURS % len(_MARKERS)],
            "markersize": 6,
            "linestyle": "none",
        }
        for place, name in enumerate(dict.fromkeys(names))
    }


def _legend(figure: FigureBase, looks: Mapping[str, dict[str, Any]]) -> None:
    """Name the scorers beside the plot, where names cannot cover each other."""
    from matplotlib.lines import Line2D

    handles = [Line2D([], [], **look) for look in looks.values()]
    # matplotlib leaves out of a legend what starts with an underscore.
    names = [" " + shorten(name, NAME_WIDTH) for name in looks]
    legend = figure.legend(handles, names, loc="outside right upper", fontsize=8, frameon=False)
    for text in legend.get_texts():
        text.set_parse_math(False)  # a name is no formula


def _save(figure: Figure, path: Path) -> None:
    import matplotlib as mpl

    # Text stays text, and equal plots are equal bytes.
    settings: dict[str, Any] = {"svg.fonttype": "none", "svg.hashsalt": "rmjudge"}
    metadata = {".svg": {"Date": None}, ".pdf": {"CreationDate": None}}.get(path.suffix.lower())
    try:
        with mpl.rc_context(settings), warnings.catch_warnings():
            warnings.filterwarnings("ignore", message="Glyph")  # a name in an unusual script
            figure.savefig(path, dpi=DPI, metadata=metadata)
    except OSError as error:
        raise UsageError(f"{path} cannot be written: {error.strerror}") from error
