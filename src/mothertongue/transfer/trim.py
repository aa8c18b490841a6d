"""`trim`: a multilingual base keeps the tokens that one language uses; nothing that is kept changes.

Count which tokens of the base's own vocabulary a corpus is written in, keep those, every token on the way to them,
bytes (or letters, where there are none) and special tokens, and drop all other rows. A text whose tokens are all kept
is cut into the same tokens and gets the same logits; what dropped tokens had of the probability goes to the others. Any
other text is still read, in smaller pieces. docs/why/trim.md says why.

    mothertongue transfer --method trim --checkpoint multilingual/ --corpus czech/corpus --out czech/trimmed
"""

# Axes: S source vocabulary, V trimmed vocabulary, W row

from __future__ import annotations

import itertools
import json
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tokenizers import Tokenizer
from torch import Tensor
from transformers import PreTrainedModel

from mothertongue.errors import CheckpointError, ConfigError
from mothertongue.model.stream import vocabulary_of
from mothertongue.run.artifact import Metrics
from mothertongue.tokenizer.bytelevel import end_of_text_id
from mothertongue.tokenizer.marks import BYTE_TOKENS, is_byte_level, token_bytes
from mothertongue.transfer.methods import Material
from mothertongue.transfer.rows import set_vocabulary, vocabulary_rows

IDS = ("bos_token_id", "eos_token_id", "pad_token_id")


@dataclass(frozen=True)
class Trimmed:
    """A smaller vocabulary, and for each of its ids the id that the same token had."""

    tokenizer: Tokenizer
    kept: tuple[int, ...]  # new id -> old id


def trim(material: Material) -> Tensor:
    """Rows [V, W] for a vocabulary that only holds tokens of the source; ConfigError if it holds another one."""
    lacking = material.target_size - len(material.matches)
    if lacking:
        raise ConfigError(
            f'method = "trim" only keeps rows, and {lacking} tokens of the vocabulary have none in this model. '
            "Leave the tokenizer out to have the model's own trimmed, or use another method."
        )
    return material.source_rows[[material.matches[i] for i in range(material.target_size)]]


def trim_tokenizer(tokenizer: Tokenizer, used: Collection[int]) -> Trimmed:
    """`tokenizer` with the tokens `used`, all that is needed to make them, bytes, and special tokens.

    Ids keep their order. ConfigError for vocabularies that are neither BPE nor unigram.
    """
    parts: dict[str, Any] = json.loads(tokenizer.to_str())
    model, tokens = parts["model"], {i: token for token, i in tokenizer.get_vocab().items()}
    wanted = {tokens[i] for i in used if i in tokens}
    wanted |= set(tokens.values()) & set(BYTE_TOKENS)
    wanted |= {token for token in (model.get("unk_token"),) if token}
    wanted |= {tokens[i] for i in _ids_around(parts.get("post_processor"))}
    if is_byte_level(tokenizer):
        wanted |= {tokens[i] for i, stands_for in token_bytes(tokenizer).items() if len(stands_for) == 1}
    elif not model.get("byte_fallback"):
        wanted |= {token for token in tokens.values() if len(token) == 1}  # without it the letter would be unknown
    added = [entry["content"] for entry in parts["added_tokens"]]
    if model["type"] == "BPE":
        left = _trim_bpe(model, wanted, added)
    elif model["type"] == "Unigram":
        left = _trim_unigram(model, wanted.union(added))
    else:
        raise ConfigError(f"A vocabulary of the kind {model['type']} cannot be trimmed: only BPE and unigram can be.")
    ids = tokenizer.get_vocab()
    outside = sorted(set(added) - set(left), key=ids.__getitem__)
    names = [*left, *outside]  # in this order tokenizers gives ids on opening
    renumbered = {ids[token]: i for i, token in enumerate(names)}
    _renumber(parts, renumbered)
    return Trimmed(_opened(parts, names), tuple(renumbered))


def _trim_bpe(model: dict[str, Any], wanted: set[str], added: Collection[str]) -> list[str]:
    """Leave in a BPE `added` and what leads to `wanted`; gives its tokens in the order of their new ids."""
    if model.get("continuing_subword_prefix") or model.get("end_of_word_suffix"):
        raise ConfigError("A BPE that marks the inside or the end of words cannot be trimmed. Use a new tokenizer.")
    merges = [tuple(merge.split(" ", 1)) if isinstance(merge, str) else tuple(merge) for merge in model["merges"]]
    ranks = {pair: rank for rank, pair in enumerate(merges)}
    keep = {piece for token in wanted.difference(added) for piece in merge_tree(token, ranks)}
    keep |= wanted.union(added)
    left = [token for token in sorted(model["vocab"], key=model["vocab"].__getitem__) if token in keep]
    model["vocab"] = {token: i for i, token in enumerate(left)}
    model["merges"] = [list(pair) for pair in merges if {*pair, "".join(pair)} <= model["vocab"].keys()]
    return left


