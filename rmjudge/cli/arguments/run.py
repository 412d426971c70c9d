"""The words of `rmjudge run`."""

from __future__ import annotations

from typing import Any

from rmjudge.cli.arguments.kinds import count, positive
from rmjudge.providers.local.settings import DTYPES, ENGINES, REDUCTIONS, REWARD_TOKENS
from rmjudge.vocabulary import DOMAINS, JUDGING_METHODS, ORDERS


def add(commands: Any) -> None:
    """Add the command."""
    run = commands.add_parser(
        "run",
        help="score a data set with one or several models",
        description="Score a data set. Answers are kept: the same command again buys nothing, "
        "and an interrupted run goes on where it was.",
        allow_abbrev=False,
    )
    run.set_defaults(handler=("run", "run"))
    run.add_argument(
        "models",
        nargs="*",
        metavar="MODEL",
        help="PROVIDER/MODEL[@URL]: openai/..., anthropic/... (judges), vllm/... (rewards), "
        "hf/FOLDER (a local model), baseline/length (no model); `rmjudge providers` lists all",
    )
    what = run.add_argument_group("what is scored")
    what.add_argument(
        "--data",
        action="append",
        metavar="SOURCE",
        help="sample (default), rm-bench (downloaded once), or files and folders; repeatable",
    )
    what.add_argument(
        "--domain", action="append", choices=DOMAINS, dest="domains", help="only this; repeatable"
    )
    what.add_argument(
        "--limit", type=count, metavar="N", help="only the first N tuples of each domain"
    )
    how = run.add_argument_group("how judges are asked")
    how.add_argument(
        "--method",
        choices=JUDGING_METHODS,
        metavar="METHOD",
        help="pairwise (default): five verdicts; -two-level: A or B; -logprob: P(A) of one token; "
        "pointwise: a rating 1 to 10; -logprob: its expected value",
    )
    how.add_argument(
        "--votes", type=count, metavar="N", help="ask each question N times and average"
    )
    how.add_argument(
        "--template",
        metavar="FILE",
        help="your own question (Jinja: prompt, response_a, response_b or response); or the chat "
        "template (messages) of a local model or of a server that wants rendered text",
    )
    how.add_argument(
        "--order",
        choices=ORDERS,
        help="seeded (default): one order a pair, drawn by hash; both: both orders; adaptive: "
        "both, but the second only where the first gave a verdict",
    )
    how.add_argument("--seed", type=int, metavar="N", help="of the seeded order (default 0)")
    how.add_argument(
        "--param",
        action="append",
        dest="params",
        metavar="NAME=JSON",
        help="set a field of every request body, null removes it; repeatable",
    )
    where = run.add_argument_group("endpoints")
    where.add_argument("--base-url", metavar="URL", help="of the run's one hosted model")
    where.add_argument("--concurrency", type=count, metavar="N", help="calls in flight per model")
    where.add_argument("--rpm", type=positive, metavar="N", help="requests a minute per model")
    where.add_argument("--tpm", type=positive, metavar="N", help="tokens a minute per model")
    where.add_argument(
        "--deadline", type=positive, metavar="S", help="seconds for one attempt (default 600)"
    )
    where.add_argument(
        "--outage",
        type=positive,
        metavar="S",
        help="seconds an endpoint may be unreachable (default 300; 15 at the start)",
    )
    limits = run.add_argument_group("limits")
    limits.add_argument(
        "--max-cost", type=positive, metavar="USD", help="stop before this run spends more"
    )
    limits.add_argument(
        "--max-calls", type=count, metavar="N", help="stop after this many calls to hosted models"
    )
    limits.add_argument(
        "--fallback",
        metavar="MODEL",
        help="scores whole tuples that a hosted model leaves: no key, unreachable, stopped",
    )
    limits.add_argument(
        "--offline", action="store_true", help="ask nothing hosted: kept answers and local models"
    )
    _add_local(run.add_argument_group("local models (hf/..., dpo/..., hf-judge/...)"))
    files = run.add_argument_group("files and output")
    files.add_argument("--out", metavar="DIR", help="results folder (default runs/...)")
    files.add_argument("--cache-dir", metavar="DIR", help="where answers are kept")
    files.add_argument("--config", metavar="FILE", help="options (default ./rmjudge.toml)")
    files.add_argument(
        "--dry-run", action="store_true", help="say what would be called and bought; call nothing"
    )
    files.add_argument("--json", action="store_true", help="one JSON object on standard output")
    files.add_argument("--quiet", action="store_true", help="no progress")


def _add_local(local: Any) -> None:
    local.add_argument(
        "--device",
        metavar="NAME",
        help="auto (default), cpu, mps, cuda (every CUDA device, a replica each) or cuda:N",
    )
    local.add_argument(
        "--device-map",
        choices=("auto",),
        help="auto: spread one replica over all devices (needs accelerate)",
    )
    local.add_argument(
        "--dtype",
        choices=DTYPES,
        metavar="NAME",
        help=f"{', '.join(DTYPES)}; auto: the model's own",
    )
    local.add_argument(
        "--attention",
        metavar="NAME",
        help="an implementation of transformers (eager, sdpa, ...) in place of the packed form",
    )
    local.add_argument(
        "--max-tokens",
        type=count,
        metavar="N",
        help="cut longer texts (default: the model's limit)",
    )
    local.add_argument(
        "--reward-head", metavar="NAME", help="which output is the reward, by name or number"
    )
    local.add_argument(
        "--reference", metavar="MODEL", help="of a dpo/ policy: folder or id of its reference model"
    )
    local.add_argument(
        "--dpo-reduction",
        choices=REDUCTIONS,
        help="without a reference: mean (default) or sum over the response's tokens",
    )
    local.add_argument(
        "--reward-token",
        choices=REWARD_TOKENS,
        help="where the padding token ends a text: last reads it, before-pad the token before; "
        "auto (default): as the model's files say",
    )
    local.add_argument(
        "--template-date",
        metavar="YYYY-MM-DD",
        help="today for chat templates that write the date (default: when the cache began)",
    )
    local.add_argument(
        "--allow-unused",
        metavar="REGEX",
        help="weights of the model's files that may stay unused, by their names",
    )
    local.add_argument(
        "--revision", metavar="NAME", help="branch, tag or commit of a model on the hub"
    )
    local.add_argument(
        "--engine",
        choices=ENGINES,
        help="local (default): on this machine; ray: over a Ray cluster (RAY_ADDRESS), an actor "
        "a GPU",
    )
    local.add_argument(
        "--trust-remote-code",
        action="store_true",
        default=None,
        help="run Python code that the model brings along",
    )
