"""Which engines can be started here, and how.

Read in vLLM 0.32 (`vllm serve`, `/health`, `/version`) and SGLang 0.5 (`sglang.launch_server`,
`/health`, `/get_server_info`).
"""

from __future__ import annotations

import shutil
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Final


@dataclass(frozen=True, slots=True)
class Engine:
    """An engine that serves one model.

    `flags` stand behind the model; `model_flag` before it, where it has one. `version_path` answers
    with an object that has `version`. `base` is added to the server's root for the provider.
    `module` starts it where its command is not on PATH.
    """

    name: str
    flags: tuple[str, ...] = ()
    model_flag: str | None = None
    version_path: str = "/version"
    base: str = ""
    module: str | None = None
    ready_path: str = "/health"

    @property
    def launcher(self) -> tuple[str, ...] | None:
        """The words that start it; None where it is not installed."""
        if found := shutil.which(self.name):
            return (found, "serve")
        if self.module is not None and find_spec(self.name) is not None:
            return (sys.executable, "-m", self.module)
        return None

    def command(self, model: str, port: int, arguments: Sequence[str]) -> list[str]:
        """The whole command; the user's arguments come last, so that they win."""
        named = [self.model_flag, model] if self.model_flag else [model]
        place = ("--host", "127.0.0.1", "--port", str(port))
        return [*(self.launcher or ()), *named, *place, *self.flags, *arguments]


_VLLM: Final = Engine("vllm")
ENGINES: Final[Mapping[str, Engine]] = {
    "vllm": _VLLM,
    "vllm-pooling": _VLLM,
    "vllm-chat": Engine("vllm", base="/v1"),
    "sglang": Engine(
        "sglang",
        flags=("--is-embedding",),  # without it a reward model is served as a generator
        model_flag="--model-path",
        version_path="/get_server_info",
        module="sglang.launch_server",
    ),
}
"""By provider."""