def merge_tree(token: str, ranks: Mapping[tuple[str, ...], int]) -> set[str]:
    """Every piece that BPE makes on its way from the characters of `token` to the token.

    What stands beside a token in a text never changes this way: a pair inside of it is merged before or after one
    outside, but no merge crosses its border, or it would not be a token there.

    >>> sorted(merge_tree("them", {("h", "e"): 0, ("t", "he"): 1, ("the", "m"): 2, ("t", "h"): 3}))
    ['e', 'h', 'he', 'm', 't', 'the', 'them']
    """
    pieces, seen = list(token), set(token)
    while len(pieces) > 1:
        pairs = [ranks.get(pair, len(ranks)) for pair in itertools.pairwise(pieces)]
        best = min(pairs)
        if best == len(ranks):
            break
        at = pairs.index(best)
        pieces[at : at + 2] = [pieces[at] + pieces[at + 1]]
        seen.add(pieces[at])
    return seen


def _trim_unigram(model: dict[str, Any], wanted: set[str]) -> list[str]:
    """Leave `wanted` in a unigram vocabulary, with the least likely token: what an unknown letter costs hangs on it."""
    entries: Sequence[Sequence[Any]] = model["vocab"]
    rarest = min(entries, key=lambda entry: entry[1])[0]
    unknown = entries[model["unk_id"]][0] if model.get("unk_id") is not None else None
    left = [entry for entry in entries if entry[0] in wanted or entry[0] in (rarest, unknown)]
    model["vocab"] = left
    if unknown is not None:
        model["unk_id"] = [entry[0] for entry in left].index(unknown)
    return [entry[0] for entry in left]


def _renumber(parts: dict[str, Any], renumbered: Mapping[int, int]) -> None:
    """New ids everywhere beside the model: added tokens, the template around a text, padding."""
    for entry in parts["added_tokens"]:
        entry["id"] = renumbered[entry["id"]]
    for processor in _processors(parts.get("post_processor")):
        template = processor["type"] == "TemplateProcessing"
        for special in processor["special_tokens"].values() if template else ():
            special["ids"] = [renumbered[i] for i in special["ids"]]
        for role in ("sep", "cls"):
            if role in processor:
                processor[role][1] = renumbered[processor[role][1]]
    if parts.get("padding"):
        parts["padding"]["pad_id"] = renumbered.get(parts["padding"]["pad_id"], 0)


def _processors(processor: dict[str, Any] | None) -> Iterable[dict[str, Any]]:
    if processor and processor["type"] == "Sequence":
        return [inner for part in processor["processors"] for inner in _processors(part)]
    return [processor] if processor else []


def _ids_around(processor: dict[str, Any] | None) -> Iterator[int]:
    """The tokens that a tokenizer puts around a text."""
    for part in _processors(processor):
        if part["type"] == "TemplateProcessing":
            yield from (i for special in part["special_tokens"].values() for i in special["ids"])
        yield from (part[role][1] for role in ("sep", "cls") if role in part)


def _opened(parts: dict[str, Any], names: Sequence[str]) -> Tokenizer:
    tokenizer = Tokenizer.from_str(json.dumps(parts))
    found = tokenizer.get_vocab()
    wrong = [token for i, token in enumerate(names) if found.get(token) != i]
    if wrong or len(found) != len(names):
        raise CheckpointError(
            f"The trimmed vocabulary does not open as it was made (for instance {wrong[:1]}). Use a new tokenizer."
        )
    return tokenizer


def trim_model(model: PreTrainedModel, source: Tokenizer, used: Collection[int]) -> tuple[Tokenizer, Metrics]:
    """Trim `model` in place to the tokens `used` of its tokenizer `source`: the smaller tokenizer, and both sizes."""
    trimmed = trim_tokenizer(source, {*used, end_of_text_id(source)})
    size, parameters = vocabulary_of(source), model.num_parameters()
    roles = {name: getattr(model.config, name, None) for name in IDS}
    set_vocabulary(model, vocabulary_rows(model, size)[list(trimmed.kept)], trimmed.tokenizer)
    new = {old: i for i, old in enumerate(trimmed.kept)}
    for name, old in roles.items():  # unlike with a new vocabulary, what the model itself called so is still there
        value = [new[i] for i in old if i in new] if isinstance(old, list) else new.get(old if old is not None else -1)
        setattr(model.config, name, value)
        setattr(model.generation_config, name, value)
    sizes = {"source_vocab_size": size, "target_vocab_size": len(trimmed.kept)}
    return trimmed.tokenizer, {**sizes, "parameters_before": parameters, "parameters": model.num_parameters()}
