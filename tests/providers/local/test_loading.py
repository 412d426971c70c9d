"""A local model's files: found, checked, hashed, loaded; and what is said when they cannot be."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from local_models import CHATML, Kind, answers, make, make_tokenizer

from rmjudge import UsageError
from rmjudge.errors import ModelRefused
from rmjudge.providers.local.classifier import Classifier
from rmjudge.providers.local.devices import devices_of
from rmjudge.providers.local.dpo import ImplicitReward
from rmjudge.providers.local.files import find
from rmjudge.providers.local.settings import LocalSettings


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make(tmp_path_factory.mktemp("model") / "rm", Kind())


@pytest.fixture
def folder(original: Path, tmp_path: Path) -> Path:
    """A model of this test's own."""
    return Path(shutil.copytree(original, tmp_path / "rm"))


def change(folder: Path, name: str = "config.json", **values: Any) -> None:
    path = folder / name
    path.write_text(json.dumps({**json.loads(path.read_text()), **values}))


def refused(folder: Path | str, **more: Any) -> str:
    with pytest.raises(UsageError) as caught:
        Classifier(LocalSettings(str(folder), **more))
    return str(caught.value)


async def stopped(folder: Path, **more: Any) -> str:
    with pytest.raises(ModelRefused) as caught:
        await answers(Classifier(LocalSettings(str(folder), **more)))
    return str(caught.value)


def digest(folder: Path, *, code: bool = False) -> str | None:
    return find(str(folder), code=code).digest


# What is there


def test_a_folder_that_is_not_there_is_told() -> None:
    for name in ("/no/where", "./rm", "~/rm", "a/b/c"):
        assert refused(name) == f"{name}: there is no such folder"


def test_a_folder_without_a_model_is_told(tmp_path: Path) -> None:
    assert "holds no config.json" in refused(tmp_path)


def test_pickles_are_refused(folder: Path) -> None:
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")
    told = refused(folder)
    assert "only pytorch_model.bin, a pickle, which can run code" in told
    assert "`rmjudge convert" in told


def test_a_folder_without_weights_is_told(folder: Path) -> None:
    (folder / "model.safetensors").unlink()
    assert "holds no weights" in refused(folder)


def test_a_folder_without_tokenizer_is_told(folder: Path) -> None:
    for path in folder.glob("tokenizer*"):
        path.unlink()
    assert "holds no tokenizer" in refused(folder)


@pytest.mark.parametrize("text", ["{", "[]", "\udcff"])
def test_a_broken_configuration_is_told(folder: Path, text: str) -> None:
    (folder / "config.json").write_bytes(text.encode("utf-8", "surrogateescape"))
    assert "config.json" in refused(folder)


def test_a_language_model_is_no_classifier(tmp_path: Path) -> None:
    told = refused(make(tmp_path, Kind(task="CausalLM")))
    assert "is a LlamaForCausalLM, a causal language model without a reward head" in told
    assert "--reward-head token:0" in told
    assert f"hf-judge/{tmp_path}" in told


def test_a_revision_is_for_the_hub(folder: Path) -> None:
    assert "--revision is for models on the hub" in refused(folder, revision="main")


def test_a_model_without_chat_template_asks_for_one(tmp_path: Path) -> None:
    folder = make(tmp_path / "rm", Kind(template=None))
    assert "has no chat template; give the one it was trained with: --template FILE" in refused(
        folder
    )
    (tmp_path / "chat.j2").write_text(CHATML)
    scorer = Classifier(LocalSettings(str(folder), template=tmp_path / "chat.j2"))
    assert scorer.identity["template"] == CHATML


@pytest.mark.parametrize("several", [False, True])
def test_the_template_is_found_where_older_tokenizers_keep_it(
    folder: Path, *, several: bool
) -> None:
    (folder / "chat_template.jinja").unlink()
    named = [{"name": "tool_use", "template": "T"}, {"name": "default", "template": CHATML}]
    change(folder, "tokenizer_config.json", chat_template=named if several else CHATML)
    assert Classifier(LocalSettings(str(folder))).identity["template"] == CHATML


def test_a_chat_template_that_is_no_text_is_told(folder: Path) -> None:
    (folder / "chat_template.jinja").write_bytes(b"\xff\xfe")
    assert f"{folder}: chat_template.jinja cannot be read" in refused(folder)


@pytest.mark.parametrize("item", [{"template": "x"}, {"name": "default"}, "x"])
def test_a_list_of_templates_without_names_is_told(folder: Path, item: object) -> None:
    (folder / "chat_template.jinja").unlink()
    change(folder, "tokenizer_config.json", chat_template=[item])
    assert "not each item has a name and a template" in refused(folder)


@pytest.mark.parametrize("source", ["{% if %}", "{{ raise_exception('never') }}", "{{ 1 // 0 }}"])
def test_a_chat_template_that_renders_nothing_is_told_before_the_run(
    folder: Path, source: str
) -> None:
    (folder / "chat_template.jinja").write_text(source)
    assert f"{folder}: its chat template does not render a conversation" in refused(folder)


