"""The task `next_word`: after text up to the end of a word, does greedy decoding give the true next word exactly?

A place is a single space in held-out text with something other than white space before it, a letter after it, and a
character that ends the word in the same document. A word is a run of letters, digits and combining marks. The text is
cut *before* the space, because in byte-level vocabularies the space belongs to the next word's token; the continuation
must then begin with the space, the word, and something that is no part of a word (also the end of the document).

`@1`: the greedy continuation is right. `@3`: one of three is, which begin with the three most probable first tokens and
go on greedily. No beams: a word whose best cutting begins with an improbable token is missed, for every model alike.
"""

# Axes: B prompts, T tokens, D hidden, V vocabulary, K first tokens tried

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import torch
from tokenizers import Tokenizer
from torch import nn

from mothertongue.evaluate.tasks import Outcome, Subject
from mothertongue.model.score import context_of, device_of, evaluating, read_features
from mothertongue.run.progress import track
from mothertongue.tokenizer.bytelevel import decode_ids, encode_text, start_of_text_id
from mothertongue.use.words import is_letter

MAX_CONTEXT = 128  # tokens: more costs much and changes the next word of a small model little
MAX_WORD_TOKENS = 16
TRIES = 3
_SPACE_BEFORE_WORD = re.compile(r"(?<=\S) (?=[^\W\d_])")
_TAIL = 4  # tokens before the place that are decoded with the continuation, for decoders that drop a leading space


@dataclass(frozen=True, slots=True)
class Place:
    """Where a next word is asked for."""

    text: str
    cut: int  # index of the space
    word: str


@dataclass(frozen=True, slots=True)
class Branch:
    """One attempt at a place: its `rank`-th first token and what followed."""

    place: int
    rank: int
    prompt: Sequence[int]
    written: tuple[int, ...] = ()


def next_word(subject: Subject) -> Outcome:
    """Share of places where the next word is right, at once (`@1`) and within three tries (`@3`)."""
    config = subject.config
    places = find_places(subject.texts, count=config.next_word_positions, seed=config.seed)
    if not places:
        return Outcome({}, notes=["Next word: the text has no place where one word follows another after a space."])
    model, tokenizer = subject.checkpoint.model, subject.checkpoint.tokenizer
    context = min(MAX_CONTEXT, context_of(model, config.context))
    ranks = first_right_ranks(model, tokenizer, places, context=context, batch_size=config.batch_size)
    once, thrice = sum(rank == 0 for rank in ranks) / len(places), sum(rank >= 0 for rank in ranks) / len(places)
    figures = {
        "next_word_accuracy": once,
        "next_word_accuracy_3": thrice,
        "next_word_error": (once * (1 - once) / len(places)) ** 0.5,
        "next_word_positions": len(places),
    }
    note = (
        f"Next word: right at {once:.1%} of {len(places)} places, {thrice:.1%} within three tries "
        f"(greedy, up to {context - _room_for_word(context)} tokens of context)."
    )
    return Outcome(figures, notes=[note])


def find_places(texts: Sequence[str], *, count: int, seed: int) -> list[Place]:
    """At most `count` places of `texts` by lot."""
    found = [np.array([match.start() for match in _SPACE_BEFORE_WORD.finditer(text)], dtype=np.int64) for text in texts]
    number = np.repeat(np.arange(len(texts)), [len(cuts) for cuts in found])
    cut = np.concatenate([*found, np.empty(0, dtype=np.int64)])
    places: list[Place] = []
    for index in np.random.default_rng(seed).permutation(len(cut)):
        place = _read_place(texts[number[index]], int(cut[index]))
        places += [place] if place else []
        if len(places) == count:
            break
    return places


