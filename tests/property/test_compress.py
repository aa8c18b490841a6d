from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from mothertongue.compress.layers import check_layers, even_groups, leaders
from mothertongue.compress.schedule import draw


@given(layers=st.integers(1, 20), each=st.integers(2, 10), initial=st.sampled_from(["ends", "every-other"]))
def test_a_successor_module_begins_as_one_of_the_layers_it_stands_for(layers: int, each: int, initial: str) -> None:
    kept = leaders(even_groups(layers * each, layers), initial)
    assert [index // each for index in kept] == list(range(layers))
    assert check_layers(layers * each, layers) == layers


@given(count=st.integers(1, 40), rate=st.floats(0.01, 1), seed=st.integers(0, 2**31), step=st.integers(0, 10**6))
def test_a_draw_repeats_itself_and_is_never_empty(count: int, rate: float, seed: int, step: int) -> None:
    drawn = draw(count, rate, seed=seed, step=step)
    assert drawn.shape == (count, 1)
    assert drawn.any()
    assert (drawn == draw(count, rate, seed=seed, step=step)).all()
