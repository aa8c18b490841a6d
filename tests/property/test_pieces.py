from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from mothertongue.use.pieces import Pieces, text_of


@st.composite
def cut_texts(draw: st.DrawFn) -> tuple[str, list[bytes]]:
    """A text and its UTF-8 bytes cut anywhere, as the tokens of a byte-level vocabulary may cut them."""
    text = draw(st.text(alphabet=st.one_of(st.sampled_from("abжщ🦄雨\n "), st.characters(exclude_categories=["Cs"]))))
    data = text.encode()
    cuts = sorted({0, len(data), *draw(st.lists(st.integers(0, len(data)), max_size=len(data)))})
    return text, [data[a:b] for a, b in pairwise(cuts)]


@given(cut_texts())
def test_pieces_join_to_the_text_however_letters_are_cut(cut: tuple[str, list[bytes]]) -> None:
    text, parts = cut
    pieces = Pieces(dict(enumerate(parts)))
    given_out = [pieces.push(token) for token in range(len(parts))]
    assert "".join(given_out) + pieces.close() == text == text_of(range(len(parts)), dict(enumerate(parts)))
    assert all("\ufffd" not in piece for piece in given_out) or "\ufffd" in text


@given(cut_texts(), st.lists(st.text(min_size=1, max_size=4), min_size=1, max_size=3))
def test_text_ends_before_the_first_stop_string(cut: tuple[str, list[bytes]], stops: list[str]) -> None:
    text, parts = cut
    pieces = Pieces(dict(enumerate(parts)), stop=stops)
    found = "".join(pieces.push(token) for token in range(len(parts))) + pieces.close()
    assert text.startswith(found)
    assert not any(stop in found for stop in stops)
    assert found == text or any(text[len(found) :].startswith(stop) for stop in stops)


@given(st.lists(st.binary(max_size=5)))
def test_any_bytes_give_what_a_lenient_decoder_gives(parts: list[bytes]) -> None:
    pieces = Pieces(dict(enumerate(parts)))
    found = "".join(pieces.push(token) for token in range(len(parts))) + pieces.close()
    assert found == b"".join(parts).decode("utf-8", errors="replace")
