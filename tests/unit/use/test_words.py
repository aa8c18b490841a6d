from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from mothertongue.errors import ConfigError
from mothertongue.tokenizer.bytelevel import encode_text, end_of_text_id
from mothertongue.tokenizer.marks import token_bytes
from mothertongue.use.table import TokenTable
from mothertongue.use.words import NextWord, WordSearch, best_words, last_letters, read_beginning
from mothertongue.use.writer import Writer

# a vocabulary in which words have several cuttings, and letters several tokens
TOKENS = [b"", b" a", b"b", b" ab", b",", b" ", b"a", b"\xd0", b"\xb6", b"\xe2\x80", b"\x94", b" \xd0"]
TABLE = TokenTable(dict(enumerate(TOKENS)), len(TOKENS))
DEPTH = 2  # after so many tokens the document ends


def chance(path: tuple[int, ...]) -> NDArray[np.float64]:
    """Some distribution of the next token after `path`; every token is possible."""
    if len(path) >= DEPTH:
        return np.eye(len(TOKENS))[0]
    weights = np.random.default_rng([3, *path]).exponential(size=len(TOKENS))
    return np.asarray(weights / weights.sum())


Ask = Callable[[tuple[int, ...]], NDArray[np.float64]]


def search_words(ask: Ask, k: int, *, typed: bytes = b"", stem: str = "") -> list[NextWord]:
    return best_words([WordSearch(ask, TABLE, k, typed=typed, stem=stem)], k=k)


def word_chances(path: tuple[int, ...] = (), data: bytes = b"") -> dict[str, float]:
    """The definition: the probability of each word over all sequences of tokens after `path`."""
    found: dict[str, float] = {}
    for token, probability in enumerate(chance(path)):
        longer = data + (TOKENS[token] or b" ")
        beginning = read_beginning(longer)
        if probability == 0 or beginning is None:
            continue
        if beginning.finished:
            below = {beginning.text.strip(): 1.0}
        else:
            below = word_chances((*path, token), longer) if token else {}
        for word, share in below.items():
            found[word] = found.get(word, 0.0) + probability * share
    return found


def test_probabilities_are_those_of_all_token_sequences_together() -> None:
    found = {word.word: word.probability for word in search_words(chance, k=1000)}
    expected = word_chances()
    assert found == pytest.approx(expected)
    assert {",", "ab", "a", "ж", "—"} <= found.keys()
    assert list(found.values()) == sorted(found.values(), reverse=True)


def test_probabilities_after_a_space_are_conditional_on_it() -> None:
    found = {word.word: word.probability for word in search_words(chance, k=1000, typed=b" ")}
    space = sum(chance(())[token] for token, data in enumerate(TOKENS) if data.startswith(b" "))
    expected: dict[str, float] = {}
    for token, data in enumerate(TOKENS):
        if data.startswith(b" "):
            for word, share in word_chances((token,), data).items():
                expected[word] = expected.get(word, 0.0) + chance(())[token] / space * share
    assert found == pytest.approx(expected)


def test_a_few_words_are_the_best_of_all() -> None:
    everything = search_words(chance, k=1000)
    assert [word.word for word in search_words(chance, k=3)] == [word.word for word in everything[:3]]


def chances(given: dict[int, float]) -> NDArray[np.float64]:
    row = np.zeros(len(TOKENS))
    row[list(given)] = list(given.values())
    return row


def test_two_cuttings_of_a_word_add_up() -> None:
    def sure(path: tuple[int, ...]) -> NDArray[np.float64]:
        table: dict[tuple[int, ...], dict[int, float]] = {(): {3: 0.5, 1: 0.5}, (1,): {2: 0.6, 4: 0.4}}
        return chances(table.get(path, {4: 1.0}))

    assert search_words(sure, k=3) == [NextWord("ab", 0.8, " ab"), NextWord("a", 0.2, " a")]


