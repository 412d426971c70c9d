"""`PROVIDER/MODEL[@URL]` and the environment, to a scorer or to one clear message."""

from __future__ import annotations

import subprocess
import sys
from datetime import date
from typing import Any

import pytest

from rmjudge.addresses import check_url, sends_in_clear
from rmjudge.errors import UsageError
from rmjudge.providers.base import Provider
from rmjudge.providers.baseline import Baseline
from rmjudge.providers.hosted import HostedScorer
from rmjudge.providers.registry import ScorerSettings, at_default_url, create, provider_class
from rmjudge.providers.spec import NAMES, Spec, parse_spec
from rmjudge.scorer import Scorer

KEY = "sk-not-a-real-key"
LOCAL = "http://127.0.0.1:8000"


@pytest.mark.parametrize(
    ("text", "spec"),
    [
        ("openai/gpt-4.1", Spec("openai", "gpt-4.1")),
        ("vllm/org/model", Spec("vllm", "org/model")),
        ("vllm/rm@http://h:8000", Spec("vllm", "rm", "http://h:8000")),
        ("openai/m@https://h/v1", Spec("openai", "m", "https://h/v1")),
        ("vllm/org/m@main@http://h", Spec("vllm", "org/m@main", "http://h")),
        ("baseline/length", Spec("baseline", "length")),
    ],
)
def test_a_model_is_named_by_provider_name_and_address(text: str, spec: Spec) -> None:
    assert parse_spec(text) == spec
    assert spec.name == f"{spec.provider}/{spec.model}"


@pytest.mark.parametrize("text", ["", "openai", "openai/", "gpt-4.1", "openai/@http://h"])
def test_what_names_no_model_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(UsageError, match=r"is no PROVIDER/MODEL, such as openai/gpt-4\.1"):
        parse_spec(text)


@pytest.mark.parametrize(
    ("text", "meant"),
    [("opnai/m", "openai"), ("OpenAI/m", "openai"), ("vlm/m", "vllm"), ("basline/m", "baseline")],
)
def test_a_misspelt_provider_is_answered_with_the_one_that_was_meant(text: str, meant: str) -> None:
    with pytest.raises(UsageError, match=f"did you mean {meant}\\?"):
        parse_spec(text)


def test_an_unknown_provider_is_answered_with_all_there_are() -> None:
    with pytest.raises(UsageError) as refused:
        parse_spec("xyzzy/m")

    assert all(name in str(refused.value) for name in NAMES)


def test_an_address_without_http_is_not_taken_for_a_model() -> None:
    with pytest.raises(UsageError, match="an address starts with http"):
        parse_spec("openai/m@ftp://h")


def hosted(spec: str, **settings: Any) -> HostedScorer:
    scorer = create(parse_spec(spec), ScorerSettings(**settings))
    assert isinstance(scorer, HostedScorer)
    return scorer


def url_of(scorer: Scorer) -> object:
    return scorer.identity["url"]


@pytest.mark.parametrize(
    "name", [name for name in NAMES if name not in {"baseline", "hf", "dpo", "hf-judge"}]
)
def test_every_name_leads_to_the_provider_of_that_name(name: str) -> None:
    kind = provider_class(name)

    assert issubclass(kind, Provider)
    assert kind.name == name


def test_a_baseline_is_made_without_address_or_key() -> None:
    assert isinstance(create(parse_spec("baseline/length")), Baseline)


def test_a_baseline_takes_no_address() -> None:
    with pytest.raises(UsageError, match="runs here; it takes no address"):
        create(parse_spec(f"baseline/length@{LOCAL}"))


def test_a_server_without_a_default_address_must_be_told(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UsageError, match=r"where is the server.*@http://HOST:PORT.*VLLM_BASE_URL"):
        create(parse_spec("vllm/rm"))
    monkeypatch.setenv("VLLM_BASE_URL", LOCAL)

    assert url_of(create(parse_spec("vllm/rm"))) == LOCAL


def test_the_nearest_address_wins(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    default = url_of(hosted("openai/m"))
    monkeypatch.setenv("OPENAI_BASE_URL", "http://variable")
    found = [
        url_of(hosted("openai/m")),
        url_of(hosted("openai/m", base_url="http://setting")),
        url_of(hosted("openai/m@http://spec", base_url="http://setting")),
    ]

    assert default == "https://api.openai.com/v1"
    assert found == ["http://variable", "http://setting", "http://spec"]


def test_a_missing_key_is_asked_for_by_the_name_of_its_variable() -> None:
    with pytest.raises(UsageError, match=r"openai/gpt-4\.1: no API key; set .*OPENAI_API_KEY"):
        create(parse_spec("openai/gpt-4.1"))


def test_an_empty_key_is_a_missing_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "")

    with pytest.raises(UsageError, match="no API key"):
        create(parse_spec("openai/gpt-4.1"))


@pytest.mark.parametrize("spec", [f"openai/m@{LOCAL}", f"vllm/m@{LOCAL}"])
def test_a_server_elsewhere_may_need_no_key(spec: str) -> None:
    assert hosted(spec)._secret is None


