"""`rmjudge report --html`: one page that holds everything and loads nothing.

::

    document     a view -> the page: template, style and script, closed to the network
    ├── tables       numbers -> the tables and heat maps of the page
    ├── charts       numbers -> coordinates of the charts
    ├── scatter      correctness against verbosity, with names that do not cover each other
    ├── responses    correctness against verbosity, a point a response (the article's figure)
    ├── sections     findings -> tables under headings
    └── embedding    tuples, texts and words -> the page's data

`page.html`, `charts.html`, `page.css` and the scripts are its parts; `reload.js` is only in a page
that `rmjudge view` serves. Every text goes through Jinja's autoescape or the scripts'
`textContent`; the scripts have no other way in.
"""

from __future__ import annotations

from rmjudge.render.page.document import Live, tables_page, to_html
from rmjudge.render.page.scatter import Scatter, scatter_of
from rmjudge.render.page.sections import benchmarks_section, sections_of
from rmjudge.render.page.tables import Section, Table, so_far

__all__ = [
    "Live",
    "Scatter",
    "Section",
    "Table",
    "benchmarks_section",
    "scatter_of",
    "sections_of",
    "so_far",
    "tables_page",
    "to_html",
]
