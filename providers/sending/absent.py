"""Words and codes of errors that say that a model, or a path, is not there at all.

They concern every call of a run, whatever their status. A model that is not there yet (it loads, it
is overloaded) is another matter: it is waited for.
"""

from __future__ import annotations

import re
from typing import Final, Literal

CODES: Final = frozenset(
    (
        "model_not_found",
        "model_not_exist",
        "model_not_available",
        "model_not_supported",
        "model_not_loaded",
        "model_decommissioned",
        "model_deprecated",
        "unknown_model",
        "unavailable_model",
        "unsupported_model",
        "invalid_model",
        "invalid_model_error",
        "ModelNotFound",
        "ModelNotFoundError",
        "ModelNotOpen",
        "UnsupportedModel",
        "DeploymentNotFound",
        "InvalidEndpointOrModel.NotFound",
        "OperationNotSupported",
    )
)
_NOT_YET: Final = re.compile(
    r"\bloading|try(ing)? again|please retry|retry (in|after|later)|temporar|overload|\bbusy\b"
    r"|capacity|warming|starting|in a (moment|few)|cold start|稍后",
    re.I,
)
_MODEL: Final = re.compile(
    r"""
    \b(unknown|invalid|unsupported|unrecogni[sz]ed|non-?existent|no\ such|unavailable)
      \ (\w+\ )?(model|deployment)\b(?!\ ?(output|response|reply|result|param|input|arg|setting|type
      |config|format|option|message|role|request))
    | \b(models?|deployment)\b[`'":/\ ]*(\S+\ +){0,4}?(is|was|were|has|does|do|did|could|can)?\ ?
      (not|n't|cannot)\ ?(been\ |be\ |currently\ )?(found|exist\w*|located)\b
    | \b(models?|deployment)\b[`'":/\ ]*(\S+\ +)?(is|was|has|are)?\ ?(not|n't)\ (been\ )?
      (available|deployed|supported|recogni[sz]ed|known|loaded|served|accessible|registered|installed
      |configured|enabled|activated|valid)\b
    | \bmodel\ (id|identifier|name|code)\b\ ?(\S+\ )?(is\ )?(invalid|unknown|wrong|not\ valid)
    | \bmodel\ (\S+\ )?(is|was|has\ been)\ (unavailable|unknown|deprecated|disabled|removed|deleted)
    | not\ an?\ (valid|known|recogni[sz]ed|supported|available|chat|reward|generative)\ model
    | not\ found\ the\ model | does\ not\ appear\ to\ be\ an?\ \w+\ model
    | \bno\ (\w+\ )?models?\ (\S+\ )?((is|are|was)\ )?(loaded|available|found|deployed|named|called)
    | \bno\ (\w+\ )?(channel|endpoint|provider|host|instance|deployment|backend)s?\ .{0,30}
      \b(for|support\w*|serv\w+|host\w*)\ (\w+\ ){0,2}models?\b
    | (failed|unable|not\ able)\ to\ (load|access|find|locate)\ (the\ |requested\ )*model
    | (could|can)(\ ?not|'t|n't)\ (load|access|find|locate)\ (the\ |requested\ )*model
    | (throughput|operation)\ (isn.t|is\ not|does\ not\ work)
    | \bmodel\b\ (\S+\ )?(is\ )?not\ in\ (the\ )?(\w+\ )?list | \bmodel\ (\w+\ )?must\ be\ one\ of
    | \bmodel\ (\w+\ )?is\ (required|missing) | must\ provide\ a\ model
    | \b(engine|endpoint\ with\ name)\ (\S+\ )?(is\ |was\ |does\ )?not\ (found|exist)
    | 模型.{0,40}(不存在|未找到|不可用|不支持|未开通|已下线) | (未知|无效|没有|找不到).{0,4}模型
    | 无可用渠道
    """,
    re.I | re.X,
)
_ADDRESS: Final = re.compile(
    r"""
    unexpected\ endpoint | (unknown|invalid|no\ such|unsupported)\ (url|path|endpoint|route|method)
    | (url|path|endpoint|route|page)\ (\S+\ )?(was\ )?
      (not\ (found|exist|supported)|does\ not\ exist)
    | no\ route | cannot\ post | ^not\ found\b
    | (only|not)\ supported\ (in|by|via|on|at|with)\ (the\ )?/?v\d/
    | not\ support\ (the\ )?(chat|completions?|generate|embed\w*|classif\w*|pooling|scor\w+|/?v\d
      |this\ (endpoint|operation|method)|(\w+\ )+api)\b
    """,
    re.I | re.X,
)


def absent(text: str) -> Literal["model", "address"] | None:
    """What the words of an error say is not there; None where they do not."""
    if _MODEL.search(text) and not _NOT_YET.search(text):
        return "model"
    return "address" if _ADDRESS.search(text) else None
