"""What answers cost: in this run and in all, by the vendor's own figure, under both ceilings."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from itertools import count
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from command import Cli
    from served import ModelServer, ServerProcess, StubServer

PRICE = '[prices."openai/judge"]\ninput = 1000.0\noutput = 5000.0\n'
TWO = ("--domain", "chat", "--limit", "2", "--out", "o")  # 18 calls
HOSTS = ("DeepInfra", "Novita")
COST = 0.0021
UPSTREAM = {"upstream_inference_cost": 0.002}


def routed(**usage: Any) -> Callable[[Any], Any]:
    """A judge behind a router: who ran it, and what it cost."""
    numbers = count()

    def reply(_body: Any) -> Any:
        told = {"prompt_tokens": 900, "completion_tokens": 500, **usage}
        return {
            "model": "m",
            "provider": HOSTS[next(numbers) % 2],
            "usage": told,
            "choices": [{"finish_reason": "stop", "message": {"content": "\\boxed{A>B}"}}],
        }

    return reply


def spec(server: StubServer) -> str:
    return f"openrouter/some/model@{server.url}/v1"


def test_a_resumed_run_tells_what_all_of_its_answers_took(cli: Cli, server: ModelServer) -> None:
    (cli.home / "rmjudge.toml").write_text(PRICE)
    cli("run", server.judge, *TWO[:-1], "whole", "--cache-dir", "other")
    whole = cli.json("whole/run.json")
    cli("run", server.judge, *TWO, "--max-calls", "7")
    part = cli.json("o/run.json")
    done = cli("run", server.judge, *TWO)
    rest = cli.json("o/run.json")
    assert (part["in_all"]["calls"], rest["calls"]["sent"], rest["in_all"]["calls"]) == (7, 11, 18)
    assert rest["in_all"]["cost"]["usd"] == pytest.approx(whole["cost"]["usd"])
    assert rest["in_all"]["tokens"] == whole["tokens"]
    assert rest["cost"]["usd"] == pytest.approx(whole["cost"]["usd"] - part["cost"]["usd"])
    rows = [line.split() for line in done.stdout.splitlines() if "in all" in line]
    assert "18" in rows[0]
    (kept,) = json.loads(cli("cache", "info", "--json").stdout)["scorers"]
    assert kept["cost"] == {"usd": pytest.approx(whole["cost"]["usd"]), "known": True}
    assert kept["tokens"] == whole["tokens"]


@pytest.mark.parametrize(
    ("usage", "dollars"),
    [
        ({"cost": COST}, COST),
        ({"cost": {"total_cost": COST}}, COST),
        ({"estimated_cost": COST}, COST),
        ({"cost_in_usd_ticks": 21_000_000}, COST),
        ({"cost": 0.0001, "is_byok": True, "cost_details": UPSTREAM}, COST),
        ({"cost": COST, "is_byok": False, "cost_details": UPSTREAM}, COST),
        ({"cost": 0}, 0.0),
    ],
)
def test_the_vendors_own_figure_is_the_cost(
    cli: Cli, stub_server: type[StubServer], usage: Any, dollars: float
) -> None:
    with stub_server(routed(**usage)) as server:
        cli("run", spec(server), *TWO)
    run = cli.json("o/run.json")
    assert run["cost"] == {"usd": pytest.approx(18 * dollars), "known": True}
    assert run["in_all"]["cost"] == run["cost"]


@pytest.mark.parametrize("told", ["0.1", -1, None, True, [1]])
def test_what_is_no_amount_leaves_the_cost_unknown(
    cli: Cli, stub_server: type[StubServer], told: Any
) -> None:
    with stub_server(routed(cost=told)) as server:
        cli("run", spec(server), *TWO)
    assert cli.json("o/run.json")["cost"] == {"usd": None, "known": False}


def test_the_vendors_own_figure_wins_over_a_price(cli: Cli, stub_server: type[StubServer]) -> None:
    (cli.home / "rmjudge.toml").write_text('[prices."openrouter/some/model"]\ninput=9\noutput=9\n')
    with stub_server(routed(cost=COST)) as server:
        cli("run", spec(server), *TWO)
    assert cli.json("o/run.json")["cost"]["usd"] == pytest.approx(18 * COST)


def test_several_hosts_behind_one_name_are_told_and_kept(
    cli: Cli, stub_server: type[StubServer]
) -> None:
    with stub_server(routed(cost=COST)) as server:
        done = cli("run", spec(server), *TWO)
        again = cli("run", spec(server), *TWO)
    for told in (done, again):
        assert "2 hosts behind one name: DeepInfra (9), Novita (9)" in " ".join(told.stdout.split())
    assert cli.json("o/run.json")["hosts"] == {"DeepInfra": 9, "Novita": 9}


def test_a_fingerprint_that_differs_with_every_reply_is_one_line(
    cli: Cli, stub_server: type[StubServer]
) -> None:
    numbers, reply = count(), routed()
    with stub_server(lambda body: reply(body) | {"system_fingerprint": f"fp_{next(numbers)}"}) as s:
        cli("run", spec(s), *TWO)
    assert cli.json("o/run.json")["models"] == {"m (18 system fingerprints)": 18}


def test_a_ceiling_is_held_by_the_vendors_own_figures(
    cli: Cli, stub_server: type[StubServer]
) -> None:
    limited = ("--param", "max_tokens=500")
    with stub_server(routed(cost=COST)) as server:
        done = cli("run", spec(server), *TWO, *limited, "--max-cost", str(COST * 14))
        asked = len(server.asked)
    run = cli.json("o/run.json")
    assert done.returncode == 3
    assert 1 < asked < 18
    assert run["cost"]["usd"] <= COST * 14
    assert any("known only from what replies say" in note for note in run["notes"])


def test_a_ceiling_that_no_figure_holds_ends_after_one_call(
    cli: Cli, stub_server: type[StubServer]
) -> None:
    with stub_server(routed()) as server:
        done = cli("run", spec(server), *TWO, "--max-cost", "1")
        asked = len(server.asked)
    assert (done.returncode, asked) == (3, 1)
    assert "does not say what its replies cost" in done.stderr


def test_a_ceiling_in_all_counts_what_earlier_runs_bought(cli: Cli, server: ModelServer) -> None:
    (cli.home / "rmjudge.toml").write_text(PRICE)
    words = ("--concurrency", "1", "--param", "max_tokens=30")
    cli("run", server.judge, *TWO, *words, "--max-calls", "4")
    spent = cli.json("o/run.json")["cost"]["usd"]
    before = server.stats["received"]
    done = cli("run", server.judge, *TWO, *words, "--max-cost-total", str(spent + 0.01))
    assert done.returncode == 3
    assert "--max-cost-total" in done.stderr
    assert server.stats["received"] == before
    codes = [
        cli("run", server.judge, *TWO, *words, "--max-cost-total", "40").returncode
        for _ in range(3)
    ]
    run = cli.json("o/run.json")
    assert run["in_all"]["cost"]["usd"] <= 40
    assert codes in ([3, 3, 3], [0, 0, 0])


def test_an_unknown_price_is_told_with_the_lines_to_write(cli: Cli, server: ModelServer) -> None:
    done = cli("run", server.judge, *TWO, "--max-cost", "1")
    assert done.returncode == 2
    for line in ('[prices."openai/judge"]', "input = ...", "output = ..."):
        assert line in done.stderr


def bill_of(page: str) -> dict[tuple[str, str], list[str]]:
    """The rows of the page's table of what answers took: scorer and which answers, then figures."""
    table = page.partition("What it took")[2].partition("</table>")[0]
    rows = [re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row, re.S) for row in table.split("<tr")]
    plain = [[" ".join(re.sub("<[^>]*>", "", cell).split()) for cell in row] for row in rows]
    return {(row[0], row[1]): row[2:] for row in plain if len(row) == 6 and row[1] != "Answers"}


