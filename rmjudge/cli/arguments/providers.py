"""The words of `rmjudge providers`."""

from __future__ import annotations

from typing import Any


def add(commands: Any) -> None:
    """Add the command."""
    providers = commands.add_parser(
        "providers",
        help="what can be asked, with which key; try one out",
        description="List the providers, or make one tiny call to a model.",
        allow_abbrev=False,
    )
    providers.set_defaults(handler=("providers", "providers"))
    providers.add_argument(
        "--check", metavar="MODEL", help="make one tiny call and tell what is wrong if it fails"
    )
    providers.add_argument("--base-url", metavar="URL", help="of the model that is checked")
    providers.add_argument("--format", choices=("table", "markdown"), default="table")
    providers.add_argument("--json", action="store_true", help="one JSON object")
