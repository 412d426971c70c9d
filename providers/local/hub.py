"""The Hugging Face hub: which commit a name stands for, and the small files of that commit."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from rmjudge.errors import UsageError

_SMALL: Final = (
    *("*.json", "*.jinja", "*.model", "*.txt", "*.tiktoken", "README.md"),
    "adapter_model.safetensors",
)


def snapshot_of_small_files(name: str, revision: str | None) -> tuple[Path, str]:
    """Fetch configuration and tokenizer; return their folder and the commit they are of.

    What was fetched before is used where the hub cannot be reached. Weights are not fetched here.

    Raises:
        UsageError: there is no such model or revision, it is gated, or the hub is out of reach.
    """
    from huggingface_hub import snapshot_download

    try:
        folder = Path(snapshot_download(name, revision=revision, allow_patterns=list(_SMALL)))
    except Exception as error:
        told = explanation(name, revision, error)
        if told is None:
            raise
        raise UsageError(told) from error
    if not any((folder / file).is_file() for file in ("config.json", "adapter_config.json")):
        raise UsageError(f"{name}: the hub's repository holds no config.json, so it is no model")
    return folder, folder.name


def snapshot_of_weights(name: str, commit: str) -> Path:
    """Fetch the safetensors files of a commit beside its small files; return their folder.

    Raises:
        OSError: the hub cannot be asked, or of its client's own errors.
    """
    from huggingface_hub import snapshot_download

    wanted = [*_SMALL, "*.safetensors"]
    return Path(snapshot_download(name, revision=commit, allow_patterns=wanted))


def explanation(name: str, revision: str | None, error: Exception) -> str | None:
    """Say in words what the hub's client means; None for an error that is not about the hub."""
    from huggingface_hub import errors

    if isinstance(error, errors.GatedRepoError):
        return (
            f"{name} is gated: accept its licence at https://huggingface.co/{name}, then set the "
            "environment variable HF_TOKEN"
        )
    if isinstance(error, errors.RevisionNotFoundError):
        return f"{name} has no revision {revision!r} on the hub; name a branch, a tag or a commit"
    if isinstance(error, errors.RepositoryNotFoundError):
        return (
            f"{name}: no folder of that name here and no such model on the hub; a private one "
            "needs the environment variable HF_TOKEN"
        )
    if isinstance(error, errors.HFValidationError):
        return f"{name}: no folder of that name here, and no name that the hub could have"
    unreachable = (errors.LocalEntryNotFoundError, errors.OfflineModeIsEnabled)
    if isinstance(error, (*unreachable, errors.HfHubHTTPError, OSError)):
        return (
            f"{name}: no folder of that name here, and the hub cannot be asked "
            f"({_first_line(error)}); name a folder, or try again with a network and without "
            "HF_HUB_OFFLINE"
        )
    return None


def _first_line(error: Exception) -> str:
    text = str(error).strip()
    return text.splitlines()[0][:200] if text else type(error).__name__
