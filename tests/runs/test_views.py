"""Runs gathered for people to look at: texts, outcomes and words, from real files and caches."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from rmjudge.calls import Verdict
from rmjudge.dataset import load
from rmjudge.errors import UsageError
from rmjudge.runs.naming import tuples_named
from rmjudge.runs.stored import read_runs
from rmjudge.runs.views import View, gather

if TYPE_CHECKING:
    from command import Cli
    from served import ModelServer


@pytest.fixture(scope="module")
def runs(request: pytest.FixtureRequest, new_cli: Callable[[], Cli]) -> Cli:
    """A home with runs/all (judge in both orders, rewards, baseline) and runs/few (a baseline)."""
    server: ModelServer = request.getfixturevalue("_model_server_process")
    server.reset()
    cli = new_cli()
    models = (server.judge, server.reward, "baseline/length")
    cli("run", *models, "--limit", "2", "--order", "both", "--out", "runs/all")
    cli("run", "baseline/random", "--limit", "1", "--out", "runs/few")
    return cli


def view_of(cli: Cli, *folders: str, **moved: Any) -> View:
    return gather(read_runs([cli.home / folder for folder in folders], **moved))


def test_every_tuple_stands_once_with_its_texts_and_an_outcome_of_each_scorer(runs: Cli) -> None:
    view = view_of(runs, "runs/all")
    data = load(["sample"]).select((), 2)
    assert [viewed.item for viewed in view.tuples] == list(data)
    assert all(None not in viewed.outcomes for viewed in view.tuples)
    assert [scorer.name for scorer in view.scorers] == [
        "openai/judge",
        "vllm/rm",
        "baseline/length",
    ]
    assert view.notes == ()


def test_a_run_of_a_part_shares_the_tuples_of_the_whole(runs: Cli) -> None:
    view = view_of(runs, "runs/all", "runs/few")
    assert len(view.tuples) == 8
    assert [viewed.outcomes[3] is not None for viewed in view.tuples] == [True, False] * 4


def test_rewards_come_with_the_credits_that_follow_from_them(runs: Cli) -> None:
    for viewed in view_of(runs, "runs/all").tuples:
        outcome = viewed.outcomes[1]
        assert outcome is not None
        assert outcome.chosen is not None
        assert outcome.rejected is not None
        for i, one in enumerate(outcome.chosen):
            for j, other in enumerate(outcome.rejected):
                assert one is not None
                assert other is not None
                assert outcome.credits[i][j] == (0.5 if one == other else float(one > other))


def test_a_judges_words_add_up_to_its_credits(runs: Cli) -> None:
    checked = 0
    for viewed in view_of(runs, "runs/all").tuples:
        outcome = viewed.outcomes[0]
        assert outcome is not None
        for i in range(3):
            for j in range(3):
                said = [s for s in outcome.statements if (s.chosen, s.rejected) == (i, j)]
                assert sorted(str(s.chosen_first) for s in said) == ["False", "True"]
                credits = []
                for s in said:
                    assert isinstance(s.answer, Verdict)
                    credits.append(s.answer.first if s.chosen_first else 1 - s.answer.first)
                assert sum(credits) / 2 == outcome.credits[i][j]
                checked += 1
    assert checked == 8 * 9


def test_words_are_the_visible_text_of_the_reply(runs: Cli) -> None:
    outcome = view_of(runs, "runs/all").tuples[0].outcomes[0]
    assert outcome is not None
    assert {s.text.split("\n")[0] for s in outcome.statements} == {"Both were compared."}
    assert all("\\boxed{" in s.text for s in outcome.statements)


def test_scorers_that_give_numbers_say_nothing_and_lack_nothing(runs: Cli) -> None:
    view = view_of(runs, "runs/all", cache_folder=runs.home / "nowhere")
    assert [outcome.statements for v in view.tuples for outcome in v.outcomes if outcome] == [
        ()
    ] * 24
    (note,) = view.notes
    assert note.startswith("openai/judge: no words: ")
    assert note.endswith("say where the answers are now with --cache-dir DIR")


def test_a_judge_that_was_stopped_before_a_tuple_lacks_no_words_about_it(
    cli: Cli, server: ModelServer
) -> None:
    words = ("--domain", "chat", "--limit", "3", "--max-calls", "9", "--concurrency", "1")
    assert cli("run", server.judge, *words, "--out", "o").returncode == 3
    (run,) = read_runs([str(cli.home / "o")])
    *_, last = run.keys
    assert gather([run], only=[last]).notes == ()
    (run,) = read_runs([cli.home / "o"], cache_folder=cli.home / "nowhere")
    (note,) = gather([run], only=[last]).notes
    assert note.startswith("openai/judge: no words: ")


def test_a_rating_is_about_one_response(cli: Cli, server: ModelServer) -> None:
    cli("run", server.judge, "--method", "pointwise", "--limit", "1", "--out", "o")
    outcome = view_of(cli, "o").tuples[0].outcomes[0]
    assert outcome is not None
    about = {(s.chosen, s.rejected, s.chosen_first) for s in outcome.statements}
    assert about == {*((k, None, None) for k in range(3)), *((None, k, None) for k in range(3))}


def test_every_vote_is_heard(cli: Cli, server: ModelServer) -> None:
    cli("run", server.judge, "--votes", "3", "--limit", "1", "--domain", "chat", "--out", "o")
    outcome = view_of(cli, "o").tuples[0].outcomes[0]
    assert outcome is not None
    assert len(outcome.statements) == 27
    assert {s.vote for s in outcome.statements} == {0, 1, 2}


# Data and answers that have moved


def moved_run(cli: Cli, server: ModelServer) -> Path:
    """A run whose data has moved from data.json to elsewhere.json and cache to kept."""
    lines = (load(["sample"]).select(("chat",), 2)).tuples
    records = [
        {
            "id": t.id,
            "domain": "chat",
            "prompt": t.prompt,
            "chosen": t.chosen,
            "rejected": t.rejected,
        }
        for t in lines
    ]
    (cli.home / "data.json").write_text(json.dumps(records))
    assert (
        cli("run", server.judge, "--data", "data.json", "--out", "o", "--cache-dir", "c").returncode
        == 0
    )
    (cli.home / "data.json").rename(cli.home / "elsewhere.json")
    (cli.home / "c").rename(cli.home / "kept")
    return cli.home / "elsewhere.json"


def test_texts_and_answers_that_have_moved_are_found_where_one_says(
    cli: Cli, server: ModelServer
) -> None:
    data = moved_run(cli, server)
    view = view_of(cli, "o", data=[str(data)], cache_folder=cli.home / "kept")
    assert view.notes == ()
    assert all(
        v.item is not None and v.outcomes[0] and v.outcomes[0].statements for v in view.tuples
    )


def test_texts_that_cannot_be_found_are_left_out_and_said(cli: Cli, server: ModelServer) -> None:
    moved_run(cli, server)
    view = view_of(cli, "o")
    assert [viewed.item for viewed in view.tuples] == [None, None]
    (note,) = view.notes
    assert note.startswith("openai/judge: no texts: ")
    assert "--data SOURCE" in note


def test_other_texts_under_the_same_ids_are_not_taken_for_those_scored(
    cli: Cli, server: ModelServer
) -> None:
    data = moved_run(cli, server)
    data.write_text(data.read_text().replace("Earth", "Mars"))
    view = view_of(cli, "o", data=[str(data)])
    assert [viewed.item for viewed in view.tuples] == [None, None]
    assert "does not hold the texts that this run scored" in view.notes[0]


def test_data_that_holds_more_than_was_scored_will_do(cli: Cli) -> None:
    cli("run", "baseline/length", "--limit", "2", "--domain", "math", "--out", "o")
    assert view_of(cli, "o", data=["sample"]).notes == ()


def test_one_id_of_two_data_sets_is_two_tuples(cli: Cli) -> None:
    for name in ("a", "b"):
        texts = [f"{name}{k}" for k in range(6)]
        record = {
            "id": 1,
            "domain": "chat",
            "prompt": name,
            "chosen": texts[:3],
            "rejected": texts[3:],
        }
        (cli.home / f"{name}.json").write_text(json.dumps([record]))
        cli("run", "baseline/length", "--data", f"{name}.json", "--out", f"runs/{name}")
    view = view_of(cli, "runs/a", "runs/b")
    assert [[o is not None for o in v.outcomes] for v in view.tuples] == [
        [True, False],
        [False, True],
    ]


def test_who_scored_a_tuple_of_a_run_with_a_fallback_is_told(cli: Cli, server: ModelServer) -> None:
    cli(
        *("run", server.reward, "--fallback", "baseline/length", "--max-calls", "6"),
        *("--limit", "1", "--domain", "chat", "--domain", "math", "--out", "o"),
    )
    view = view_of(cli, "o")
    names = [scorer.name for scorer in view.scorers]
    combined = names.index("vllm/rm + baseline/length")
    by = [v.outcomes[combined].scorer for v in view.tuples if v.outcomes[combined]]  # type: ignore[union-attr]
    assert sorted(filter(None, by)) == ["baseline/length", "vllm/rm"]
    assert view.notes == ()


def test_nothing_is_written_into_the_cache(runs: Cli, tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    shutil.copytree(runs.home / ".cache" / "rmjudge" / "answers", kept)
    before = {path.name: path.read_bytes() for path in kept.glob("cache.db")}
    view_of(runs, "runs/all", cache_folder=kept)
    assert {path.name: path.read_bytes() for path in kept.glob("cache.db")} == before


# What a user calls a tuple


def test_a_tuple_is_named_by_domain_and_id_or_by_an_id_that_is_unique(runs: Cli) -> None:
    found = read_runs([str(runs.home / "runs/all")])
    name = view_of(runs, "runs/all").tuples[0].name
    domain, _, number = name.partition("/")
    assert tuples_named(name, found) == {(domain, int(number))}
    assert tuples_named(number, found) == {(domain, int(number))}


def test_only_the_tuples_asked_for_are_gathered(runs: Cli) -> None:
    found = read_runs([str(runs.home / "runs/all")])
    name = view_of(runs, "runs/all").tuples[3].name
    assert [v.name for v in gather(found, only=tuples_named(name, found)).tuples] == [name]


def test_an_id_of_several_domains_is_refused_with_their_names(cli: Cli) -> None:
    texts = list("abcdef")
    records = [
        {"id": 5, "domain": domain, "prompt": "p", "chosen": texts[:3], "rejected": texts[3:]}
        for domain in ("chat", "code")
    ]
    (cli.home / "data.json").write_text(json.dumps(records))
    cli("run", "baseline/length", "--data", "data.json", "--out", "o")
    with pytest.raises(UsageError, match="5 is the id of several tuples; name one: chat/5, code/5"):
        tuples_named("5", read_runs([str(cli.home / "o")]))


def test_a_name_that_no_tuple_has_is_refused(runs: Cli) -> None:
    found = read_runs([str(runs.home / "runs/all")])
    with pytest.raises(UsageError, match=r"is called chat/10; the closest"):
        tuples_named("chat/10", found)


def record(prompt: str = "p") -> dict[str, Any]:
    return {"id": 1, "prompt": prompt, "chosen": ["a"] * 3, "rejected": ["b"] * 3}


def import_of(cli: Cli, folder: str) -> None:
    scored = {**record(), "score_chosen": [2, 2, 2], "score_rejected": [1, 1, 1]}
    (cli.home / "scores.json").write_text(json.dumps([scored]))
    done = cli("import", "scores.json", "--name", "m", "--domain", "chat", "--out", folder)
    assert done.returncode == 0, done.stderr


def scored_run(cli: Cli, folder: str, prompt: str = "p") -> None:
    (cli.home / f"{folder}.json").write_text(json.dumps([{**record(prompt), "domain": "chat"}]))
    done = cli("run", "baseline/length", "--data", f"{folder}.json", "--out", folder)
    assert done.returncode == 0, done.stderr


def test_a_run_without_data_finds_its_tuples_among_those_of_others(cli: Cli) -> None:
    import_of(cli, "told-nothing")
    scored_run(cli, "o")
    for folders in (("told-nothing", "o"), ("o", "told-nothing")):
        view = view_of(cli, *folders)
        (viewed,) = view.tuples
        assert None not in viewed.outcomes
        assert viewed.item is not None
        assert view.notes == ("m: its data is not recorded; texts are matched by id alone",)


def test_it_finds_none_where_an_id_means_several_texts(cli: Cli) -> None:
    import_of(cli, "told-nothing")
    scored_run(cli, "one", "p")
    scored_run(cli, "other", "q")
    view = view_of(cli, "told-nothing", "one", "other")
    assert len(view.tuples) == 3
    (note,) = view.notes
    assert note.startswith("m: no texts: ")