def test_torn_letter_becomes_a_word_or_a_mark() -> None:
    def torn(path: tuple[int, ...]) -> NDArray[np.float64]:
        table: dict[tuple[int, ...], dict[int, float]] = {
            (): {11: 0.5, 6: 0.5},  # " \xd0", "a"
            (11,): {8: 1.0},  # ж
            (6,): {9: 0.75, 7: 0.25},  # \xe2\x80 of a dash, \xd0
            (6, 9): {10: 1.0},
            (6, 7): {8: 1.0},
        }
        return chances(table.get(path, {0: 1.0}))

    found = search_words(torn, k=5, stem="op")
    assert found == [NextWord("ж", 0.5, " ж"), NextWord("opa", 0.375, "a"), NextWord("opaж", 0.125, "aж")]


@pytest.mark.parametrize(
    ("data", "text", "finished", "grows"),
    [
        (b"", "", False, False),
        (b"  ", "  ", False, False),
        (b" ja", " ja", False, True),
        (b" ja,", " ja", True, False),
        (b"\n\nja ne", "\n\nja", True, False),
        (b"...", ".", True, False),
        (b" \xd0", " ", False, False),
        (b" a\xd0", " a", False, False),
        ("नि ".encode(), "नि", True, False),
    ],
)
def test_beginnings_are_read(data: bytes, text: str, finished: bool, grows: bool) -> None:
    found = read_beginning(data)
    assert found is not None
    assert (found.text, found.finished, found.grows) == (text, finished, grows)


def test_bytes_that_are_no_text_are_no_beginning() -> None:
    assert read_beginning(b" a\xff") is None


def test_last_letters_are_the_unfinished_word() -> None:
    assert last_letters("Dobrý de") == "de"
    assert last_letters("Dobrý den, ") == ""
    assert last_letters("") == ""
    assert last_letters("او می\u200cرو") == "می\u200cرو"


def token_probabilities(writer: Writer, ids: list[int]) -> list[float]:
    with torch.inference_mode():
        logits = writer.engine.model(torch.tensor([ids])).logits[0, -1].double()
    reserved = torch.tensor([i in (1, 2, 3) for i in range(len(logits))])
    return logits.masked_fill(reserved, -torch.inf).softmax(-1).tolist()


def test_next_words_multiplies_the_models_own_probabilities(writer: Writer) -> None:
    found = {word.word: word for word in writer.next_words("", k=300)}
    commas = [i for i, data in token_bytes(writer.tokenizer).items() if data.strip().startswith(b",")]
    probabilities = token_probabilities(writer, [end_of_text_id(writer.tokenizer)])
    # a little more, for a comma may also come after a token of white space alone
    assert found[","].probability == pytest.approx(sum(probabilities[i] for i in commas), rel=0.05)
    assert found[","].text == ","


def test_an_unfinished_word_goes_on_with_what_is_to_be_appended(writer: Writer) -> None:
    assert {word.word: word for word in writer.next_words("Vlak", k=300)}["Vlaka"].text == "a"


def test_next_words_after_a_space_are_words_that_begin_with_it(writer: Writer) -> None:
    found = writer.next_words("Vlak ", k=20)
    assert found
    assert all(not word.word.startswith("Vlak") for word in found)


@pytest.mark.parametrize("prompt", ["", " ", "\n", "Ж", "🦄", "a" * 500])
def test_any_prompt_has_next_words(writer: Writer, prompt: str) -> None:
    found = writer.next_words(prompt, k=7)
    assert len(found) == 7
    assert all(0 < word.probability <= 1 and word.text for word in found)


def test_next_tokens_are_the_likeliest_ones(writer: Writer) -> None:
    tokens = writer.next_tokens("Vlak", k=400)
    assert sum(token.probability for token in tokens) == pytest.approx(1)
    assert len(tokens) == 317
    prompt = [0, *encode_text(writer.tokenizer, "Vlak")]
    assert tokens[0].probability == pytest.approx(max(token_probabilities(writer, prompt)), rel=1e-4)


def test_a_count_below_one_is_refused(writer: Writer) -> None:
    with pytest.raises(ConfigError, match="at least 1"):
        writer.next_words("Vlak", k=0)
    with pytest.raises(ConfigError, match="at least 1"):
        writer.next_tokens("Vlak", k=-3)
