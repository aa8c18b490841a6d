"""Many texts get the ids that tokenizers gives, whoever encodes them."""

from __future__ import annotations

import json
import random
import sys
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from tokenizers import Tokenizer, models, pre_tokenizers

from mothertongue.tokenizer import encode
from mothertongue.tokenizer.bytelevel import encode_text, train_bytelevel
from mothertongue.tokenizer.encode import Encoder

SIGNS = [
    *"abcěščřžýабвгдъ ЖŽ  \t\n\n'’.,!?-_0123456789٣½", "'s", "'ll", "<|endoftext|>", "<|n|>", "\u00a0", "\u3000",
    "\u200b", "\ufeff", "\u0301", "\U0001f600", "中文", "हिन्दी", "عربي", "\x00", "\x1c", "\x85", "\u2028", "\r\n", "ǅ",
    "𝔘", "\U000e0001", "\ufffe", "\ue000", "slovo ", "slova", " věta", " дума",
]  # fmt: skip


def random_texts(count: int) -> list[str]:
    chance = random.Random(4)
    return ["", "a" * 5000, " " * 300, *("".join(chance.choices(SIGNS, k=chance.randrange(60))) for _ in range(count))]


@pytest.fixture
def tokenizer() -> Tokenizer:
    return train_bytelevel(["slovo slova věta дума думата "] * 20 + random_texts(200), vocab_size=500)


def test_ids_are_those_of_tokenizers_on_random_text(tokenizer: Tokenizer) -> None:
    texts = random_texts(2000)
    found = Encoder(tokenizer)(texts)
    assert [ids.tolist() for ids in found] == [encode_text(tokenizer, text) for text in texts]


def test_gigatoken_gives_the_ids_of_tokenizers_on_random_text(tokenizer: Tokenizer) -> None:
    pytest.importorskip("gigatoken", reason="gigatoken is not installed (extra fast)")
    encoder, texts = Encoder(tokenizer), random_texts(2000)
    found = encoder(texts)
    assert encoder._fast is not None
    assert [ids.tolist() for ids in found] == [encode_text(tokenizer, text) for text in texts]


class Wrong:
    """Something that calls itself gigatoken and gives other ids from the text `wrong` on."""

    made = 0

    def __init__(self, wrong: str) -> None:
        self.wrong = wrong

    def from_json(self, definition: str) -> Wrong:
        self.made += 1
        self.right = Tokenizer.from_str(definition)
        return self

    def encode(self, text: str) -> Any:
        ids = self.right.encode(text).ids
        return np.array(ids[::-1] if text == self.wrong else ids, dtype=np.uint32)


def pretend(monkeypatch: pytest.MonkeyPatch, wrong: str = "") -> Wrong:
    module = ModuleType("gigatoken")
    module.Tokenizer = Wrong(wrong)  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "gigatoken", module)
    return module.Tokenizer  # type: ignore[no-any-return]


def test_an_encoder_that_differs_is_not_used(tokenizer: Tokenizer, monkeypatch: pytest.MonkeyPatch) -> None:
    pretend(monkeypatch, wrong="slovo slova")
    encoder = Encoder(tokenizer)
    assert encoder(["slovo slova"])[0].tolist() == encode_text(tokenizer, "slovo slova")
    assert encoder._definition is None


def test_its_memory_is_emptied_after_much_text(tokenizer: Tokenizer, monkeypatch: pytest.MonkeyPatch) -> None:
    fast = pretend(monkeypatch)
    monkeypatch.setattr(encode, "_RENEWED_CHARACTERS", 100)
    encoder = Encoder(tokenizer)
    for _ in range(5):
        assert encoder(["slovo " * 10])[0].tolist() == encode_text(tokenizer, "slovo " * 10)
    assert fast.made > 2


def test_without_it_tokenizers_encodes(tokenizer: Tokenizer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "gigatoken", None)
    assert Encoder(tokenizer)(["slovo"])[0].tolist() == encode_text(tokenizer, "slovo")
    assert Encoder(tokenizer)._definition is None


def test_what_is_no_gpt2_like_tokenizer_is_left_to_tokenizers(
    tokenizer: Tokenizer, monkeypatch: pytest.MonkeyPatch
) -> None:
    pretend(monkeypatch)
    assert encode._definition(tokenizer)
    tokenizer.add_tokens(["an ordinary one"])
    assert encode._definition(tokenizer) is None
    words = Tokenizer(models.WordLevel({"a": 0}, unk_token="a"))
    words.pre_tokenizer = pre_tokenizers.Whitespace()
    assert encode._definition(words) is None


def test_a_vocabulary_without_some_byte_is_left_to_tokenizers(
    tokenizer: Tokenizer, monkeypatch: pytest.MonkeyPatch
) -> None:
    pretend(monkeypatch)
    parts = json.loads(tokenizer.to_str())
    del parts["model"]["vocab"]["Ä"]  # byte 0xC4, as GPT-2 writes it
    merges = [pair for pair in parts["model"]["merges"] if "Ä" not in "".join(pair)]
    kept = {token: i for token, i in parts["model"]["vocab"].items() if "Ä" not in token}
    parts["model"] |= {"merges": merges, "vocab": kept}
    assert encode._definition(Tokenizer.from_str(json.dumps(parts))) is None