@pytest.mark.parametrize(
    "source",
    [
        "{% if tools %}{{ tools }}{% endif %}{{ bos_token }}{{ messages[0].tool_calls }}"
        "{{ messages[0].content }}{{ messages[1].content }}",
        "{{ strftime_now('%Y') }}{{ messages | tojson(ensure_ascii=False) }}",
        "{% for m in messages %}{% generation %}{{ m.content }}{% endgeneration %}"
        "{% if loop.index > 1 %}{% break %}{% endif %}"
        "{% endfor %}",
    ],
)
def test_a_chat_template_has_what_transformers_gives_it(folder: Path, source: str) -> None:
    (folder / "chat_template.jinja").write_text(source)
    assert Classifier(LocalSettings(str(folder))).identity["template"] == source


# Labels


def test_several_labels_are_listed_and_one_is_to_be_named(tmp_path: Path) -> None:
    folder = make(tmp_path, Kind(labels=("bad", "good")))
    assert "has 2 outputs; choose the reward with --reward-head: 0 (bad), 1 (good)" in refused(
        folder
    )
    assert "has no output '2'; there are 0 (bad), 1 (good)" in refused(folder, reward_head="2")
    assert Classifier(LocalSettings(str(folder), reward_head="good")).identity["head"] == 1


# Limits


@pytest.mark.parametrize(
    ("positions", "model_max_length", "asked", "limit"),
    [
        (2048, 10**30, None, 2048),
        (2048, 512, None, 512),
        (512, 2048, None, 512),
        (2048, 512, 1024, 1024),
        (2048, 0.5, None, 2048),
        (None, 10**30, None, None),
        (None, 10**30, 99, 99),
    ],
)
def test_the_longest_text(
    folder: Path,
    positions: int | None,
    model_max_length: float,
    asked: int | None,
    limit: int | None,
) -> None:
    change(folder, max_position_embeddings=positions)
    change(folder, "tokenizer_config.json", model_max_length=model_max_length)
    assert Classifier(LocalSettings(str(folder), max_tokens=asked)).identity["max_tokens"] == limit


def test_more_than_the_model_s_positions_is_refused(folder: Path) -> None:
    assert "takes 2048 tokens at most" in refused(folder, max_tokens=2049)


def test_a_model_that_counts_positions_from_two_has_two_fewer(folder: Path) -> None:
    change(folder, model_type="roberta", max_position_embeddings=514)
    assert find(str(folder)).limit(None) == 512


# Digests


def test_a_copy_has_the_digest_of_its_original(original: Path, folder: Path) -> None:
    assert digest(original) == digest(folder)


@pytest.mark.parametrize(
    "name", ["model.safetensors", "config.json", "tokenizer.json", "chat_template.jinja"]
)
def test_every_byte_that_changes_answers_changes_the_digest(folder: Path, name: str) -> None:
    before = digest(folder)
    data = bytearray((folder / name).read_bytes())
    data[-1] ^= 1 if name == "model.safetensors" else ord("}") ^ ord("]")
    shutil.copy(folder / "config.json", folder / "kept")
    (folder / name).write_bytes(data)
    after = (
        digest(folder)
        if name in ("model.safetensors", "tokenizer.json", "chat_template.jinja")
        else _digest_only(folder)
    )
    assert after != before


def _digest_only(folder: Path) -> str:
    from rmjudge.providers.local.digests import digest_of_folder

    return digest_of_folder(folder)


def test_what_changes_no_answer_changes_no_digest(folder: Path) -> None:
    before = digest(folder)
    (folder / "README.md").write_text("A model.")
    (folder / "modeling.py").write_text("pass")
    assert digest(folder) == before
    assert digest(folder, code=True) != before


def test_a_hash_is_remembered_until_the_file_changes(folder: Path, home: Path) -> None:
    first = digest(folder)
    memory = home / "rmjudge" / "model-files.json"
    kept = json.loads(memory.read_text())
    assert any("model.safetensors" in key for key in kept)
    memory.write_text(json.dumps(dict.fromkeys(kept, "0" * 64)))
    assert digest(folder) != first  # it was not read again
    memory.write_text("no JSON")
    assert digest(folder) == first


# Loading


async def test_a_model_whose_files_lack_weights_is_refused(tmp_path: Path) -> None:
    folder = make(tmp_path, Kind(task="CausalLM"))
    change(folder, architectures=["LlamaForSequenceClassification"], id2label={"0": "R"})
    assert "its files lack score.weight, which would be random numbers" in await stopped(folder)


async def test_weights_of_another_shape_are_told_in_a_line(folder: Path) -> None:
    change(folder, hidden_size=64)
    told = await stopped(folder)
    assert "cannot be loaded" in told
    assert "\n" not in told


