"""`rmjudge.toml`: what may stand in it, and that a mistake is told with its file and option."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import pytest

from rmjudge import UsageError
from rmjudge.config import FILE_NAME, check_option, read_config
from rmjudge.options import ProviderOptions, RunOptions

EVERYTHING: Final = """
models = ["openai/gpt-4.1", "baseline/length"]
data = ["sample", "mine.jsonl"]
out = "runs/mine"
cache_dir = "answers"
order = "adaptive"
seed = -7
limit = 10
domains = ["chat", "safety"]
base_url = "http://localhost:8000/v1"
concurrency = 4
rpm = 60
tpm = 90_000.5
deadline = 30

[params]
temperature = 0.5
nested = { list = [1, "two"] }

[provider.openai]
base_url = "https://proxy.example/v1"
concurrency = 2
rpm = 30
tpm = 1e6
deadline = 12.5
params = { reasoning_effort = "low" }

[provider.vllm]
base_url = "http://gpu:8000"

[prices."openai/mine"]
input = 1.0
output = 2.0
"""


def written(folder: Path, text: str) -> Path:
    path = folder / "some.toml"
    path.write_text(text, "utf-8")
    return path


def refusal(folder: Path, text: str) -> str:
    """What is said about a file, which must be named."""
    path = written(folder, text)
    with pytest.raises(UsageError) as caught:
        read_config(path)
    message = str(caught.value)
    assert message.startswith(f"{path}: ")
    return message.removeprefix(f"{path}: ")


def test_every_option_is_read(tmp_path: Path) -> None:
    found = read_config(written(tmp_path, EVERYTHING))
    assert found.pop("providers") == {
        "openai": ProviderOptions(
            base_url="https://proxy.example/v1",
            concurrency=2,
            rpm=30,
            tpm=1e6,
            deadline=12.5,
            params={"reasoning_effort": "low"},
        ),
        "vllm": ProviderOptions(base_url="http://gpu:8000"),
    }
    assert found == {
        "models": ["openai/gpt-4.1", "baseline/length"],
        "data": ["sample", "mine.jsonl"],
        "out": "runs/mine",
        "cache_dir": "answers",
        "order": "adaptive",
        "seed": -7,
        "limit": 10,
        "domains": ["chat", "safety"],
        "base_url": "http://localhost:8000/v1",
        "concurrency": 4,
        "rpm": 60,
        "tpm": 90_000.5,
        "deadline": 30,
        "params": {"temperature": 0.5, "nested": {"list": [1, "two"]}},
        "prices": {"openai/mine": {"input": 1.0, "output": 2.0}},
    }


def test_everything_that_is_read_is_an_option_of_a_run(tmp_path: Path) -> None:
    found = read_config(written(tmp_path, EVERYTHING))
    del found["models"]
    assert RunOptions(**found).seed == -7


def test_an_empty_file_says_nothing(tmp_path: Path) -> None:
    assert read_config(written(tmp_path, "")) == {}


def test_without_a_file_there_is_no_option() -> None:
    assert read_config(None) == {}


def test_the_file_of_this_folder_is_read_when_none_is_named() -> None:
    Path(FILE_NAME).write_text("seed = 3")
    assert read_config(None) == {"seed": 3}


def test_a_named_file_stands_in_for_the_one_of_this_folder(tmp_path: Path) -> None:
    Path(FILE_NAME).write_text("seed = 3")
    assert read_config(written(tmp_path, "limit = 1")) == {"limit": 1}


def test_a_mistake_in_the_file_of_this_folder_names_it() -> None:
    Path(FILE_NAME).write_text("sed = 3")
    with pytest.raises(UsageError, match=r"^rmjudge\.toml: sed is no option; did you mean seed\?"):
        read_config(None)


def test_a_named_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"nowhere\.toml: No such file or directory"):
        read_config(tmp_path / "nowhere.toml")


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="Is a directory"):
        read_config(tmp_path)


@pytest.mark.parametrize(
    "content",
    [
        b"seed = ",
        b"seed 3",
        b"= 3",
        b"[provider",
        b"seed = 1\nseed = 2",
        b"\xff\xfe",
        b'out = "\xe9"',
        b"\x00",
        pytest.param(b"seed = " + b"1" * 5000, id="a number of 5000 digits"),
        pytest.param(b"seed = " + b"[" * 100_000, id="nested too deeply"),
    ],
)
def test_what_is_no_toml_is_told_with_its_file(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "some.toml"
    path.write_bytes(content)
    with pytest.raises(UsageError) as caught:
        read_config(path)
    assert str(caught.value).startswith(f"{path} is no TOML: ")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("models = []", "models = [] is not a list of PROVIDER/MODEL"),
        ('models = "openai/x"', "models = 'openai/x' is not a list of PROVIDER/MODEL"),
        ("models = [1]", "models = [1] is not a list of PROVIDER/MODEL"),
        ('data = "sample"', "data = 'sample' is not a list of sources"),
        ('data = [""]', "data = [''] is not a list of sources"),
        ('out = ""', "out = '' is not a folder"),
        ("cache_dir = 3", "cache_dir = 3 is not a folder"),
        (
            'order = "Both"',
            "order = 'Both' is not seeded, both, audit or audit=15%",
        ),
        (
            "order = {}",
            "order = {} is not seeded, both, audit or audit=15%",
        ),
        ("seed = 1.0", "seed = 1.0 is not a whole number"),
        ("seed = true", "seed = True is not a whole number"),
        ("limit = 0", "limit = 0 is not a whole number above 0"),
        ("limit = true", "limit = True is not a whole number above 0"),
        (
            "domains = []",
            "domains = [] is not a list of chat, math, code, safety or of the data's own domains",
        ),
        (
            'domains = ["Chat"]',
            "domains = ['Chat'] is not a list of chat, math, code, safety "
            "or of the data's own domains",
        ),
        (
            "domains = [[]]",
            "domains = [[]] is not a list of chat, math, code, safety or of the data's own domains",
        ),
        ("base_url = 8000", "base_url = 8000 is not an address"),
        ("concurrency = -1", "concurrency = -1 is not a whole number above 0"),
        ("concurrency = 2.5", "concurrency = 2.5 is not a whole number above 0"),
        ("rpm = 0", "rpm = 0 is not a number above 0"),
        ("rpm = nan", "rpm = nan is not a number above 0"),
        ("tpm = inf", "tpm = inf is not a number above 0"),
        ("tpm = true", "tpm = True is not a number above 0"),
        ('deadline = "30"', "deadline = '30' is not seconds above 0"),
        ("params = 3", "params = 3 is not a table"),
        ("prices = 3", """prices = 3 is not tables such as [prices."openai/my-model"]"""),
        ("provider = 3", "provider = 3 is not tables such as [provider.openai]"),
        ("provider.openai = 3", "provider.openai is a table"),
        ("[provider.openai]\nrpm = 0", "provider.openai.rpm = 0 is not a number above 0"),
        ("[provider.openai]\nparams = 1", "provider.openai.params = 1 is not a table"),
        ("[provider.vllm]\nbase_url = 1", "provider.vllm.base_url = 1 is not an address"),
        ("sede = 3", "sede is no option; did you mean seed?"),
        ("limits = 3", "limits is no option; did you mean limit?"),
        (
            "[provider.openai]\nbase_ur = 1",
            "provider.openai.base_ur is no option; did you mean base_url?",
        ),
    ],
)
def test_a_wrong_value_is_told_with_its_file_and_option(
    tmp_path: Path, text: str, message: str
) -> None:
    assert refusal(tmp_path, text) == message


def test_a_number_beyond_every_float_is_no_rate(tmp_path: Path) -> None:
    assert refusal(tmp_path, f"rpm = {'9' * 400}").endswith("is not a number above 0")


def test_an_option_like_no_other_is_told_with_those_there_are(tmp_path: Path) -> None:
    message = refusal(tmp_path, "wibble = 3")
    assert message.startswith("wibble is no option; known are base_url, concurrency, rpm, ")


def test_an_option_of_a_run_is_none_of_a_provider(tmp_path: Path) -> None:
    message = refusal(tmp_path, "[provider.openai]\nseed = 3")
    assert message.startswith("provider.openai.seed is no option; known are base_url, ")


@pytest.mark.parametrize(
    "text",
    ['api_key = "sk-1"', '[provider.openai]\napi_key = "sk-1"', 'OPENAI_TOKEN = "sk-1"'],
)
def test_a_key_in_the_file_is_refused_and_not_repeated(tmp_path: Path, text: str) -> None:
    message = refusal(tmp_path, text)
    assert message.endswith("API keys go into environment variables, never into files")
    assert "sk-1" not in message


def test_a_provider_that_there_is_not_is_told(tmp_path: Path) -> None:
    message = refusal(tmp_path, "[provider.opennai]\nrpm = 1")
    assert message == ("provider.opennai: no provider is called 'opennai'; did you mean openai?")


@pytest.mark.parametrize(
    ("name", "value"), [("order", "both"), ("seed", 0), ("limit", 1), ("rpm", 0.5)]
)
def test_a_fine_option_of_a_caller_in_python_is_let_pass(name: str, value: Any) -> None:
    check_option(name, value)


@pytest.mark.parametrize(
    ("name", "value"), [("order", "swap"), ("seed", "0"), ("limit", 0), ("concurrency", True)]
)
def test_a_wrong_option_of_a_caller_in_python_is_told(name: str, value: Any) -> None:
    with pytest.raises(UsageError, match=f"^{name} = {value!r} is not "):
        check_option(name, value)
