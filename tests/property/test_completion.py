from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from mothertongue.use.complete import Completer
from mothertongue.use.cursor import runs, split_run
from mothertongue.use.prompt import clean_prompt

TEXTS = [
    "Ráno svítilo slunce, a nad řekou ležela mlha. „Příliš žluťoučký kůň,“ řekl.",
    "Сутринта слънцето изгря над реката; „ъгълът е щърбав“ – каза той. 15 юни!",
    "Ahoj 🦄👩‍🔬! Jedeme 🚂 do Brna…\n\nJupí 🎉🎉 :-)",
    "Vlak за Пловдив leaves в 9:45, šťastnou cestu и лек път 雨が止んだ नि. می\u200cرود!",
]
quick = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture(scope="module")
def completer(make_engine: Callable[..., Any]) -> Completer:
    return Completer(make_engine(sharpness=2.0))


@pytest.fixture(scope="module")
def exact(make_engine: Callable[..., Any]) -> Completer:
    return Completer(make_engine(sharpness=2.0), exact=True)


@quick
@given(text=st.sampled_from(TEXTS), share=st.floats(0, 1))
def test_what_is_offered_begins_with_the_typed_bytes_at_any_cut(completer: Completer, text: str, share: float) -> None:
    data = clean_prompt(text).encode()
    typed = data[: round(share * len(data))]
    found = completer.words(typed, k=4)
    assert found
    whole = typed.decode("utf-8", errors="ignore")
    for word in found:
        assert (whole + word.text).encode().startswith(typed)
        assert len((whole + word.text).encode()) > len(typed)
        assert 0 < word.probability <= 1 + 1e-6
    assert sum(word.probability for word in found) <= 1 + 1e-6


@quick
@given(text=st.sampled_from(TEXTS), share=st.floats(0, 1))
def test_a_word_that_is_begun_goes_on_with_its_own_letters(completer: Completer, text: str, share: float) -> None:
    typed = text[: round(share * len(text))]
    _, run = split_run(clean_prompt(typed))
    for word in completer.words(typed, k=4):
        if word.word != word.text.lstrip():
            assert word.word == run.lstrip() + word.text


@settings(quick, max_examples=20)
@given(text=st.sampled_from(TEXTS), place=st.integers(0, 10_000), cut=st.integers(0, 10_000))
def test_the_exact_probability_of_a_word_is_the_same_from_any_cut(
    exact: Completer, text: str, place: int, cut: int
) -> None:
    parts = runs(clean_prompt(text))
    number = place % len(parts)
    before, word = "".join(parts[:number]).encode(), parts[number].encode()
    assume(len(word) <= 9 and len(parts[number - 1].encode()) <= 9)  # all cuttings are few enough
    at = cut % len(word)
    at_once = exact.probability(before, word)
    begun = exact.probability(before, word[:at], ends=False)
    assert 0 < at_once <= begun <= 1
    assert begun * exact.probability(before + word[:at], word[at:]) == pytest.approx(at_once, rel=1e-4)


@settings(quick, max_examples=12)
@given(text=st.text(max_size=40))
def test_any_text_has_words(completer: Completer, text: str) -> None:
    found = completer.words(text, k=2)
    assert len(found) == 2
    assert all(word.text.encode() for word in found)


@given(st.text(alphabet="ab,. \n\tжř🦄", max_size=40))
def test_runs_are_the_text(text: str) -> None:
    assert "".join(runs(text)) == text
    assert "".join(split_run(text)) == text
