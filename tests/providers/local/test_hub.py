"""Models of the Hugging Face hub: pinned to a commit, and what is said when they cannot be had."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from local_models import Kind, answers, make

from rmjudge import UsageError
from rmjudge.providers.local.classifier import Classifier
from rmjudge.providers.local.hub import explanation
from rmjudge.providers.local.settings import LocalSettings


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make(tmp_path_factory.mktemp("model") / "rm", Kind())


@pytest.fixture
def _offline(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As HF_HUB_OFFLINE=1 and HF_HUB_CACHE set it, which are read when the library is imported."""
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))


@pytest.mark.usefixtures("_offline")
def test_a_hub_that_cannot_be_asked_is_told_with_what_to_do() -> None:
    with pytest.raises(UsageError) as caught:
        Classifier(LocalSettings("some/model"))
    told = str(caught.value)
    assert told.startswith("some/model: no folder of that name here, and the hub cannot be asked (")
    assert told.endswith("; name a folder, or try again with a network and without HF_HUB_OFFLINE")


@pytest.mark.usefixtures("_offline")
async def test_what_the_hub_kept_is_pinned_to_its_commit(original: Path, tmp_path: Path) -> None:
    commit = "0123456789abcdef0123456789abcdef01234567"
    repository = tmp_path / "hub" / "models--some--model"
    shutil.copytree(original, repository / "snapshots" / commit)
    (repository / "refs").mkdir()
    (repository / "refs" / "main").write_text(commit)
    scorer = Classifier(LocalSettings("some/model"))
    assert (scorer.identity["model"], scorer.identity["revision"]) == ("some/model", commit)
    local = await answers(Classifier(LocalSettings(str(original))))
    assert await answers(scorer) == local


HUB_ERRORS: dict[str, str] = {
    "GatedRepoError": "accept its licence at https://huggingface.co/some/model",
    "RepositoryNotFoundError": "no such model on the hub",
    "RevisionNotFoundError": "has no revision 'v9' on the hub",
    "HFValidationError": "no name that the hub could have",
    "HfHubHTTPError": "the hub cannot be asked",
}


@pytest.mark.parametrize(("name", "told"), HUB_ERRORS.items())
def test_what_the_hub_s_client_raises_is_said_in_words(name: str, told: str) -> None:
    import httpx
    from huggingface_hub import errors

    kind = getattr(errors, name)
    response = httpx.Response(404, request=httpx.Request("GET", "https://huggingface.co"))
    error = kind("no") if name == "HFValidationError" else kind("no", response=response)
    assert told in str(explanation("some/model", "v9", error))


def test_an_error_that_is_not_the_hub_s_is_left_alone() -> None:
    assert explanation("some/model", None, KeyError("x")) is None
