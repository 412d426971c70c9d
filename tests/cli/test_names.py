"""Names of the user's own, one machine under several names, and which key goes where."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from command import Cli
    from served import ModelServer, ServerProcess

ONE_TUPLE = ("--domain", "chat", "--limit", "1", "--out", "o")


def keys_sent(server: ModelServer) -> set[str | None]:
    return {headers.get("authorization") for headers in server.stats["headers"]}


def test_a_named_model_finds_its_answers_at_another_address(
    cli: Cli, start_server: Callable[[int], ServerProcess]
) -> None:
    one, two = start_server(0), start_server(0)
    codes = [cli("run", f"mine={at.judge}", *ONE_TUPLE).returncode for at in (one, two)]

    assert codes == [0, 0]
    assert (one.stats["received"], two.stats["received"]) == (9, 0)
    assert cli.json("o/metrics.json")["scorer"] == "mine"
    assert "mine (openai/judge)" in cli("cache", "info").stdout


@pytest.mark.parametrize("first", ["127.0.0.1", "localhost"])
def test_this_machine_is_one_address_under_all_its_names(
    cli: Cli, server: ModelServer, first: str
) -> None:
    port = server.root.rpartition(":")[2]
    for at in (f"http://{first}:{port}/v1", f"http://localhost:{port}/v1/", f"{server.root}/v1"):
        assert cli("run", f"openai/judge@{at}", *ONE_TUPLE).returncode == 0
        assert server.stats["received"] == 9


def test_two_models_of_one_name_are_told_apart(
    cli: Cli, start_server: Callable[[int], ServerProcess]
) -> None:
    one, two = start_server(0), start_server(0)
    done = cli("run", one.judge, two.judge, *ONE_TUPLE)
    names = {json.loads(path.read_text())["scorer"] for path in cli.home.glob("o/*/metrics.json")}
    info = cli("cache", "info", COLUMNS="200").stdout

    assert done.returncode == 0, done.stderr
    assert names == {f"openai/judge at {one.root}/v1", f"openai/judge at {two.root}/v1"}
    assert one.root.removeprefix("http://") in info
    assert two.root.removeprefix("http://") in info


def test_ways_of_asking_one_model_are_told_apart_in_the_cache(
    cli: Cli, server: ModelServer
) -> None:
    for words in ((), ("--param", "max_tokens=77")):
        cli("run", server.judge, *ONE_TUPLE, *words)
    info = cli("cache", "info", COLUMNS="200").stdout

    assert 'params {"max_tokens": 77}' in info
    assert "params {}" in info


def test_a_vendors_key_does_not_go_to_a_second_address(
    cli: Cli, start_server: Callable[[int], ServerProcess]
) -> None:
    vendor, lab = start_server(0), start_server(0)
    at_vendor = {"OPENAI_BASE_URL": f"{vendor.root}/v1", "OPENAI_API_KEY": "sk-vendor"}
    done = cli("run", "openai/gpt-4.1", lab.judge, *ONE_TUPLE, **at_vendor)

    assert done.returncode == 0, done.stderr
    assert keys_sent(vendor) == {"Bearer sk-vendor"}
    assert keys_sent(lab) == {None}
    assert f"OPENAI_API_KEY is not sent to {lab.root}/v1" in done.stderr
    assert "--key-env NAME=VARIABLE" in done.stderr


def test_a_fallback_is_a_second_address_too(
    cli: Cli, start_server: Callable[[int], ServerProcess]
) -> None:
    vendor, lab = start_server(0), start_server(0)
    vendor.control(always={"status": 402, "body": {"error": {"message": "no money"}}})
    at_vendor = {"OPENAI_BASE_URL": f"{vendor.root}/v1", "OPENAI_API_KEY": "sk-vendor"}
    cli("run", "openai/gpt-4.1", "--fallback", lab.judge, *ONE_TUPLE, **at_vendor)

    assert lab.stats["received"] == 9
    assert keys_sent(lab) == {None}


def test_a_key_can_be_named_for_a_model(
    cli: Cli, start_server: Callable[[int], ServerProcess]
) -> None:
    vendor, lab = start_server(0), start_server(0)
    keys = {"OPENAI_BASE_URL": f"{vendor.root}/v1", "OPENAI_API_KEY": "sk-v", "LAB_KEY": "sk-lab"}
    words = ("openai/gpt-4.1", f"lab={lab.judge}", "--key-env", "lab=LAB_KEY")
    done = cli("run", *words, *ONE_TUPLE, **keys)

    assert done.returncode == 0, done.stderr
    assert keys_sent(vendor) == {"Bearer sk-v"}
    assert keys_sent(lab) == {"Bearer sk-lab"}


def header_sent(server: ModelServer) -> set[str | None]:
    return {headers.get("x-secret") for headers in server.stats["headers"]}


def test_a_header_of_nobodys_is_refused_where_there_are_two_addresses(
    cli: Cli, start_server: Callable[[int], ServerProcess]
) -> None:
    one, other = start_server(0), start_server(0)
    for words in ((one.judge, other.judge), (one.judge, "--fallback", other.judge)):
        done = cli("run", *words, *ONE_TUPLE, "--header", "X-Secret=s3cret")

        assert (done.returncode, done.stdout) == (2, "")
        assert "this run asks at 2 addresses" in done.stderr
        assert "--header openai/judge:X-Secret=..." in done.stderr
        assert "s3cret" not in done.stderr
    assert one.stats["received"] == other.stats["received"] == 0


def test_a_header_can_be_named_for_a_model(
    cli: Cli, start_server: Callable[[int], ServerProcess]
) -> None:
    one, lab = start_server(0), start_server(0)
    words = ("run", one.judge, f"lab={lab.judge}", *ONE_TUPLE)
    done = cli(*words, "--header", "lab:X-Secret=env:LAB", LAB="s3cret")

    assert done.returncode == 0, done.stderr
    assert header_sent(one) == {None}
    assert header_sent(lab) == {"s3cret"}
    literal = cli(*words, "--header", "lab:X-Secret=s3cret", "--max-calls", "1", "--votes", "2")
    assert literal.returncode == 3
    assert "--header lab:X-Secret=..." in literal.stderr
    assert "s3cret" not in literal.stdout + literal.stderr


def test_two_models_at_one_address_share_a_header(cli: Cli, server: ModelServer) -> None:
    words = (server.judge, server.reward, *ONE_TUPLE, "--header", "X-Secret=s3cret")
    assert cli("run", *words).returncode == 0
    assert header_sent(server) == {"s3cret"}


def test_a_providers_headers_stay_at_its_own_address(
    cli: Cli, start_server: Callable[[int], ServerProcess]
) -> None:
    vendor, lab = start_server(0), start_server(0)
    (cli.home / "rmjudge.toml").write_text(
        f'[provider.openai]\nbase_url = "{vendor.root}/v1"\nheaders = {{ "X-Secret" = "s3cret" }}\n'
    )
    done = cli("run", "openai/gpt-4.1", lab.judge, *ONE_TUPLE)

    assert done.returncode == 0, done.stderr
    assert header_sent(vendor) == {"s3cret"}
    assert header_sent(lab) == {None}
    assert f"the headers of [provider.openai] are not sent to {lab.root}/v1" in done.stderr
    assert cli("run", lab.judge, *ONE_TUPLE, "--domain", "math").returncode == 0
    assert header_sent(lab) == {None, "s3cret"}  # the only address


def test_the_only_address_of_a_run_gets_the_key(cli: Cli, server: ModelServer) -> None:
    cli("run", server.judge, *ONE_TUPLE, OPENAI_API_KEY="sk-mine")
    assert keys_sent(server) == {"Bearer sk-mine"}


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("a=baseline/length",), "baseline/length has a name already"),
        (("a b=openai/j@http://h",), "a NAME has letters"),
        (("a=openai/j@http://h", "a=openai/k@http://h"), "a names two models"),
        (("openai/j@http://h", "--key-env", "k=V"), "--key-env k=...: no hosted model of this run"),
        (("k=openai/j@http://h", "--key-env", "k=V"), "--key-env: V, for k, is not set"),
        (("k=openai/j@http://h", "--header", "l:X=1"), "--header l:X=...: no hosted model of this"),
    ],
)
def test_names_that_cannot_be_meant_are_refused(
    cli: Cli, words: tuple[str, ...], message: str
) -> None:
    done = cli("run", *words, *ONE_TUPLE)
    assert (done.returncode, done.stdout) == (2, "")
    assert message in done.stderr


def test_answers_bought_before_are_adopted_after_five_are_asked_again(
    cli: Cli, start_server: Callable[[int], ServerProcess]
) -> None:
    old, new = start_server(0), start_server(0)
    cli("run", old.judge, *ONE_TUPLE)
    bought = cli.results("o")
    adopted = cli("cache", "adopt", f"mine={new.judge}", f"{old.root}/v1")
    run = cli("run", f"mine={new.judge}", *ONE_TUPLE)

    assert (adopted.returncode, run.returncode) == (0, 0), adopted.stderr
    assert "9 answers taken over (5 asked again and equal)" in adopted.stdout
    assert new.stats["received"] == 5
    assert cli.results("o")["results.jsonl"] == bought["results.jsonl"]


@pytest.mark.parametrize("unchecked", [False, True])
def test_answers_of_another_model_are_not_adopted_unless_it_is_said(
    cli: Cli, start_server: Callable[[int], ServerProcess], *, unchecked: bool
) -> None:
    old, new = start_server(0), start_server(0)
    new.control(
        always={
            "status": 200,
            "headers": {"content-type": "application/json"},
            "body": {"model": "rm", "data": [{"index": 0, "probs": [123.5], "num_classes": 1}]},
        }
    )
    cli("run", old.reward, *ONE_TUPLE)
    words = ("cache", "adopt", f"mine={new.reward}", "vllm/rm")
    done = cli(*words, *(["--unchecked"] if unchecked else []))

    if unchecked:
        assert "answers taken over (none asked again)" in done.stdout
        assert new.stats["received"] == 0
    else:
        assert done.returncode == 2
        assert "a reward of 123.5 in place of a reward of" in done.stderr
        assert "mine" not in cli("cache", "info").stdout


def test_the_key_that_info_prints_names_what_is_adopted(cli: Cli, server: ModelServer) -> None:
    cli("run", server.judge, *ONE_TUPLE)
    (scorer,) = json.loads(cli("cache", "info", "--json").stdout)["scorers"]
    shown = cli("cache", "info", COLUMNS="200").stdout
    done = cli("cache", "adopt", f"mine={server.judge}", scorer["key"][:12])

    assert scorer["key"][:12] in shown
    assert done.returncode == 0, done.stderr
    assert "no kept answers" in cli("cache", "adopt", f"mine={server.judge}", "ffffff").stderr


def test_a_parameter_goes_to_the_model_that_it_names(
    cli: Cli, start_server: Callable[[int], ServerProcess]
) -> None:
    one, two = start_server(0), start_server(0)
    named = (f"first={one.judge}", f"second={two.judge}")
    params = ("seed=1", "first:seed=2", "second:top_p=0.5", "first:temperature=null")
    done = cli("run", *named, *ONE_TUPLE, *(f"--param={param}" for param in params))

    assert done.returncode == 0, done.stderr
    sent = [
        {tuple(body.get(name) for name in ("seed", "top_p")) for body in server.stats["bodies"]}
        for server in (one, two)
    ]
    assert sent == [{(2, None)}, {(1, 0.5)}]
    assert not any("temperature" in body for body in one.stats["bodies"])
    assert all("temperature" in body for body in two.stats["bodies"])


def test_a_named_parameter_is_the_same_as_one_for_the_only_model(
    cli: Cli, server: ModelServer
) -> None:
    for param in ("seed=1", "openai/judge:seed=1"):
        assert cli("run", server.judge, *ONE_TUPLE, "--param", param).returncode == 0
    assert server.stats["received"] == 9


@pytest.mark.parametrize(
    ("name", "said"),
    [("nobody", "no model of this run"), ("openai/judge", "several models of this run")],
)
@pytest.mark.parametrize("flag", ["--param", "--retry-with"])
def test_a_parameter_of_no_one_model_is_refused(
    cli: Cli, start_server: Callable[[int], ServerProcess], flag: str, name: str, said: str
) -> None:
    one, two = start_server(0), start_server(0)
    done = cli("run", one.judge, two.judge, *ONE_TUPLE, "--retry-unscored", flag, f"{name}:seed=1")

    assert done.returncode == 2
    assert said in done.stderr
    assert f"{flag} {name}:seed=..." in done.stderr
    assert one.stats["received"] == two.stats["received"] == 0