@pytest.mark.parametrize(
    "key",
    [f"{KEY}\n", f"{KEY}\r", f" {KEY}", f"{KEY} ", f"{KEY}\x1b", f"{KEY}é", "  ", "\u2028"],
    ids=ascii,
)
def test_a_key_that_no_header_can_carry_is_refused_without_quoting_it(
    key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", key)

    with pytest.raises(UsageError, match="OPENAI_API_KEY") as refused:
        create(parse_spec("openai/gpt-4.1"))
    assert KEY not in str(refused.value)


def test_no_message_and_no_repr_shows_the_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    scorer = hosted("openai/gpt-4.1")

    assert KEY not in repr(vars(scorer)) + str(scorer) + repr(scorer.identity)


@pytest.mark.parametrize(
    "url",
    [
        "http://localhost:8000/v1",
        "https://api.example.com",
        "http://[::1]:8000",
        "http://10.0.0.1:65535/a/b",
    ],
)
def test_an_address_is_taken_without_its_last_slash(url: str) -> None:
    assert check_url(url) == check_url(f"{url}/") == url


@pytest.mark.parametrize(
    "url",
    [
        "",
        "localhost:8000",
        "ftp://h",
        "file:///etc/passwd",
        "http://",
        "http:///v1",
        "http://h:port",
        "http://h:0",
        "http://h:70000",
        "http://[::1",
        "http://h/v1\n",
        "http://h\t/v1",
        "http://h h/v1",
        "http://h/\u2028",
        "http://api..h/v1",
        f"http://{'h' * 64}/v1",
    ],
    ids=ascii,
)
def test_what_is_no_address_is_refused(url: str) -> None:
    with pytest.raises(UsageError, match="is no http:// or https:// address"):
        check_url(url)


@pytest.mark.parametrize(
    "url",
    [
        f"http://user:{KEY}@h/v1",
        f"https://{KEY}@h",
        f"http://h/v1?key={KEY}",
        f"http://h/v1#{KEY}",
        "http://h/v1?",
        "http://h/v1#",
    ],
)
def test_an_address_with_a_secret_place_is_refused_without_quoting_it(url: str) -> None:
    with pytest.raises(UsageError, match="keys go into environment variables") as refused:
        check_url(url)
    assert KEY not in str(refused.value)


def test_a_wrong_address_in_a_variable_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VLLM_BASE_URL", "localhost:8000")

    with pytest.raises(UsageError, match="'localhost:8000' is no http"):
        create(parse_spec("vllm/rm"))


@pytest.mark.parametrize(
    "value", [float("nan"), float("inf"), date(2026, 11, 22), {1}, b"x"], ids=repr
)
def test_a_parameter_that_is_no_json_is_refused(value: Any) -> None:
    with pytest.raises(UsageError, match=r"vllm/rm: the parameter temperature = .* cannot be sent"):
        hosted(f"vllm/rm@{LOCAL}", params={"temperature": value})


@pytest.mark.parametrize(
    ("url", "in_clear"),
    [
        ("http://example.com", True),
        ("http://10.0.0.1:8000", True),
        ("http://127.example.com", True),
        ("http://127.0.0.1.example.com", True),
        ("http://localhost.example.com", True),
        ("http://[2001:db8::1]", True),
        ("https://example.com", False),
        ("http://localhost:8000", False),
        ("http://LOCALHOST", False),
        ("http://127.0.0.1:8000", False),
        ("http://127.1.2.3", False),
        ("http://[::1]:8000", False),
        ("", False),
    ],
)
def test_plain_http_beyond_this_machine_is_in_the_clear(url: str, in_clear: bool) -> None:
    assert sends_in_clear(url) is in_clear


def test_list_prices_hold_at_the_vendor_s_own_address_only() -> None:
    openai, vllm = parse_spec("openai/m"), parse_spec("vllm/m")

    assert at_default_url(openai, "https://api.openai.com/v1")
    assert not at_default_url(openai, LOCAL)
    assert not at_default_url(vllm, LOCAL)
    assert not at_default_url(vllm, "")


def test_settings_reach_the_scorer() -> None:
    scorer = hosted(f"vllm/rm@{LOCAL}", concurrency=3, rpm=60, tpm=1000, deadline_s=5.0)

    assert scorer.concurrency == 3
    assert (scorer._rpm, scorer._tpm) == (60, 1000)
    assert scorer._policy is not None
    assert scorer._policy.deadline_s == 5.0


def test_without_settings_the_provider_s_defaults_hold() -> None:
    scorer = hosted(f"vllm/rm@{LOCAL}")

    assert scorer.concurrency == 64
    assert scorer._policy is not None
    assert scorer._policy.deadline_s == 600.0


def modules_after(code: str) -> set[str]:
    ended = subprocess.run(
        [sys.executable, "-c", f"{code}\nimport sys\nprint(*sys.modules)"],
        capture_output=True,
        text=True,
        check=True,
    )
    return set(ended.stdout.split())


def test_the_table_imports_no_provider() -> None:
    modules = modules_after("import rmjudge.providers.registry")

    assert not modules & {"httpx", "rmjudge.providers.base", "rmjudge.providers.openai"}


def test_making_a_hosted_scorer_imports_no_http_client() -> None:
    code = (
        "from rmjudge.providers.registry import create\n"
        "from rmjudge.providers.spec import parse_spec\n"
        "for spec in ('openai/m@http://h', 'vllm/m@http://h', 'baseline/length'):\n"
        "    create(parse_spec(spec))"
    )
    modules = modules_after(code)

    assert "rmjudge.providers.hosted" in modules
    assert not modules & {"httpx", "httpcore", "h11", "tenacity", "asyncio_throttle", "certifi"}
