"""The list of providers: every one of them, with what can be asked of it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest

from rmjudge import UsageError
from rmjudge.judging.methods import METHODS
from rmjudge.providers.base import Target
from rmjudge.providers.judge import JudgeProvider
from rmjudge.providers.listing import Listing, listings
from rmjudge.providers.registry import provider_class
from rmjudge.providers.spec import NAMES
from rmjudge.render.commands.providers import providers_markdown
from rmjudge.vocabulary import JUDGING_METHODS

ALL_BUT_LOGPROBS: Final = ("pairwise", "pairwise-two-level", "pointwise", "choice")


def listed() -> dict[str, Listing]:
    return {item.name: item for item in listings()}


LISTED: Final = listed()
JUDGES: Final = [name for name, item in LISTED.items() if item.what == "judge"]


def test_every_name_that_can_be_written_is_listed_once() -> None:
    assert [item.name for item in listings()] == list(NAMES)


WHAT: Final[dict[str, set[str]]] = {
    "judge": {
        *("openai", "openrouter", "together", "fireworks", "deepseek", "mistral", "groq", "xai"),
        *("azure", "dashscope", "siliconflow", "ollama", "lmstudio", "llamacpp", "vllm-chat"),
        *("sglang-chat", "openai-responses", "anthropic", "gemini"),
    },
    "decision endpoint": {"openai-decisions", "systemone"},
    "reward endpoint": {
        *(
            "vllm",
            "vllm-pooling",
            "sglang",
            "tei",
            "nim",
            "openrlhf",
            "nemo",
            "http",
            "hf-endpoint",
        ),
    },
    "local reward": {"hf", "dpo"},
    "local judge": {"hf-judge"},
    "style baseline": {"baseline"},
}


@pytest.mark.parametrize("what", WHAT)
def test_what_each_is(what: str) -> None:
    assert {name for name, item in LISTED.items() if item.what == what} == WHAT[what]


def test_what_is_no_judge_has_the_one_method_of_its_answers() -> None:
    methods = {item.what: item.methods for item in listings() if item.name not in JUDGES}
    assert methods == {
        "decision endpoint": ("pairwise",),
        "reward endpoint": ("pointwise",),
        "local reward": ("pointwise",),
        "local judge": JUDGING_METHODS,
        "style baseline": ("pointwise",),
    }


@pytest.mark.parametrize("name", JUDGES)
def test_a_judge_has_the_logprob_methods_where_it_tells_probabilities(name: str) -> None:
    item = LISTED[name]
    assert item.methods == (JUDGING_METHODS if item.logprobs else ALL_BUT_LOGPROBS)


def test_these_judges_tell_no_probabilities() -> None:
    without = {name for name in JUDGES if not LISTED[name].logprobs}
    assert without == {"groq", "siliconflow", "anthropic"}


@pytest.mark.parametrize("name", JUDGES)
@pytest.mark.parametrize("method", JUDGING_METHODS)
def test_a_method_works_if_and_only_if_it_is_listed(name: str, method: str) -> None:
    kind = provider_class(name)
    assert issubclass(kind, JudgeProvider)
    target = Target("m", "http://h:1")
    if method in LISTED[name].methods:
        assert kind(target, METHODS[method]).judging is METHODS[method]
    else:
        with pytest.raises(UsageError, match="token probabilities"):
            kind(target, METHODS[method])


def test_a_prompt_cache_is_listed_where_one_is_made_use_of() -> None:
    cached = {name for name, item in LISTED.items() if item.prompt_cache}
    assert cached == {"openai", "openai-responses", "anthropic", "gemini"}


def test_batches_are_those_of_the_provider() -> None:
    batches = {name: item.batch for name, item in LISTED.items() if item.batch > 1}
    assert batches["tei"] == 32
    assert (batches["hf"], batches["dpo"], batches["hf-judge"]) == (96, 96, 18)
    assert batches["sglang"] == batches["openrlhf"] == 16
    assert not set(batches) & {*JUDGES, "vllm", "nim", "hf-endpoint", "systemone"}


@pytest.mark.parametrize("name", NAMES)
def test_each_says_what_proves_it_and_how_it_is_reached(name: str) -> None:
    item = LISTED[name]
    assert item.proved_by
    runs_here = item.what.startswith(("local", "style"))
    assert bool(item.address or item.url_variable) is not runs_here


@pytest.fixture
def _no_google_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GOOGLE_API_KEY", raising=False)
    monkeypatch.delenv("GEMINI_API_KEY", raising=False)


@pytest.mark.usefixtures("_no_google_key")
@pytest.mark.parametrize(
    ("keys", "is_set"),
    [({}, False), ({"GEMINI_API_KEY": "k"}, True), ({"GOOGLE_API_KEY": ""}, False)],
    ids=["none", "the second of two", "an empty one"],
)
def test_whether_a_key_is_set(
    keys: dict[str, str], is_set: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    for variable, key in keys.items():
        monkeypatch.setenv(variable, key)
    gemini = listed()["gemini"]
    assert gemini.key_variables == ("GOOGLE_API_KEY", "GEMINI_API_KEY")
    assert gemini.key_set is is_set


@pytest.mark.parametrize("name", ["openrlhf", "nemo", "hf", "dpo", "hf-judge", "baseline"])
def test_where_no_key_is_asked_for_none_can_be_set(name: str) -> None:
    assert LISTED[name].key_set is None
    assert LISTED[name].key_variables == ()


def test_listing_loads_no_http_client_and_nothing_heavy() -> None:
    heavy = "{'httpx', 'torch', 'transformers', 'diskcache'}"
    code = (
        "import sys; from rmjudge.providers.listing import listings; "
        f"assert list(listings()); print(sorted({heavy} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_the_documentation_has_the_table_that_the_command_prints() -> None:
    text = (Path(__file__).parents[2] / "docs" / "providers.md").read_text("utf-8")
    assert providers_markdown(list(listings())) in text