def figures(run: dict[str, Any]) -> list[str]:
    """A bill of `run.json`, written as people read it."""
    tokens = run["tokens"]
    calls = run["calls"]["sent"] if isinstance(run["calls"], dict) else run["calls"]
    return [
        f"{calls:,}",
        f"{tokens['input']:,}",
        f"{tokens['output']:,}",
        f"${run['cost']['usd']:,.2f}",
    ]


def test_the_page_tells_what_the_run_took_and_what_all_did(cli: Cli, server: ModelServer) -> None:
    (cli.home / "rmjudge.toml").write_text(PRICE)
    cli("run", server.judge, *TWO, "--max-calls", "7")
    cli("run", server.judge, server.reward, *TWO[:-1], "p")
    assert cli("report", "p", "--html", "page.html").returncode == 0
    rows = bill_of((cli.home / "page.html").read_text("ascii"))
    run = cli.json("p/openai-judge/run.json")

    assert run["in_all"]["calls"] == 18
    assert rows["openai/judge", "this run"] == figures(run)
    assert rows["openai/judge", "in all"] == figures(run["in_all"])
    assert rows["openai/judge", "this run"] != rows["openai/judge", "in all"]
    assert rows["vllm/rm", "in all"][-1] == "unknown"  # a server of one's own has no price


