from __future__ import annotations

from types import SimpleNamespace

import pytest
import torch
from tokenizers import Tokenizer
from torch import Tensor, nn
from transformers import GPT2LMHeadModel

from mothertongue.evaluate.next_word import Place, find_places, first_right_ranks, judge
from mothertongue.tokenizer.bytelevel import decode_ids, encode_text

TEXT = "Vlak do Brna odjíždí v devět hodin, a mlha leží nad řekou. Слънцето изгря над реката."


class Parrot(nn.Module):
    """Knows one document by heart; where a word begins, some nonsense comes before it on its list."""

    def __init__(self, tokenizer: Tokenizer, text: str, *, nonsense: str = "") -> None:
        super().__init__()
        self.ids, self.size = [*encode_text(tokenizer, text), 0], tokenizer.get_vocab_size()
        self.begins_word = ["Ġ" in (tokenizer.id_to_token(token) or "") for token in self.ids]
        self.nonsense = encode_text(tokenizer, nonsense)

    def forward(self, input_ids: Tensor) -> SimpleNamespace:
        logits = torch.zeros(*input_ids.shape, self.size)
        for place, token in enumerate(self.ids[: input_ids.shape[1]]):
            logits[:, place, token] = 5.0
            if self.begins_word[place]:
                logits[:, place, self.nonsense] = 6.0
        return SimpleNamespace(logits=logits)


def test_a_place_has_one_space_before_a_word_and_something_after_it() -> None:
    text = "Dva  domy, 12 kol a 3D tisk (a konec"
    words = {place.word: text[: place.cut] for place in find_places([text], count=100, seed=0)}
    assert words == {"kol": "Dva  domy, 12", "a": "Dva  domy, 12 kol", "tisk": "Dva  domy, 12 kol a 3D"}


def test_the_same_seed_draws_the_same_places_and_never_one_twice() -> None:
    texts = [TEXT, "", TEXT[::-1]]
    places = find_places(texts, count=9, seed=4)
    assert places == find_places(texts, count=9, seed=4)
    assert len({(place.text, place.cut) for place in places}) == 9
    assert places != find_places(texts, count=9, seed=5)
    assert all(place.text[place.cut : place.cut + 1 + len(place.word)] == " " + place.word for place in places)


@pytest.mark.parametrize(
    ("continuation", "verdict"),
    [
        *((text, "open") for text in ("", " d", " d\ufffd", " dům", " dům\ufffd")),
        *((text, "right") for text in (" dům.", " dům ", " dům<|endoftext|>")),
        *((text, "wrong") for text in (" domu", " dům3", "dům ", " dů\ufffdm", "  dům.")),
    ],
)
def test_a_continuation_is_judged_by_space_word_and_end(continuation: str, verdict: str) -> None:
    assert judge(continuation, "dům") == verdict


@pytest.mark.parametrize(("nonsense", "rank"), [("", 0), ("!", 1), ("!#", 2), ("!#?", -1)])
def test_a_word_counts_at_the_rank_of_its_first_token(tiny_tokenizer: Tokenizer, nonsense: str, rank: int) -> None:
    places = find_places([TEXT], count=100, seed=1)
    assert len(places) == 15
    model = Parrot(tiny_tokenizer, TEXT, nonsense=nonsense)
    # the end of a word is nonsense as well, which is no letter: the word stays right
    assert first_right_ranks(model, tiny_tokenizer, places, context=400) == [rank] * 15


def greedy_word_is_right(model: GPT2LMHeadModel, tokenizer: Tokenizer, place: Place, *, room: int) -> bool:
    """The rule, one prompt at a time and without stopping early."""
    prompt = [0, *encode_text(tokenizer, place.text[: place.cut])][-room:]
    ids = list(prompt)
    for _ in range(16):
        with torch.no_grad():
            ids.append(int(model(torch.tensor([ids])).logits[0, -1].argmax()))
    written = decode_ids(tokenizer, ids)[len(decode_ids(tokenizer, prompt)) :]
    after = written.removeprefix(" " + place.word)
    return after != written and after != "" and not after[0].isalnum()


def test_batches_agree_with_one_prompt_at_a_time(tiny_model: GPT2LMHeadModel, tiny_tokenizer: Tokenizer) -> None:
    learn_by_heart(tiny_model, [0, *encode_text(tiny_tokenizer, TEXT)][:64])
    places = find_places([TEXT], count=100, seed=1)
    ranks = first_right_ranks(tiny_model, tiny_tokenizer, places, context=64, batch_size=1)
    assert ranks == first_right_ranks(tiny_model, tiny_tokenizer, places, context=64, batch_size=50)
    expected = [greedy_word_is_right(tiny_model, tiny_tokenizer, place, room=48) for place in places]
    assert [rank == 0 for rank in ranks] == expected
    assert 0 < sum(expected) < len(expected)


def learn_by_heart(model: GPT2LMHeadModel, ids: list[int]) -> None:
    torch.manual_seed(0)
    optimizer = torch.optim.AdamW(model.parameters(), lr=0.02)
    batch = torch.tensor([ids])
    for _ in range(60):
        optimizer.zero_grad()
        model(batch, labels=batch).loss.backward()
        optimizer.step()
