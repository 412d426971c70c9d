"""The page as one ASCII text that no network, plug-in or other script can reach into."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from string import ascii_uppercase
from typing import Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from rmjudge.render import verbosity
from rmjudge.render.page import charts, embedding, tables
from rmjudge.render.page.making import making_of
from rmjudge.render.page.responses import responses_chart
from rmjudge.render.page.scatter import Scatter, scatter_charts
from rmjudge.render.page.tables import Section
from rmjudge.runs.conclusions import conclusion_lines
from rmjudge.runs.views import View
from rmjudge.statistics.responses import Responses
from rmjudge.text import one_line
from rmjudge.version import __version__
from rmjudge.vocabulary import STYLES, in_order

FOLDER: Final = Path(__file__).parent
SCRIPTS: Final = ("browser.js", "diff.js", "tuple.js")
RELOADING: Final = "reload.js"


@dataclass(frozen=True, slots=True)
class Live:
    """What a page that is served begins with: which state it shows, and who is still at work.

    `state` is a plain word, another one for other results; `running` has a line for each scorer.
    The script asks for both at `state`, below the page's address. `so_far` is what is known of
    runs that go on.
    """

    state: str
    running: tuple[str, ...] = ()
    so_far: tuple[tables.ScorerSoFar, ...] = ()


def to_html(
    view: View,
    sections: Sequence[Section] = (),
    scatters: Sequence[Scatter] = (),
    responses: Sequence[Responses] = (),
    live: Live | None = None,
) -> str:
    """Write the page: ASCII, the same for the same runs, texts and replies.

    `sections` come after those of the page's own, before the browser of tuples; `scatters` and
    `responses` are drawn among the charts. With `live` the page is served, and looks for news.
    """
    names = [scorer.name for scorer in view.scorers]
    style = f"{asset('page.css')}\n{tables.heat_rules()}\n"
    scripts = SCRIPTS if live is None else (*SCRIPTS, RELOADING)
    script = '"use strict";\n' + "".join(map(asset, scripts))
    found = {
        "live": live,
        "policy": policy(script, style, asks=live is not None),
        "style": style,
        "script": script,
        "version": __version__,
        "view": view,
        "counts": _counts(view),
        "conclusions": conclusion_lines(view.results),
        "notices": [*view.notes, *_stopped(view)],
        "summary": tables.summary(view),
        "judges": tables.judges(view),
        "activity": tables.activity(view),
        "bills": tables.bills(view),
        "heat_maps": tables.heat_maps(view),
        "position_maps": tables.position_maps(view),
        "difficulty_chart": charts.difficulty_chart(view),
        "length_chart": charts.length_chart(view),
        "scatter_charts": scatter_charts(scatters, names),
        "responses_charts": list(map(responses_chart, responses)),
        "across": verbosity.ACROSS,
        "up": verbosity.UP,
        "path": charts.path,
        "makings": [
            (scorer.name, making_of(scorer.record, scorer.result)) for scorer in view.scorers
        ],
        "sections": sections,
        "links": {viewed.name: number for number, viewed in enumerate(view.tuples)},
        "styles": STYLES,
        "signs": list(ascii_uppercase)
        if len(names) <= len(ascii_uppercase)
        else range(1, len(names) + 1),
        "domains": in_order(viewed.domain for viewed in view.tuples),
        "index": embedding.inert(embedding.index_of(view)),
        "texts": embedding.packed(embedding.texts_of(view)) if _has_texts(view) else "",
        "words": list(map(embedding.packed, embedding.words_of(view))) if _has_words(view) else [],
        "chunk": embedding.CHUNK,
    }
    return rendered("page.html", found)


def tables_page(title: str, found: Sequence[tables.Table], live: Live | None = None) -> str:
    """Write a page of tables alone: ASCII, without a script but that which looks for news."""
    style = f"{asset('page.css')}\n{tables.heat_rules()}\n"
    script = "" if live is None else f'"use strict";\n{asset(RELOADING)}'
    return rendered(
        "tables.html",
        {
            "live": live,
            "styles": STYLES,
            "script": script,
            "policy": policy(script, style, asks=live is not None),
            "style": style,
            "title": title,
            "version": __version__,
            "tables": found,
        },
    )


def rendered(template: str, found: Mapping[str, object]) -> str:
    """Fill one of this folder's templates; everything is escaped, and the page is ASCII."""
    environment = Environment(
        loader=FileSystemLoader(FOLDER),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["breakable"] = _breakable
    page = environment.get_template(template).render(found)
    return page.lstrip().encode("ascii", "xmlcharrefreplace").decode("ascii")


def _breakable(name: str) -> list[str]:
    """Cut a name where it may break: behind a slash or a hyphen, rather than inside a word."""
    return re.split(r"(?<=[/-])(?=.)", name)


def asset(name: str) -> str:
    """A style or a script of this folder."""
    return (FOLDER / name).read_text("ascii")


def policy(script: str, style: str, *, asks: bool = False) -> str:
    """Nothing is loaded, and no script or style but these two can take effect.

    A page that `asks` may talk to its own server.
    """
    return "; ".join(
        (
            "default-src 'none'",
            *(("connect-src 'self'",) if asks else ()),
            f"script-src '{_fingerprint(script)}'",
            f"style-src '{_fingerprint(style)}'",
            "img-src data:",  # the empty icon, which keeps a browser from asking for one
            "base-uri 'none'",
            "form-action 'none'",
            "require-trusted-types-for 'script'",
            "trusted-types 'none'",
        )
    )


def _fingerprint(text: str) -> str:
    digest = hashlib.sha256(text.encode("ascii")).digest()
    return f"sha256-{base64.b64encode(digest).decode('ascii')}"


def _stopped(view: View) -> Iterator[str]:
    for scorer in view.scorers:
        if scorer.result.stopped:
            yield (
                f"{scorer.name}: stopped before its end, {one_line(scorer.result.stopped)}; the "
                "command that goes on with it is below, under its calls"
            )


def _counts(view: View) -> str:
    parts = [
        f"{sum(viewed.domain == domain for viewed in view.tuples):,} {domain}"
        for domain in in_order(viewed.domain for viewed in view.tuples)
    ]
    tuples, scorers = len(view.tuples), len(view.scorers)
    return (
        f"{scorers} scorer{'s' * (scorers != 1)}, {tuples:,} tuple{'s' * (tuples != 1)}: "
        f"{', '.join(parts)}"
    )


def _has_texts(view: View) -> bool:
    return any(viewed.item is not None for viewed in view.tuples)


def _has_words(view: View) -> bool:
    return any(
        outcome is not None and outcome.statements
        for viewed in view.tuples
        for outcome in viewed.outcomes
    )
