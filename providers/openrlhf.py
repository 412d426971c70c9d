"""`openrlhf/NAME`: a reward model behind OpenRLHF's remote reward server.

Wire: read in OpenRLHF (`openrlhf/cli/serve_rm.py`, and how its trainer asks), which is also what
home-made servers for `--reward.remote_url` speak. It has no key, no index and no error schema;
NAME is not sent.

**The server cuts long text silently** to its `--data.max_len` (2048 tokens unless set), and the
end that is cut may be the response: start it with a limit above the longest conversation. It
applies no chat template and adds no special tokens: the template writes the BOS token itself.
"""

from __future__ import annotations

from collections.abc import Sequence

from rmjudge.calls import Answer, Call, Json, Usage
from rmjudge.providers.base import (
    MalformedBodyError,
    Provider,
    Request,
    as_reward,
    member,
    reward_call,
)


class OpenRLHF(Provider):
    """Pointwise reward over rendered text, many texts a request."""

    name = "openrlhf"
    method = "pointwise"
    parser = "openrlhf-reward/1"
    url_variable = "OPENRLHF_BASE_URL"
    concurrency = 2
    """It computes one request at a time; the second is on its way meanwhile."""
    batch = 16
    wants_rendered_text = True

    def build(self, calls: Sequence[Call]) -> Request:
        """`query` is the whole text; `prompts` are for servers that score the response apart."""
        asked = [reward_call(call) for call in calls]
        query: list[Json] = [self.rendered(call) for call in asked]
        prompts: list[Json] = [call.prompt for call in asked]
        return Request("/get_reward", self.with_params({"query": query, "prompts": prompts}))

    def split(self, body: Json) -> Sequence[Json]:
        """One number a text, in order: `scores`, which the trainer prefers too, or `rewards`."""
        for name in ("scores", "rewards"):
            numbers = member(body, name)
            if isinstance(numbers, list):
                return numbers
            if numbers is not None:
                raise MalformedBodyError(f"`{name}` is a list, one number a text")
        raise MalformedBodyError("a reward reply has `scores` or `rewards`")

    def read(self, part: Json, call: Call) -> tuple[Answer, Usage, str | None]:
        """Read the number. The server tells neither tokens nor model."""
        if isinstance(part, (list, dict)):
            raise MalformedBodyError("a text's reward is one number; this server nests them")
        return as_reward(part), Usage(), None
