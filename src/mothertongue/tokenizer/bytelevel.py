"""Byte-level BPE (GPT-2's scheme, Radford et al. 2019) that loses nothing: decode(encode(text)) == text for any text.

Every byte is a token, so no text is out of vocabulary, and newlines are ordinary bytes. Normalisation belongs to the
corpus, not here: GPT2Tokenizer throws a tokenizer's normaliser away when it opens the folder, and would silently see
other text than we did.

    tokenizer = train_bytelevel(["Dobrý den.", "Ahoj, světe!"], vocab_size=300)
    decode_ids(tokenizer, encode_text(tokenizer, "Dobrý den, světe!"))
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers, trainers

from mothertongue.errors import CheckpointError, ConfigError
from mothertongue.run.artifact import write_json

END_OF_TEXT, UNKNOWN, PAD, NEWLINE = SPECIAL_TOKENS = ("<|endoftext|>", "<|unknown|>", "<|pad|>", "<|n|>")
# `<|n|>` is reserved: published snippets replace it by a newline. Encoding never makes it.
ENDS = (END_OF_TEXT, "<|end_of_text|>", "</s>", "<eos>")  # how vocabularies of other makers call the end of a text


def train_bytelevel(texts: Iterable[str], *, vocab_size: int) -> Tokenizer:
    """A tokenizer with ids 0..3 = SPECIAL_TOKENS, then 256 bytes, then merges learnt from `texts`.

    Gives at most `vocab_size` tokens: fewer if the texts are too short to merit so many merges.
    Raises ConfigError if `vocab_size` cannot hold the special tokens and the bytes.
    """
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    if vocab_size < len(SPECIAL_TOKENS) + len(alphabet):
        raise ConfigError(f"vocab_size = {vocab_size} cannot hold 4 special tokens and 256 bytes. Give at least 260.")
    tokenizer = Tokenizer(models.BPE(unk_token=None, fuse_unk=False))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocab_size,
        special_tokens=[_special(token) for token in SPECIAL_TOKENS],
        initial_alphabet=alphabet,
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts, trainer=trainer)
    return tokenizer


def encode_text(tokenizer: Tokenizer, text: str) -> list[int]:
    """Token ids of `text` taken literally: "<|endoftext|>" inside a text is thirteen letters, not the end of a text."""
    tokenizer.encode_special_tokens = True
    return tokenizer.encode(text, add_special_tokens=False).ids


def decode_ids(tokenizer: Tokenizer, ids: Iterable[int]) -> str:
    """Text of token ids, special tokens shown."""
    return tokenizer.decode(list(ids), skip_special_tokens=False)


def token_bytes(tokenizer: Tokenizer) -> dict[int, bytes]:
    """Id -> the bytes it stands for, for every ordinary (not special) token of a byte-level vocabulary."""
    inverse = {char: byte for byte, char in enumerate(_byte_characters())}
    special = {added.content for added in tokenizer.get_added_tokens_decoder().values() if added.special}
    return {
        i: bytes(inverse[c] for c in token) if all(c in inverse for c in token) else token.encode()
        for token, i in tokenizer.get_vocab().items()
        if token not in special
    }


def open_tokenizer(folder: Path) -> Tokenizer:
    """The tokenizer in `folder` (its tokenizer.json, or vocab.json and merges.txt as GPT-2 ships them)."""
    folder = Path(folder)
    file = folder / "tokenizer.json"
    try:
        if file.is_file():
            return Tokenizer.from_file(str(file))
        if (folder / "vocab.json").is_file() and (folder / "merges.txt").is_file():
            return _from_vocabulary(folder)
    except Exception as error:  # tokenizers raises bare Exception
        raise CheckpointError(
            f"{folder} has a tokenizer that cannot be read: {error}. Restore the file, or make the folder again."
        ) from error
    raise CheckpointError(
        f"{folder} has no tokenizer.json (nor vocab.json and merges.txt). Point to the folder that holds the tokenizer."
    )


def save_tokenizer(tokenizer: Tokenizer, folder: Path, *, context: int = 1024) -> None:
    """Write the files that GPT2Tokenizer, AutoTokenizer and `tokenizers` open.

    `context` is the longest input in tokens that they announce.
    """
    folder = Path(folder)
    tokenizer.save(str(folder / "tokenizer.json"))
    if isinstance(tokenizer.model, models.BPE):
        tokenizer.model.save(str(folder))  # vocab.json, merges.txt
    roles = _roles(tokenizer)
    write_json(folder / "special_tokens_map.json", roles)
    config: dict[str, Any] = {
        "tokenizer_class": "GPT2Tokenizer" if is_gpt2_like(tokenizer) else "PreTrainedTokenizerFast",
        "add_prefix_space": False,
        "clean_up_tokenization_spaces": False,
        "model_max_length": context,
    }
    write_json(folder / "tokenizer_config.json", config | roles)


def end_of_text(tokenizer: Tokenizer) -> str | None:
    """The token that starts and ends a document, or None if the vocabulary has none."""
    return next((token for token in ENDS if tokenizer.token_to_id(token) is not None), None)


def is_gpt2_like(tokenizer: Tokenizer) -> bool:
    """Whether GPT2Tokenizer would give the same ids: byte-level BPE with GPT-2's pre-tokenizer and no normaliser."""
    return is_like_gpt2(json.loads(tokenizer.to_str()))


def is_like_gpt2(parts: dict[str, Any]) -> bool:
    """`is_gpt2_like` of a tokenizer.json."""
    before = parts.get("pre_tokenizer") or {}
    return bool(
        parts["model"]["type"] == "BPE"
        and parts.get("normalizer") is None
        and before.get("type") == "ByteLevel"
        and not before.get("add_prefix_space")
        and before.get("use_regex", True)
    )


def _special(token: str) -> AddedToken:
    return AddedToken(token, special=True, normalized=False)


def _roles(tokenizer: Tokenizer) -> dict[str, str]:
    ours = all(tokenizer.token_to_id(token) == i for i, token in enumerate(SPECIAL_TOKENS))
    end = end_of_text(tokenizer)
    unknown, pad = (UNKNOWN, PAD) if ours else (end, end)
    roles = {"bos_token": end, "eos_token": end, "unk_token": unknown, "pad_token": pad}
    return {role: token for role, token in roles.items() if token}


def _from_vocabulary(folder: Path) -> Tokenizer:
    tokenizer = Tokenizer(models.BPE.from_file(str(folder / "vocab.json"), str(folder / "merges.txt")))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens(
        [_special(token) for token in SPECIAL_TOKENS if tokenizer.token_to_id(token) is not None]
    )
    return tokenizer


def _byte_characters() -> list[str]:
    """The character by which GPT-2's vocabulary files write each byte 0..255 (printable bytes stand for themselves)."""
    plain = {*range(33, 127), *range(161, 173), *range(174, 256)}
    spare = iter(range(256, 512))
    return [chr(byte) if byte in plain else chr(next(spare)) for byte in range(256)]