def test_the_page_tells_each_bill_of_a_run_with_a_fallback_once(
    cli: Cli, start_server: Callable[[int], ServerProcess]
) -> None:
    first, second = start_server(0), start_server(0)
    (cli.home / "rmjudge.toml").write_text(PRICE)
    first.control(script=["ok"] * 12 + ["status:402"] * 20)
    words = (*TWO, "--concurrency", "1", "--fallback", f"lab={second.judge}")
    cli("run", first.judge, *words)
    assert cli("report", "o", "--html", "page.html").returncode == 0
    rows = bill_of((cli.home / "page.html").read_text("ascii"))

    assert {scorer for scorer, _ in rows} == {"openai/judge", "lab"}
    for name, folder in (("openai/judge", "openai-judge"), ("lab", "lab")):
        assert rows[name, "this run"] == figures(cli.json(f"o/{folder}/run.json"))
    assert [rows[name, "in all"][0] for name in ("openai/judge", "lab")] == ["12", "9"]


def test_a_ceiling_in_all_counts_the_fallbacks_answers_as_well(
    cli: Cli, start_server: Callable[[int], ServerProcess]
) -> None:
    first, second = start_server(0), start_server(0)
    (cli.home / "rmjudge.toml").write_text(PRICE)
    words = (*TWO, "--concurrency", "1", "--param", "max_tokens=30")
    helped = (*words, "--fallback", f"lab={second.judge}")
    first.control(script=["ok"] * 4 + ["status:402"] * 99)

    def spent() -> float:
        runs = [cli.home / "o" / name / "run.json" for name in ("openai-judge", "lab")]
        told = [json.loads(run.read_text()) for run in runs if run.exists()]
        return sum(run["in_all"]["cost"]["usd"] or 0.0 for run in told)

    cli("run", first.judge, *helped, "--max-calls", "7")
    before = spent()
    asked = (first.stats["delivered"], second.stats["delivered"])
    assert asked == (4, 2)

    codes = []
    for ceiling in (before + 0.01, before + 8, before + 8, before + 8):
        codes.append(cli("run", first.judge, *helped, "--max-cost-total", str(ceiling)).returncode)
        assert spent() <= ceiling
    assert codes == [3, 3, 3, 3]
    assert before < spent()
    assert second.stats["delivered"] > 2

    assert cli("run", first.judge, *helped, "--max-cost-total", "1000").returncode in (0, 1)
    assert second.stats["bought_again"] == first.stats["bought_again"] == 0
