"""What several commands' arguments share, and the options of a run as arguments."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from rmjudge.errors import UsageError
from rmjudge.options import OPTIONS
from rmjudge.options.declaration import FILES, GROUPS, Option
from rmjudge.options.written import path, source

if TYPE_CHECKING:
    from rmjudge.options import RunOptions

FORMATS: Final = ("table", "json", "csv", "markdown", "latex")
SHEET_FORMATS: Final = ("table", "json", "csv", "markdown")
READINGS: Final = ("strict", "half_credit")


def add_command(commands: Any, name: str, handler: Callable[..., int], **about: Any) -> Any:
    """A command; `handler(arguments, argv)` returns its exit code."""
    parser = commands.add_parser(name, allow_abbrev=False, **about)
    parser.set_defaults(handler=handler)
    return parser


def add_runs(parser: Any, nargs: str = "+", help: str = "what `rmjudge run` wrote") -> None:
    """The folders of finished runs."""
    parser.add_argument("folders", nargs=nargs, type=path, metavar="RUN", help=help)


def add_data(parser: Any, help: str = "where the texts are now, if they have moved") -> None:
    """The sources of the texts."""
    parser.add_argument(
        "--data", action="append", type=source, metavar="SOURCE", help=f"{help}; repeatable"
    )


def add_cache_dir(parser: Any, help: str = "where answers are kept") -> None:
    """The folder of the answers."""
    parser.add_argument("--cache-dir", type=path, metavar="DIR", help=help)


def add_sandbox(parser: Any) -> None:
    """Where code is run."""
    parser.add_argument(
        "--sandbox",
        default="",
        metavar="NAME",
        help="where code is run that nobody has read: wasm (default; Python alone), wasm=FILE, "
        "bwrap, docker[=IMAGE], podman[=IMAGE], command=TEMPLATE with {file}, or none",
    )
    parser.add_argument(
        "--yes-run-untrusted-code",
        action="store_true",
        help="with --sandbox none: code runs as you, on this machine",
    )


def add_json(parser: Any, help: str = "one JSON object on standard output") -> None:
    """Output for programs."""
    parser.add_argument("--json", action="store_true", help=help)


def add_options(parser: Any, *, tuples: bool = True) -> Any:
    """Add every option that has a flag; return the group of files and output.

    Without `tuples` those are left out that only a run over a data set has.
    """
    groups = {title: parser.add_argument_group(title) for title in GROUPS}
    for option in sorted(OPTIONS.values(), key=lambda item: GROUPS.index(item.group)):
        if option.flag and (tuples or not option.tuples):
            add_option(groups[option.group], option)
    return groups[FILES]


def add_models(parser: Any) -> None:
    """The models, by name."""
    parser.add_argument(
        "models",
        nargs="*",
        metavar="MODEL",
        help="[NAME=]PROVIDER/MODEL[@URL]: openai/..., anthropic/... (judges), vllm/... (rewards), "
        "hf/FOLDER (a local model), baseline/length (no model); `rmjudge providers` lists all",
    )


def add_config(parser: Any) -> None:
    """The file of options."""
    parser.add_argument(
        "--config", type=path, metavar="FILE", help="options (default ./rmjudge.toml)"
    )


def models_and_options(
    arguments: argparse.Namespace, *, tuples: bool = True
) -> tuple[list[str], RunOptions]:
    """Lay the command line over the configuration file."""
    from rmjudge.config import laid_over, models_of, read_config, run_options

    values = laid_over(read_config(arguments.config), given_options(arguments))
    named = values.pop("models", [])
    if not tuples:
        values = {
            name: value
            for name, value in values.items()
            if name not in OPTIONS or not OPTIONS[name].tuples
        }
    return models_of(arguments.models or named), run_options(values)


def add_option(parser: Any, option: Option) -> None:
    """Add one option of a run, which has a flag."""
    parser.add_argument(option.flag, dest=option.name, **_about(option))


def given_options(arguments: argparse.Namespace) -> dict[str, Any]:
    """The options of a run that are on the command line."""
    found: dict[str, Any] = {}
    for option in OPTIONS.values():
        value = getattr(arguments, option.name, None)
        if value is not None:
            found[option.name] = dict(value) if option.kind.form == "table" else value
    return found


class _Once(argparse.Action):
    """Stores a value; another one after it is refused."""

    def __call__(self, _parser: Any, namespace: Any, value: Any, flag: str | None = None) -> None:
        before = getattr(namespace, self.dest)
        if before not in (None, value):
            raise UsageError(
                f"{flag} is given as {before} and as {value}; a command takes one: use a command "
                "for each"
            )
        setattr(namespace, self.dest, value)


class _OncePerName(argparse.Action):
    """Collects names and values; another value of a name is refused."""

    def __call__(self, _parser: Any, namespace: Any, value: Any, flag: str | None = None) -> None:
        given = getattr(namespace, self.dest) or []
        name, own = value
        for other in (other for known, other in given if known == name and other != own):
            raise UsageError(f"{flag} says both {name}={other} and {name}={own}; give one of them")
        setattr(namespace, self.dest, [*given, value])


def _about(option: Option) -> dict[str, Any]:
    """What argparse needs to know of an option; None means that it was not given."""
    kind = option.kind
    if kind.form == "switch":  # a flag turns it round: --no-x of an option that is on
        return {"action": "store_const", "const": not option.default, "help": option.help}
    about: dict[str, Any] = {
        "type": kind.word or kind.read,
        "choices": kind.choices or None,
        "metavar": option.metavar,
        "help": option.help,
    }
    if kind.form in ("list", "table"):
        about["action"] = _OncePerName if option.once else "append"
    elif option.once:
        about["action"] = _Once
    if option.bare is not None:
        about |= {"nargs": "?", "const": option.bare}
    return about
