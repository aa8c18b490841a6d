"""A unigram vocabulary (Kudo 2018, arXiv 1804.10959) with `▁` for a space: pieces are letters, never halves of one.

Of all ways to cut a word the likeliest is taken, where BPE repeats its merges. A letter that the vocabulary lacks is
written as its bytes, so nothing is out of vocabulary and decode(encode(text)) == text: no space is added in front, and
nothing is normalised (that is the corpus' work; NFKC would turn ½ into 1⁄2). One code point is the exception, U+FDD0,
which no corpus has: it stands for a `▁` of the text itself and comes back as one.

    tokenizer = train_unigram(["Dobrý den.", "Ahoj, světe!"], vocab_size=400)
    decode_ids(tokenizer, encode_text(tokenizer, "Dobrý den, světe!"))
"""

from __future__ import annotations

import itertools
import json
import re
import string
from collections import Counter
from collections.abc import Iterable

from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers

from mothertongue.errors import ConfigError
from mothertongue.tokenizer.bytelevel import SPECIAL_TOKENS, UNKNOWN, special
from mothertongue.tokenizer.config import LEAST_UNIGRAM
from mothertongue.tokenizer.marks import BYTE_TOKENS, LITERAL_MARK, SPACE_MARK
from mothertongue.tokenizer.splitting import splitter

# always pieces of their own: "<0x41>" in a text must never be cheapest as the token of the byte
_LEAST_ALPHABET = frozenset({SPACE_MARK, LITERAL_MARK, "\n", *map(chr, range(33, 127))})
_RESERVED = (*SPECIAL_TOKENS, *BYTE_TOKENS)
_SEAMS = tuple(map(chr, range(0xE000, 0xE040)))  # for private use: no letters of anybody's
_BETWEEN = frozenset({"\0", *_SEAMS})  # the trainer itself puts \0 between words
_NO_LETTERS = _BETWEEN | {" ", SPACE_MARK}
_SIGNS = string.punctuation + "…»«“”„’‘।。、，؟"  # that follow a word and are no part of it
_COVERED = 0.9995  # share of the text's characters that become pieces; the rest is written in bytes
_NEVER = -1000.0  # log probability of a piece that no text may reach by its letters
_TIE = 1e-4  # what the trainer subtracts from letter to letter, in an order that differs from run to run


def train_unigram(texts: Iterable[str], *, vocab_size: int, split: str = "script") -> Tokenizer:
    """A tokenizer with ids 0..3 = SPECIAL_TOKENS, then 256 bytes, then letters, then pieces.

    Gives at most `vocab_size` tokens: fewer if the texts are too short. `split` names the cuts (splitting.py). The
    texts are held in memory. Raises ConfigError if `vocab_size` is below LEAST_UNIGRAM.
    """
    if vocab_size < LEAST_UNIGRAM:
        raise ConfigError(
            f"vocab_size = {vocab_size} cannot hold 4 special tokens, 256 bytes and ASCII's letters and signs. "
            f"Give at least {LEAST_UNIGRAM}."
        )
    texts, room = list(texts), vocab_size - len(_RESERVED)
    alphabet, rare = choose_alphabet(texts, most=(room - len(_LEAST_ALPHABET)) // 2)
    texts = _without(texts, rare)
    learner = _with_rules(models.Unigram(), splitter(split, may_end=_SEAMS))
    trainer = trainers.UnigramTrainer(
        vocab_size=room + room // 50 + len(_SEAMS),  # pieces with a seam are thrown away
        special_tokens=[UNKNOWN],
        unk_token=UNKNOWN,
        initial_alphabet=sorted(alphabet),
        show_progress=False,
    )
    learner.train_from_iterator([*texts, seamed_words(texts)], trainer)
    pieces = settle(json.loads(learner.to_str())["model"]["vocab"])[:room]
    vocabulary = [*((token, _NEVER) for token in _RESERVED), *pieces]
    model = models.Unigram(vocabulary, unk_id=SPECIAL_TOKENS.index(UNKNOWN), byte_fallback=True)
    tokenizer = _with_rules(model, splitter(split))
    tokenizer.add_special_tokens([special(token) for token in SPECIAL_TOKENS])
    return tokenizer


def choose_alphabet(texts: Iterable[str], *, most: int) -> tuple[frozenset[str], frozenset[str]]:
    """The characters that become pieces, and those that do not: a few rare ones, and what `most` leaves no room for."""
    counts: Counter[str] = Counter()
    for text in texts:
        counts.update(text)
    for char in _NO_LETTERS:
        counts.pop(char, None)
    kept, due = set(_LEAST_ALPHABET), _COVERED * counts.total()
    for char, count in sorted(counts.items(), key=lambda item: (-item[1], item[0])):
        if due <= 0 or len(kept) >= len(_LEAST_ALPHABET) + most:
            break
        kept.add(char)
        due -= count
    return frozenset(kept), frozenset({*counts, *_NO_LETTERS} - kept - {" "})


def settle(vocabulary: Iterable[tuple[str, float | None]]) -> list[tuple[str, float]]:
    """The trainer's pieces in an order that is the same in every run, letters first, and none that is reserved.

    It adds numbers up in the order of a hash table and gives the letters it did not need scores by lot, from the lowest
    of all upwards: the first is rounded away, the second made one score.
    """
    scores = {piece: score or 0.0 for piece, score in vocabulary if piece not in _RESERVED}  # None: there was no text
    lowest = min(scores.values(), default=0.0)
    lots = lowest + _TIE * (1 + sum(len(piece) == 1 for piece in scores))
    rounded = {
        piece: round(lowest if len(piece) == 1 and score <= lots else score, 5)
        for piece, score in scores.items()
        if _BETWEEN.isdisjoint(piece)
    }
    return sorted(rounded.items(), key=lambda item: (len(item[0]) > 1, -item[1], item[0]))


def seamed_words(texts: Iterable[str]) -> str:
    """The words that occur twice, each with a seam at its end, as one more text to learn from.

    The trainer begins with what occurs in different words and goes on differently, so that neither a whole word nor an
    ending that always ends its word is ever tried. A seam is how they go on differently. There are many seams, and each
    word has one once, so that next to nothing is learnt of pieces with a seam.
    """
    written: Counter[str] = Counter()
    for text in texts:
        written.update(text.split())
    words: Counter[str] = Counter()
    for word, count in written.items():
        words[word.rstrip(_SIGNS)] += count
    often = sorted(word for word, count in words.items() if word and count > 1)
    return "".join(f" {word}{seam}" for word, seam in zip(often, itertools.cycle(_SEAMS), strict=False))


def _with_rules(model: models.Model, cuts: pre_tokenizers.PreTokenizer) -> Tokenizer:
    tokenizer = Tokenizer(model)
    tokenizer.normalizer = normalizers.Replace(SPACE_MARK, LITERAL_MARK)
    spaces = pre_tokenizers.Metaspace(SPACE_MARK, prepend_scheme="never", split=False)
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([cuts, spaces])
    marks = [decoders.Replace(SPACE_MARK, " "), decoders.Replace(LITERAL_MARK, SPACE_MARK)]
    tokenizer.decoder = decoders.Sequence([*marks, decoders.ByteFallback(), decoders.Fuse()])
    return tokenizer


def _without(texts: Iterable[str], rare: frozenset[str]) -> list[str]:
    """The texts with a break in place of each rare character, so that no piece has one."""
    pattern = re.compile(f"[{re.escape(''.join(sorted(rare)))}]")
    return [pattern.sub("\n", text) for text in texts]
