"""What the words and codes of an error are about: the account, one prompt, its length, the way.

A vendor's codes decide before its words, and clear words before a status: one 403 closes an
account, another declines a prompt. The codes and phrases are those that vendors document and
users report; a new one is one more line here.
"""

from __future__ import annotations

import re
from typing import Final, Literal

from rmjudge.providers.sending.absent import CODES, absent
from rmjudge.providers.sending.said import Said

About = Literal["account", "prompt", "length", "model", "address", "overload"]
FOR_ALL: Final = frozenset(("account", "model", "address"))
"""What concerns every call of a run, not this one."""

EMPTY_PURSE: Final = frozenset(
    (
        "insufficient_quota",
        "insufficient_balance",
        "insufficient_balance_error",
        "insufficient_credits",
        "insufficient_funds",
        "exceeded_current_quota_error",
        "enforced_spend_limit_reached",
        "billing_hard_limit_reached",
        "billing_not_active",
        "billing_error",
        "budget_exceeded",
        "access_terminated",
        "account_deactivated",
        "account_suspended",
        "Arrearage",
        "AllocationQuota.FreeTierOnly",
        "API_KEY_INVALID",
        "BILLING_DISABLED",
        "SERVICE_DISABLED",
        "invalid_api_key",
        "authentication_error",
        "quota-of-the-day",
    )
)
WITHHELD: Final = frozenset(
    (
        "content_filter",
        "content_filtered",
        "content_policy",
        "content_policy_violation",
        "contentFilter",
        "ContentPolicyViolationError",
        "ResponsibleAIPolicyViolation",
        "data_inspection_failed",
        "DataInspectionFailed",
        "moderation_blocked",
        "guardrail_intervened",
        "safety_violation",
    )
)
DECLINED: Final = frozenset(
    ("invalid_prompt", "bio_policy", "misalignment_policy_violation", "content_policy_violation")
)
"""Why a response `failed` that was delivered all the same; its dialect reads it."""

