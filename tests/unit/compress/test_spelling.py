from __future__ import annotations

import copy
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from transformers import PreTrainedModel

from mothertongue.compress.distill import distillation_loss
from mothertongue.compress.layers import even_groups
from mothertongue.compress.spelling import Spelling, spell
from mothertongue.compress.theseus import install_modules, make_successor
from mothertongue.compress.vocabulary import trimmed
from mothertongue.corpus.shards import read_documents
from mothertongue.model.checkpoint import Checkpoint, open_checkpoint
from mothertongue.tokenizer.bytelevel import encode_text

# a, b, c, d are kept as 0 1 2 3; ab, abc, cd, ddd are spelled
PIECES = [(0,), (1,), (0, 1), (2,), (3,), (0, 1, 2), (2, 3), (3, 3, 3)]
SPELLING = Spelling(PIECES)


@given(st.lists(st.lists(st.integers(0, 3), min_size=9, max_size=9), min_size=1, max_size=4))
def test_joined_tokens_spell_the_text_and_every_end_is_where_it_is_said(rows: list[list[int]]) -> None:
    joined_Bt, ends_BT = SPELLING.join(torch.tensor(rows))
    for row, joined, ends in zip(rows, joined_Bt.tolist(), ends_BT.tolist(), strict=True):
        count = max(ends) + 1
        spelled = [PIECES[token] for token in joined[:count]]
        assert [piece for pieces in spelled for piece in pieces] == row
        at = -1
        for token, pieces in enumerate(spelled):
            at += len(pieces)
            assert ends[at] == token
        assert [end for end in ends if end >= 0] == list(range(count))


def test_the_next_piece_is_as_likely_as_all_tokens_that_begin_with_it() -> None:
    tokens_NV = torch.rand(5, 8).softmax(-1)
    a, b, ab, c, d, abc, cd, ddd = tokens_NV.T
    torch.testing.assert_close(SPELLING.first_pieces(tokens_NV), torch.stack([a + ab + abc, b, c + cd, d + ddd], 1))


@pytest.fixture
def opened(predecessor: Path) -> Checkpoint:
    checkpoint = open_checkpoint(predecessor)
    checkpoint.model.requires_grad_(False)
    return checkpoint


def test_text_is_joined_to_the_tokens_that_the_larger_vocabulary_has_for_it(opened: Checkpoint, corpus: Path) -> None:
    texts = [document.text for document in read_documents(corpus, "train")][:20]
    ids = [i for text in texts for i in encode_text(opened.tokenizer, text)]
    smaller = trimmed(opened, torch.tensor(ids).numpy(), 290)
    spelling = spell(opened.tokenizer, smaller.tokenizer)
    same = total = 0
    for text in texts:
        wanted = encode_text(opened.tokenizer, text)
        pieces = encode_text(smaller.tokenizer, text)
        joined, _ = spelling.join(torch.tensor([pieces]))
        assert opened.tokenizer.decode(joined[0].tolist()) == opened.tokenizer.decode(wanted)
        same += len(set(_ends(opened, joined[0].tolist())) & set(_ends(opened, wanted)))
        total += len(wanted)
    assert len(pieces) > len(wanted)
    assert same > 0.97 * total


def _ends(opened: Checkpoint, ids: list[int]) -> list[tuple[int, int]]:
    at, found = 0, []
    for token in ids:
        at += len(opened.tokenizer.id_to_token(token))
        found.append((at, token))
    return found


@pytest.mark.parametrize("hidden", [0.0, 1.0])
def test_with_nothing_dropped_the_lesson_is_the_plain_one(
    make_model: Callable[..., PreTrainedModel], hidden: float
) -> None:
    predecessor = make_model()
    model = make_successor(predecessor, [0, 2, 5])
    modules = install_modules(model, predecessor, even_groups(6, 3))
    tokens = torch.arange(4, 46).reshape(2, 21)
    every = Spelling([(token,) for token in range(predecessor.config.vocab_size)])
    plain = distillation_loss(predecessor, 0.7, hidden, modules)
    spelled = distillation_loss(predecessor, 0.7, hidden, modules, spelling=every)
    torch.testing.assert_close(spelled(model, tokens), plain(model, tokens))


def test_a_predecessor_teaches_where_its_tokens_end_and_the_text_elsewhere(
    make_model: Callable[..., PreTrainedModel],
) -> None:
    larger = make_model(size=60)
    size = 40
    smaller = copy.deepcopy(larger)
    smaller.resize_token_embeddings(size)
    smaller.requires_grad_(True)
    spelling = Spelling(
        [(token,) for token in range(size)] + [(token % 7, 10 + token % 5) for token in range(size, 60)]
    )
    tokens_BT = torch.tensor([[0, 10, 20, 5, 10, 8, 30], [9, 8, 7, 6, 11, 4, 14]])  # 40 = 5 10, 46 = 4 11
    joined, ends = spelling.join(tokens_BT[:, :-1])
    with torch.no_grad():
        teacher_BtV = larger(joined).logits.softmax(-1)
        log_BTW = smaller(tokens_BT[:, :-1]).logits.log_softmax(-1)
    losses = []
    for row in range(2):
        for at in range(6):
            text = -log_BTW[row, at, tokens_BT[row, at + 1]]
            end = int(ends[row, at])
            if end < 0:
                losses.append(text)
                continue
            wanted_W = spelling.first_pieces(teacher_BtV[row, end][None])[0]
            losses.append(0.2 * text - 0.8 * (wanted_W * log_BTW[row, at]).sum())
    assert sum(int(end) < 0 for end in ends.flatten()) >= 1
    found = distillation_loss(larger, 0.8, spelling=spelling)(smaller, tokens_BT)
    torch.testing.assert_close(found, torch.stack(losses).mean())
    found.backward()
    assert all(weight.grad is not None for weight in smaller.parameters())