async def test_a_damaged_weights_file_is_told(folder: Path) -> None:
    (folder / "model.safetensors").write_bytes(b"\x10" + bytes(40))
    assert "cannot be loaded" in await stopped(folder)


async def test_an_architecture_that_is_unknown_is_told(folder: Path) -> None:
    change(folder, model_type="nonsense")
    assert "nonsense" in await stopped(folder)


async def test_an_unknown_attention_is_told(folder: Path) -> None:
    assert "cannot be loaded" in await stopped(folder, attention="nonsense")


async def test_code_of_the_model_s_own_does_not_run_unasked(tmp_path: Path) -> None:
    folder, ran = make(tmp_path / "own", Kind("gpt_neox")), tmp_path / "ran"
    (folder / "modeling_own.py").write_text(
        f"open({str(ran)!r}, 'w').close()\n"
        "from transformers import GPTNeoXConfig, GPTNeoXForSequenceClassification\n"
        "class OwnConfig(GPTNeoXConfig):\n    model_type = 'own'\n"
        "class OwnForSequenceClassification(GPTNeoXForSequenceClassification):\n"
        "    config_class = OwnConfig\n"
    )
    change(
        folder,
        model_type="own",
        architectures=["OwnForSequenceClassification"],
        auto_map={
            "AutoConfig": "modeling_own.OwnConfig",
            "AutoModelForSequenceClassification": "modeling_own.OwnForSequenceClassification",
        },
    )
    assert "which is not run unless you give --trust-remote-code" in await stopped(folder)
    assert not ran.exists()
    trusting = Classifier(LocalSettings(str(folder), trust_remote_code=True))
    assert trusting.identity["remote_code"] is True
    (outcome,) = await answers(trusting, [("2+2?", "4")])
    assert ran.exists()
    assert outcome.answer.value


# dtype and devices


def test_the_dtype_is_the_configuration_s_unless_one_is_named(folder: Path) -> None:
    assert Classifier(LocalSettings(str(folder))).identity["dtype"] == "float32"
    change(folder, dtype="bfloat16")
    assert Classifier(LocalSettings(str(folder))).identity["dtype"] == "bfloat16"
    named = LocalSettings(str(folder), dtype="float16")
    assert Classifier(named).identity["dtype"] == "float16"


def test_a_dtype_that_cannot_be_is_told(folder: Path) -> None:
    change(folder, dtype="float8_e4m3fn")
    assert "names the dtype 'float8_e4m3fn'; choose with --dtype" in refused(folder)
    assert "--dtype int8: there are auto, float32" in refused(folder, dtype="int8")


@pytest.mark.parametrize("device", ["tpu", "cuda:", "cpu:0", ""])
def test_a_device_that_cannot_be_is_told(folder: Path, device: str) -> None:
    assert "there are auto, cpu, mps, cuda and cuda:N" in refused(folder, device=device)


def test_a_device_that_is_not_here_is_told(folder: Path) -> None:
    assert "torch sees no such device here, only" in refused(folder, device="cuda:63")


def test_each_cuda_device_has_a_replica(monkeypatch: pytest.MonkeyPatch) -> None:
    import torch

    monkeypatch.setattr(torch.cuda, "device_count", lambda: 3)
    assert devices_of(LocalSettings("m", device="cuda")) == ("cuda:0", "cuda:1", "cuda:2")
    assert devices_of(LocalSettings("m", device="cuda:1")) == ("cuda:1",)


def test_a_device_map_needs_accelerate_and_chooses_devices_itself(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "accelerate", None)
    assert "pip install accelerate" in refused(folder, device_map="auto")
    assert "leave --device away" in refused(folder, device_map="auto", device="cpu")


# Libraries


@pytest.mark.parametrize("library", ["torch", "transformers", "safetensors"])
@pytest.mark.parametrize("kind", [Classifier, ImplicitReward])
def test_without_its_libraries_the_line_that_installs_them_is_told(
    kind: type[Any], library: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, library, None)
    with pytest.raises(UsageError, match=rf"needs {library}; .*pip install 'rmjudge\[local\]'"):
        kind(LocalSettings("some/model"))


def test_a_slow_import_is_not_made_for_the_identity(folder: Path) -> None:
    code = (
        "import sys\n"
        "from rmjudge.providers.registry import create\n"
        "from rmjudge.providers.spec import parse_spec\n"
        f"scorer = create(parse_spec('hf/{folder}'))\n"
        "assert scorer.identity['device'] == 'cpu'\n"
        "print(sorted({'torch', 'transformers'} & set(sys.modules)))"
    )
    if any(map(Path.exists, map(Path, ("/dev/nvidiactl", "/dev/kfd", "/dev/dxg")))):
        pytest.skip("where there may be an accelerator, torch is asked")
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_the_tokenizer_of_these_tests_knows_every_byte() -> None:
    tokenizer = make_tokenizer(Kind())
    assert tokenizer.decode(tokenizer("é世\n")["input_ids"]) == "é世\n"
