"""Sides depend on the text alone; shares are obeyed; the seed draws who goes."""

from __future__ import annotations

import pytest

from mothertongue.corpus.config import CorpusConfig
from mothertongue.corpus.gather import Census
from mothertongue.corpus.settle import _fill
from mothertongue.corpus.shares import capped_bytes, over_share
from mothertongue.corpus.split import position, side_of, text_digest
from mothertongue.errors import SourceError


def test_sides_have_their_shares() -> None:
    sides = [side_of(text_digest(f"dokument {n}"), heldout_share=0.1, dev_share=0.05) for n in range(4000)]
    assert sides.count("heldout") == pytest.approx(400, rel=0.2)
    assert sides.count("dev") == pytest.approx(200, rel=0.3)


def test_a_larger_heldout_share_only_adds_documents() -> None:
    digests = [text_digest(str(n)) for n in range(2000)]
    few, more = ({d for d in digests if side_of(d, heldout_share=h, dev_share=0) == "heldout"} for h in (0.02, 0.1))
    assert few < more


def test_another_draw_holds_out_other_documents() -> None:
    digests = [text_digest(str(n)) for n in range(2000)]
    first, second = (
        {d for d in digests if side_of(d, heldout_share=0.2, dev_share=0, draw=n) == "heldout"} for n in (0, 1)
    )
    assert len(second) == pytest.approx(400, rel=0.2)
    assert len(first & second) == pytest.approx(80, rel=0.4)


@pytest.mark.parametrize(("draw", "expected"), [(0, [11, 15]), (1, [15, 18]), (2, [5, 14])])
def test_another_draw_also_fills_an_empty_side_with_others(draw: int, expected: list[int]) -> None:
    config = CorpusConfig(split_draw=draw, heldout_share=0.001, dev_share=0.001)
    digests = [text_digest(f"dokument {n}") for n in range(20)]
    sides: list[str] = ["train"] * 20
    _fill(sides, Census(digests), config, told="", number=1)
    assert [n for n, side in enumerate(sides) if side != "train"] == expected


def test_positions_lie_between_zero_and_one() -> None:
    assert position(bytes(16)) == 0
    assert 0.999 < position(b"\xff" * 16) < 1


def test_a_source_is_capped_at_its_share_of_what_remains() -> None:
    sizes = capped_bytes({"law": 900, "wiki": 200, "books": 100}, {"law": 1 / 3, "wiki": 1, "books": 1})
    assert sizes == {"law": 150, "wiki": 200, "books": 100}


def test_several_caps_hold_at_once() -> None:
    sizes = capped_bytes({"a": 1000, "b": 1000, "c": 100}, {"a": 0.4, "b": 0.2, "c": 1})
    total = sum(sizes.values())
    assert sizes["a"] <= 0.4 * total + 1
    assert sizes["b"] <= 0.2 * total + 1
    assert sizes["c"] == 100


def test_a_source_below_its_share_is_left_whole() -> None:
    assert capped_bytes({"a": 10, "b": 90}, {"a": 0.5, "b": 1}) == {"a": 10, "b": 90}


def test_a_share_that_nothing_can_meet_is_an_error() -> None:
    with pytest.raises(SourceError, match="max_share of law cannot be met"):
        capped_bytes({"law": 1000, "wiki": 0}, {"law": 0.3, "wiki": 1})


def test_who_goes_depends_on_the_seed_and_not_on_the_order() -> None:
    documents = [(text_digest(str(n)), 10) for n in range(100)]
    gone = over_share(documents, 500, seed=1)
    assert len(gone) == 50
    assert gone == over_share(documents, 500, seed=1) != over_share(documents, 500, seed=2)
    backwards = over_share(documents[::-1], 500, seed=1)
    assert {documents[n] for n in gone} == {documents[::-1][n] for n in backwards}