def first_right_ranks(
    model: nn.Module, tokenizer: Tokenizer, places: Sequence[Place], *, context: int, batch_size: int = 8
) -> list[int]:
    """For each place the rank (0, 1, 2) of the first attempt that gives its word, -1 if none does."""
    start_id, room = start_of_text_id(tokenizer), context - _room_for_word(context)
    ranks = [TRIES] * len(places)
    open_branches = [
        Branch(number, 0, _prompt(tokenizer, place, room=room, start_id=start_id))
        for number, place in enumerate(places)
    ]
    with evaluating(model), track("next word", total=len(places), unit="place") as bar:
        for step in range(_room_for_word(context)):
            still_open: list[Branch] = []
            for batch in _batches(open_branches, tokens=batch_size * context):
                for branch in _grow(model, batch, tries=TRIES if step == 0 else 1):
                    state = judge(_continuation(tokenizer, branch), places[branch.place].word)
                    if state == "right":
                        ranks[branch.place] = min(ranks[branch.place], branch.rank)
                    elif state == "open":
                        still_open.append(branch)
                bar.advance(len(batch) if step == 0 else 0)
            open_branches = still_open
    return [rank if rank < TRIES else -1 for rank in ranks]


def judge(continuation: str, word: str) -> Literal["right", "wrong", "open"]:
    """Whether text written after a place is the space, `word` and its end; "open" while it may still become that.

    >>> judge(" dům.", "dům"), judge(" dům", "dům"), judge(" domu", "dům")
    ('right', 'open', 'wrong')
    """
    expected = " " + word
    known = continuation.rstrip("\ufffd")  # a letter of which some bytes are missing
    if len(known) <= len(expected):
        return "open" if expected.startswith(known) else "wrong"
    return "right" if known.startswith(expected) and not is_letter(known[len(expected)]) else "wrong"


def _read_place(text: str, cut: int) -> Place | None:
    end = cut + 1
    while end < len(text) and is_letter(text[end]):
        end += 1
    return Place(text, cut, text[cut + 1 : end]) if end < len(text) else None


def _room_for_word(context: int) -> int:
    return min(MAX_WORD_TOKENS, context // 2)


def _prompt(tokenizer: Tokenizer, place: Place, *, room: int, start_id: int) -> list[int]:
    """The last `room` tokens before the place, with the document's start where it is that near."""
    begin = max(0, place.cut - 32 * room)  # characters: a token seldom has more than 32
    ids = encode_text(tokenizer, place.text[begin : place.cut])
    return ([start_id, *ids] if begin == 0 else ids)[-room:]


def _batches(branches: Sequence[Branch], *, tokens: int) -> Iterator[list[Branch]]:
    waiting = sorted(branches, key=lambda branch: len(branch.prompt) + len(branch.written), reverse=True)
    while waiting:
        longest = len(waiting[0].prompt) + len(waiting[0].written)
        size = max(1, tokens // longest)
        yield waiting[:size]
        del waiting[:size]


def _grow(model: nn.Module, batch: Sequence[Branch], *, tries: int) -> Iterator[Branch]:
    """Each branch with its next token: the most probable one, or a branch for each of the `tries` most probable."""
    rows = [[*branch.prompt, *branch.written] for branch in batch]
    longest, device = max(map(len, rows)), device_of(model)
    # padding stands on the right, where a causal model cannot see it
    input_ids_BT = torch.tensor([[*row, *[0] * (longest - len(row))] for row in rows], device=device)
    features = read_features(model, input_ids_BT)
    last_B = torch.tensor([len(row) - 1 for row in rows], device=device)
    logits_BV = features.logits_of(features.hidden[torch.arange(len(rows), device=device), last_B])
    best_BK = logits_BV.topk(min(tries, logits_BV.shape[-1]), dim=-1).indices.tolist()
    for branch, best in zip(batch, best_BK, strict=True):
        for rank, token in enumerate(best):
            written = (*branch.written, int(token))
            yield replace(branch, written=written, rank=rank if tries > 1 else branch.rank)


def _continuation(tokenizer: Tokenizer, branch: Branch) -> str:
    tail = list(branch.prompt[-_TAIL:])
    return decode_ids(tokenizer, [*tail, *branch.written])[len(decode_ids(tokenizer, tail)) :]
