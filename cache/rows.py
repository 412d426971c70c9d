"""A reply as one line of ASCII text with a checksum, so that damage is seen, not scored."""

from __future__ import annotations

import hashlib
import json

from rmjudge.calls import Json, Reply, Usage, answer_from_json, answer_to_json

FORMAT = 1
_SUM_DIGITS = 16
# `json.dumps` with separators makes an encoder for every text, at the price of encoding one.
_ENCODE = json.JSONEncoder(separators=(",", ":"), allow_nan=False).encode


class DamagedRecordError(ValueError):
    """A stored row that is not what was written."""


def encode(reply: Reply) -> str:
    """Turn a reply into a row's text: checksum, blank, JSON."""
    record: dict[str, Json] = {
        "format": FORMAT,
        "answer": answer_to_json(reply.answer),
        "parser": reply.parser,
        "raw": reply.raw,
        "model": reply.model,
        "usage": [
            reply.usage.input_tokens,
            reply.usage.output_tokens,
            reply.usage.cached_tokens,
            reply.usage.stored_tokens,
        ],
        **({"open": True} if reply.open else {}),
        **({"tries": reply.tries} if reply.open and reply.tries > 1 else {}),
        **({"order": reply.ordered_by} if reply.ordered_by != "id" else {}),
        **({"asked": dict(reply.asked)} if reply.asked else {}),
    }
    # In places of their own, where there is something: earlier versions read these rows too.
    if reply.usage.dollars is not None:
        record["dollars"] = reply.usage.dollars
    if reply.usage.batch is not None:
        part = reply.usage.batch
        record["batch"] = [
            part.input_tokens,
            part.output_tokens,
            part.cached_tokens,
            part.stored_tokens,
        ]
    if reply.host is not None:
        record["host"] = reply.host
    # ensure_ascii: lone surrogates and NUL in a model's text cannot be stored as UTF-8.
    return seal(_ENCODE(record))


def ordered_by_id(text: str) -> bool:
    """Whether a row is of a version that drew the order of pairs from ids."""
    return '"order":"texts"' not in text  # as in `is_open`


def is_open(text: str) -> bool:
    """Whether a row holds a reply that is no answer yet; fast, and True of no other row."""
    return '"open":true' in text  # within a reply's text every quote has a backslash before it


def decode(text: str) -> Reply:
    """Read a row's text.

    Raises:
        DamagedRecordError: the checksum, the format or a field is wrong.
    """
    try:
        record = json.loads(unseal(text))
        if record["format"] != FORMAT:
            raise DamagedRecordError(f"format {record['format']!r} is not {FORMAT}")
        return Reply(
            answer=answer_from_json(record["answer"]),
            raw=record["raw"],
            parser=record["parser"],
            usage=_usage(record["usage"], record.get("dollars"), record.get("batch")),
            model=record["model"],
            open=record.get("open") is True,
            tries=record.get("tries", 1),
            asked=record.get("asked"),
            ordered_by=record.get("order", "id"),
            host=record.get("host"),
        )
    except DamagedRecordError:
        raise
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise DamagedRecordError(f"{type(error).__name__}: {error}") from error


def _usage(
    tokens: list[int | None], dollars: float | None, batch: list[int | None] | None = None
) -> Usage:
    read, written, cached, stored = tokens
    part = None if batch is None else _usage(batch, None)
    return Usage(read, written, cached, stored, dollars, part)


def seal(payload: str) -> str:
    """Put a checksum in front of a text."""
    return f"{_checksum(payload)} {payload}"


def unseal(text: str) -> str:
    """Take the checksum off again.

    Raises:
        DamagedRecordError: it does not match.
    """
    checksum, _, payload = text.partition(" ")
    if checksum != _checksum(payload):
        raise DamagedRecordError("checksum does not match")
    return payload


def _checksum(payload: str) -> str:
    return hashlib.sha256(payload.encode("utf-8", "surrogatepass")).hexdigest()[:_SUM_DIGITS]
