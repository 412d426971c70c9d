"""Keys: never in a text, whichever way it was asked for."""

from __future__ import annotations

import base64
import copy
import json
import pickle
import re
from collections.abc import Callable
from urllib.parse import quote

import pytest

from rmjudge.providers.sending.redaction import MASK, Secret

KEY = "sk-Ab/9+x=Zq\"7&'~~>>>????"
"""Its forms all differ from each other."""

ECHOES = {
    "as it is": KEY,
    "quoted for a URL": quote(KEY, safe=""),
    "quoted for a path": quote(KEY),
    "in JSON": json.dumps(KEY)[1:-1],
    "in JSON as PHP writes it": json.dumps(KEY)[1:-1].replace("/", "\\/"),
    "in Base64": base64.b64encode(KEY.encode()).decode(),
    "in Base64 for URLs": base64.urlsafe_b64encode(KEY.encode()).decode(),
    "in Base64 without padding": base64.b64encode(KEY.encode()).decode().rstrip("="),
    "as the password of basic authentication": base64.b64encode(f":{KEY}".encode()).decode(),
    "in hexadecimal": KEY.encode().hex(),
    "in capital hexadecimal": KEY.encode().hex().upper(),
    "quoted with small letters": re.sub("%..", lambda code: code[0].lower(), quote(KEY, safe="")),
}


@pytest.mark.parametrize("echo", ECHOES.values(), ids=list(ECHOES))
def test_a_key_is_struck_out_however_it_is_echoed(echo: str) -> None:
    struck = Secret(KEY).strike(f"before {echo} between {echo} after")

    assert struck.replace("=", "") == f"before {MASK} between {MASK} after"


@pytest.mark.parametrize("before", ["", "a", "ab", "abc", "Bearer ", "user:"])
@pytest.mark.parametrize("after", ["", "z", "zz", "zzz"])
@pytest.mark.parametrize("encode", [base64.b64encode, base64.urlsafe_b64encode])
def test_a_key_is_struck_out_of_the_base64_of_a_longer_text(
    before: str, after: str, encode: Callable[[bytes], bytes]
) -> None:
    told = encode(f"{before}{KEY}{after}".encode()).decode()
    struck = Secret(KEY).strike(told)
    left = [part for part in struck.split(MASK) if part]

    assert MASK in struck
    # What is left at the edges holds bits of the neighbours, and of one letter of the key each.
    assert sum(map(len, left)) <= -(-(len(before) + len(after)) * 4 // 3) + 6


def test_the_forms_tried_above_are_different_ones() -> None:
    assert len(set(ECHOES.values())) == len(ECHOES)


def test_a_text_without_the_key_stays_as_it_is() -> None:
    text = "sk-Ab is not all of it"

    assert Secret(KEY).strike(text) is text


@pytest.mark.parametrize("key", ["", "a", "token"])
def test_a_key_as_short_as_a_word_is_not_struck_out_of_words(key: str) -> None:
    assert Secret(key).strike("a token, no more") == "a token, no more"


def test_the_key_itself_is_there_for_the_request() -> None:
    assert Secret(KEY).reveal() == KEY


@pytest.mark.parametrize(
    "shown", [repr, str, "{}".format, "{!r}".format, lambda key: f"{[key]} { ({'key': key}) }"]
)
def test_a_secret_shows_nothing(shown: object) -> None:
    assert callable(shown)
    text = shown(Secret(KEY))

    assert KEY not in text
    assert MASK in text


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_a_secret_is_not_pickled(protocol: int) -> None:
    with pytest.raises(TypeError, match="not written to disk"):
        pickle.dumps(Secret(KEY), protocol)


@pytest.mark.parametrize("copied", [copy.copy, copy.deepcopy])
def test_a_secret_is_not_copied(copied: object) -> None:
    assert callable(copied)
    with pytest.raises(TypeError, match="not written to disk"):
        copied(Secret(KEY))


def test_a_secret_has_no_attributes_to_list() -> None:
    assert not hasattr(Secret(KEY), "__dict__")
