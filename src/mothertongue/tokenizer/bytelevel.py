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
from typing import Any, cast

from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers, trainers

from mothertongue.errors import CheckpointError, ConfigError
from mothertongue.run.artifact import write_json
from mothertongue.tokenizer.splitting import splitter

END_OF_TEXT, UNKNOWN, PAD, NEWLINE = SPECIAL_TOKENS = ("<|endoftext|>", "<|unknown|>", "<|pad|>", "<|n|>")
# `<|n|>` is reserved: published snippets replace it by a newline. Encoding never makes it.
_GPT2_FILES = (("vocab.json", "merges.txt"), ("encoder.json", "vocab.bpe"))  # of today, and of the first release
ENDS = (END_OF_TEXT, "<|end_of_text|>", "</s>", "<eos>")  # how vocabularies of other makers call the end of a text


def train_bytelevel(texts: Iterable[str], *, vocab_size: int, split: str = "gpt2") -> Tokenizer:
    """A tokenizer with ids 0..3 = SPECIAL_TOKENS, then 256 bytes, then merges learnt from `texts`.

    Gives at most `vocab_size` tokens: fewer if the texts are too short to merit so many merges. `split` names where
    texts are cut before (splitting.py); GPT2Tokenizer opens "gpt2" only.
    Raises ConfigError if `vocab_size` cannot hold the special tokens and the bytes.
    """
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    if vocab_size < len(SPECIAL_TOKENS) + len(alphabet):
        raise ConfigError(f"vocab_size = {vocab_size} cannot hold 4 special tokens and 256 bytes. Give at least 260.")
    tokenizer = Tokenizer(models.BPE(unk_token=None, fuse_unk=False))
    tokenizer.pre_tokenizer = _cuts(split)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocab_size,
        special_tokens=[special(token) for token in SPECIAL_TOKENS],
        initial_alphabet=alphabet,
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts, trainer=trainer)
    return tokenizer


def _cuts(split: str) -> pre_tokenizers.PreTokenizer:
    if split == "gpt2":  # in the form that GPT2Tokenizer, gigatoken and GGUF know
        return pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True)
    return pre_tokenizers.Sequence([splitter(split), pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)])


def special(token: str) -> AddedToken:
    """`token` as one that no text reaches and that decoding can leave out."""
    return AddedToken(token, special=True, normalized=False)


def encode_text(tokenizer: Tokenizer, text: str) -> list[int]:
    """Token ids of `text` taken literally: "<|endoftext|>" inside a text is thirteen letters, not the end of a text.

    Raises ConfigError if `text` has lone surrogates, which stand for no character.
    """
    tokenizer.encode_special_tokens = True
    try:
        return tokenizer.encode(text, add_special_tokens=False).ids
    except TypeError as error:
        raise ConfigError(
            f"{text[:20]!r} has half of a character in it (a lone surrogate), which is no text. "
            'Read its file as UTF-8, or drop it with text.encode("utf-8", "ignore").decode().'
        ) from error


def decode_ids(tokenizer: Tokenizer, ids: Iterable[int]) -> str:
    """Text of token ids, special tokens shown."""
    return tokenizer.decode(list(ids), skip_special_tokens=False)


def open_tokenizer(folder: Path) -> Tokenizer:
    """The tokenizer in `folder` (its tokenizer.json, or a vocabulary and merges as GPT-2 ships them), or in a file.

    It cuts and fills up nothing: transformers saves how somebody last called a tokenizer (truncation, padding) with it.
    """
    folder = Path(folder)
    file = folder if folder.is_file() else folder / "tokenizer.json"
    try:
        if file.is_file():
            tokenizer = Tokenizer.from_file(str(file))
            tokenizer.no_truncation()
            tokenizer.no_padding()
            return tokenizer
        for vocabulary, merges in _GPT2_FILES:
            if (folder / vocabulary).is_file() and (folder / merges).is_file():
                return _from_vocabulary(folder / vocabulary, folder / merges)
    except Exception as error:  # tokenizers raises bare Exception
        raise CheckpointError(
            f"{folder} has a tokenizer that cannot be read: {error}. Restore the file, or make the folder again."
        ) from error
    raise CheckpointError(
        f"{folder} has no tokenizer.json (nor vocab.json and merges.txt). Point to the folder that holds the tokenizer."
    )


def check_rows(tokenizer: Tokenizer, *, rows: int, where: Path) -> None:
    """CheckpointError, naming both sizes, unless the model `where` has one embedding row for each token.

    More rows are right only where a maker has rounded them up to a multiple of 64, by 2.5 % at most.
    """
    spare = rows - 1 - max(tokenizer.get_vocab().values(), default=-1)
    rounded_up = rows % 64 == 0 and 0 < spare <= rows // 40
    if spare and not rounded_up:
        raise CheckpointError(
            f"{where} has {rows} embedding rows but its tokenizer has {tokenizer.get_vocab_size()} tokens. They come "
            "from different runs. Use the tokenizer files of the folder that the model was trained in."
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


def end_of_text_id(tokenizer: Tokenizer) -> int:
    """The id of the token that ends a document; CheckpointError if the vocabulary has none."""
    token = _end(tokenizer)
    if token is None:
        raise CheckpointError(
            f"The tokenizer has no end-of-text token ({END_OF_TEXT}). "
            "Train one with `mothertongue tokenizer`, or add the token to its vocabulary."
        )
    return cast(int, tokenizer.token_to_id(token))


def start_of_text_id(tokenizer: Tokenizer) -> int:
    """The id before a document: what the tokenizer itself puts there (Llama's <s>, Gemma's <bos>), or what ends one."""
    empty = tokenizer.encode("")
    return empty.ids[0] if empty.special_tokens_mask[:1] == [1] else end_of_text_id(tokenizer)


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


def _roles(tokenizer: Tokenizer) -> dict[str, str]:
    ours = all(tokenizer.token_to_id(token) == i for i, token in enumerate(SPECIAL_TOKENS))
    end = _end(tokenizer)
    start = end and tokenizer.id_to_token(start_of_text_id(tokenizer))
    unknown, pad = (UNKNOWN, PAD) if ours else (end, end)
    roles = {"bos_token": start, "eos_token": end, "unk_token": unknown, "pad_token": pad}
    return {role: token for role, token in roles.items() if token}


def _end(tokenizer: Tokenizer) -> str | None:
    return next((token for token in ENDS if tokenizer.token_to_id(token) is not None), None)


def _from_vocabulary(vocabulary: Path, merges: Path) -> Tokenizer:
    tokenizer = Tokenizer(models.BPE.from_file(str(vocabulary), str(merges)))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens(
        [special(token) for token in SPECIAL_TOKENS if tokenizer.token_to_id(token) is not None]
    )
    return tokenizer
