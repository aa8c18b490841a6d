from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from mothertongue.use.exact import Spelling
from mothertongue.use.table import Kind, TokenTable, kind_of, torn_kind

# words have several cuttings here, and letters and dashes several tokens
TOKENS = [b"", b" a", b"b", b" ab", b",", b" ", b"a", b"\xd0", b"\xb6", b"\xe2\x80", b"\x94", b" \xd0", b"b,"]
TABLE = TokenTable(dict(enumerate(TOKENS)), len(TOKENS))
DEPTH = 4  # after so many tokens the document ends


def chance(path: tuple[int, ...]) -> NDArray[np.float64]:
    if len(path) >= DEPTH:
        return np.eye(len(TOKENS))[0]
    return np.asarray(np.random.default_rng([7, *path]).dirichlet(np.ones(len(TOKENS))))


def all_texts(path: tuple[int, ...] = (), data: bytes = b"") -> list[tuple[float, bytes]]:
    """The definition: every sequence of tokens with its probability."""
    found = []
    for token, p in enumerate(chance(path)):
        below = all_texts((*path, token), data + TOKENS[token]) if token and p else [(1.0, data)]
        found += [(p * share, text) for share, text in below]
    return found


TEXTS = all_texts()
SPELLING = Spelling(chance, TABLE)


@pytest.mark.parametrize("data", [b"", b" ", b" a", b" ab", b"ab", b" ab,", b"\xd0", b" \xd0\xb6", b" a\xe2\x80"])
def test_the_probability_of_a_beginning_is_that_of_all_texts_with_it(data: bytes) -> None:
    assert SPELLING.reach(data) == pytest.approx(sum(p for p, text in TEXTS if text.startswith(data)), rel=1e-5)


@pytest.mark.parametrize("data", [b" a", b" ab", b"ab", b"b", b" \xd0\xb6"])
def test_the_probability_of_an_end_is_that_of_all_texts_that_go_on_otherwise(data: bytes) -> None:
    expected = 0.0
    for p, text in TEXTS:
        rest = text[len(data) :].decode("utf-8", errors="replace")
        if text.startswith(data) and (not rest or (rest[0] != "\ufffd" and kind_of(rest[0]) is not Kind.LETTER)):
            expected += p
    assert SPELLING.end(data, Kind.LETTER) == pytest.approx(expected, rel=1e-5)


def test_the_kind_of_a_torn_letter_is_known_where_it_is_sure() -> None:
    assert torn_kind("ж".encode()[:1]) is Kind.LETTER
    assert torn_kind("é".encode()[:1]) is None  # the multiplication sign begins so, too
    assert torn_kind("🦄".encode()[:1]) is None


def test_tokens_with_a_beginning_are_found_and_tokens_inside() -> None:
    assert sorted(TABLE.beginning_with(b" a").tolist()) == [1, 3]
    assert sorted(TABLE.beginning_with(b" ").tolist()) == [1, 3, 5, 11]
    assert sorted(TABLE.beginning_with(b"").tolist()) == list(range(1, len(TOKENS)))
    assert TABLE.inside(b" ab") == [5, 1]
    assert TABLE.inside(b"a") == []
    assert TokenTable({0: b"\xff", 1: b"\xff\xff", 2: b"a"}, 3).beginning_with(b"\xff").tolist() == [0, 1]