_ACCOUNT: Final = re.compile(
    r"""
    insufficient[ _-]*(quota|balance|fund|credit|account)
    | (exceed\w*|reached|over|used\ up|exhausted)\ .{0,40}
      (quota|spend\w*\ (limit|cap)|usage\ limits?|budget|credits?|free\ tier)\b
    | (balance|credits?|quota|purse|funds?)\ (\w+\ ){0,3}
      (too\ low|not\ enough|exhausted|depleted|used\ up|negative|has\ run\ out|expired)
    | (out\ of|no|not\ enough|add\ more|purchase|buy)\ (\w+\ ){0,3}(credits?|balance)\b
    | \b(key|spending|monthly)\ limit\ (has\ been\ |was\ )?(exceeded|reached)
    | spend(ing)?[ _]limit | budget\ has\ been\ exceeded | exceeded\ budget | exceededbudget
    | billing\ (\w+\ )?(limit|not\ active|inactive|issue|problem|error|disabled)
    | (plan\ and|check\ your|enable|update\ your)\ billing
    | payment\ (is\ )?required | unpaid\ invoice | past\ due | overdue | arrear | recharge
    | top\ up\ your | please\ top\ up
    | (not|n't)\ have\ any\ (remaining\ )?credits
    | (account|organi[sz]ation|project|user|team|key|consumer|subscription)\b
      (\ \S+)?\ ((is|has\ been|was|been|currently|temporarily)\ )*
      (suspended|deactivated|disabled|banned|blocked|not\ active|inactive|locked|terminated
       |expired|revoked|restricted|closed|frozen)
    | (incorrect|invalid|wrong|expired|missing|no|bad|unknown|malformed|revoked)
      \ (\w+\ )?(api[ _-]?key|auth\w*\ (token|key|header|credentials?)|access\ token|credentials?)
    | api[ _-]?key\ (\w+\ ){0,4}(invalid|incorrect|not\ valid|expired|required|missing|not\ found
      |not\ provided|revoked|disabled|unauthorized)
    | (not\ have|n't\ have|no|without|lacks?|denied|cannot|not\ been\ granted)\ (\w+\ ){0,2}
      (access|permissions?)\ (\w+\ ){0,4}(model|deployment|project|endpoint|resource|api)
    | access\ to\ (\w+\ ){0,3}(model|deployment|api)\ (\S+\ )?(\w+\ ){0,2}
      (denied|forbidden|not\ (allowed|granted))
    | not\ have\ access\ to\ (it|this|that)\b
    | api[ _-]?key\ (\w+\ ){0,3}(leaked|compromised) | carry\ the\ api\ secret\ key
    | (organi[sz]ation|account|project|phone|email)\ (\w+\ )?must\ be\ verified
    | (country|region|territory|location)\b.{0,40}\ (not\ supported|unsupported|not\ available)
    | not\ (available|supported)\ in\ (your|this)\ (country|region|location)
    | not\ (in|on)\ (the|your|an)\ (ip\ )?(allow|white)[ -]?list
    | invalid\ authentication | \b(not\ |un)authenticated\b | token\ (has\ |is\ )?expired
    | log[ -]?in\ fail | authentication\ (error|failed|failure) | ^unauthorized\b
    | lacks?\ (the\ )?(required\ )?(scope|permission)s?\b
    | model\ (\S+\ )?(has\ been\ |is\ |was\ )?(decommissioned|retired|shut\ down)
    | invalid\ model\ name
    | (key|token|team|user|account|project|organi[sz]ation|plan|tier)\ (\w+\ ){0,2}
      (not\ allowed|can\ only|may\ only|not\ permitted|not\ authorized|cannot)
      \ (\w+\ ){0,3}(access|use|call|model)
    | not\ (authori[sz]ed|allowed|permitted|entitled)\ (to\ )?(access|use|invoke|call|perform)
    | model\ ('[^']*'\ |"[^"]*"\ |\S+\ )?(is\ |has\ been\ )?
      (not\ (allowed|permitted|enabled|authori[sz]ed)|forbidden)
    | 余额不足 | 欠费 | 账户.{0,6}(停用|冻结|封禁) | 密钥.{0,6}(无效|错误)
    """,
    re.I | re.X,
)
_PROMPT: Final = re.compile(
    r"""
    content[ _-]?(filter|polic|moderat|management|safety|security|risk|inspection|guideline)
    | content\ exists\ risk | contentpolicy | responsible\ ?ai
    | (usage|acceptable\ use|safety|community|use|our|openai\S*)\ (guideline|polic)
    | safety[ _-](check|system|filter|setting|reason|violation|concern|classifier|block)
    | \bmoderat(ion|ed|or)\b | guard\ ?rail | jail\ ?break
    | prompt[ _-](injection|shield|guard|attack) | denied\ topic | \btoxic(ity)?\b
    | (matche[sd]|by)\ (\w+\ ){0,2}waf\b | hate\ speech | self[- ]harm
    | (may|might|could)\ (include|contain)\ personal
    | (blocked|denied|rejected)\ by\ (a\ |the\ |our\ )?(waf|web\ application\ firewall)
    | \bflagged\b | inappropriate | \bharmful | \bunsafe\b | new_sensitive | high\ risk
    | (?<![-\w])sensitive\ (content|info|word|data|topic|material|text) | contains?\ sensitive
    | (prompt|input|content|request|message|text|query)s?\ ((was|were|is|are|has|have|been|may|
      might|contains?|potentially|possibly)\ )*
      (blocked|filtered|rejected\ (by|as|due|because)|prohibited|denied\ by|offensive|violat
       |declined|disallowed|toxic)
    | (blocked|rejected|refused|declined|filtered|intercepted|denied)\ by\ (\w+\ ){0,3}
      (filter|polic|rule|firewall|waf|guard|classifier|shield|safety|security)
    | violat\w*\ (\w+\ ){0,4}(polic|guideline|rule|term|standard)
    | prohibited[ _]content | disallowed\ content | invalid\ prompt | invalid_prompt
    | (pii|personal\ data|personally\ identifiable)\ (\w+\ ){0,3}(detected|found|blocked)
    | data\ ?inspection | data_inspection | 敏感 | 不安全 | 违规 | 风险
    """,
    re.I | re.X,
)
_LENGTH: Final = re.compile(
    r"""
    context[ _]?(length|window|size|limit) | contextwindowexceeded
    | (maximum|max|allowed)[ _]?(\w+[ _]){0,3}(length|len|tokens|size)\b
    | too\ (long|large|many\ (input\ )?tokens|big) | string_above_max_length | request_too_large
    | (prompt|input|request|text|message|token|sequence|conversation|total)s?\b.{0,80}
      (exceed|longer\ than|larger\ than|greater\ than|over\ the\ limit|above\ the\ (limit|maximum)
       |more\ than\ the\ (limit|maximum))
    | exceeds?\ .{0,60}(tokens?|length|context|limit\ of)\b
    | reduce\ the\ (length|size|prompt|input) | range\ of\ input\ length
    | \bn_ctx\b | must\ have\ less\ than\ \d+
    | tokens?\ limit | entity\ too\ large
    """,
    re.I | re.X,
)
_LONG_LIMIT: Final = re.compile(
    r"(per|a|for (the|this)|of (the|this))[ -]day\b|(per|/|calls a) ?month\b|\bdaily\b"
    r"|\(RPD\)|\(TPD\)"
    r"|(monthly|weekly) (\w+ ){0,2}(quota|limit|usage|budget)",
    re.I,
)
_OVERLOAD: Final = re.compile(
    r"rate[ _]?limit|too many requests|overloaded|server is busy|throttl|requests per minute"
    r"|tokens per minute|\b([RT]PM|qps)\b|try again later|request limit reached"
    r"|no healthy upstream",
    re.I,
)
_TOO_LARGE_FOR_THE_RATE: Final = re.compile(r"request (is )?too large", re.I)
_A_MINUTE: Final = re.compile(
    # Google says "(e.g. check quota)" of a minute's allowance, without any detail.
    r"e\.g\. check quota|per[- ]?(minute|min|second|sec)\b|PerMinute|\b[RT]PM\b|call rate limit|"
    r"concurren",
    re.I,
)
_LINK: Final = re.compile(r"https?://\S+")
_QUOTED: Final = re.compile(r"""(?<!\w)(["'])(?:(?!\1).){60,}?\1""")
"""A long quotation is likely the prompt, whose words are not the server's."""


def about_by_code(said: Said) -> About | None:
    """What an error's codes are about, where they are known."""
    if said.codes & EMPTY_PURSE:
        return "account"
    if said.codes & WITHHELD:
        return "prompt"
    return "model" if said.codes & CODES else None


def about_by_words(said: Said) -> About | None:
    """What an error's words are about, where they are clear."""
    if said.is_page:
        return None
    text = _LINK.sub(" ", _QUOTED.sub(" ", said.text))
    if _ACCOUNT.search(text):
        return "account"
    if _PROMPT.search(text) or "invalid_prompt" in said.codes:
        return "prompt"
    if _LENGTH.search(text):
        return "length"
    # A parameter that is complained of is told, with the option that takes it out.
    return absent(text) if said.param in ("", "model") else None


def about_in_success(said: Said) -> About | None:
    """What an error is about that came with a 200 and no status of its own."""
    found = about_by_code(said) or about_by_words(said)
    if found is None and _OVERLOAD.search(said.text):
        return "overload"
    return found


def ends_a_run(said: Said) -> bool:
    """Whether a 429 is about an empty purse, or a day's, a week's or a month's allowance.

    Google and others say "quota" of a minute's allowance as well.
    """
    if _LONG_LIMIT.search(said.text):
        return True
    passes = said.retry_delay_s is not None or _A_MINUTE.search(said.text)
    return not passes and about_by_words(said) == "account"


def never_fits(said: Said) -> bool:
    """Whether a 429 says that this one request is more than a minute's whole allowance."""
    return bool(_TOO_LARGE_FOR_THE_RATE.search(said.text))
