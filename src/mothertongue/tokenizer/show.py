"""A vocabulary as people can read it: tokens as text instead of vocab.json's mojibake, and how a sentence is cut.

    mothertongue tokenizer show runs/czech/train "Ráno svítilo slunce."

A space is shown as `␣`, a line break as `↵`; bytes that are no whole letter stand as `\\xc4`.
"""

from __future__ import annotations

import io
import unicodedata
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tokenizers import Tokenizer

from mothertongue.errors import ConfigError
from mothertongue.run.inputs import locate
from mothertongue.tokenizer.bytelevel import encode_text, open_tokenizer
from mothertongue.tokenizer.marks import BYTE_TOKENS, is_byte_level, token_bytes

_SIGNS = {" ": "␣", "\n": "↵", "\t": "⇥", "\r": "␍"}
_WIDTH = 110
KINDS = {  # in the order of the summary
    "special": "no text: ends of documents and the like",
    "word": "letters after a space",
    "letters": "letters without a space: beginnings, middles, ends of words",
    "number": "digits, with a space or not",
    "sign": "punctuation, symbols, emoji",
    "space": "white space only",
    "byte": "one byte; what is not ASCII is part of a letter",
    "part": "bytes that are no whole letters",
}


@dataclass(frozen=True)
class Token:
    """One entry of a vocabulary."""

    id: int
    text: str  # visible: "␣slunce"
    kind: str  # of KINDS
    written: str  # as it stands in tokenizer.json


@dataclass(frozen=True)
class Shown:
    """A vocabulary for people and for machines."""

    text: str
    figures: dict[str, Any]


def show_tokenizer(reference: str, sentence: str = "", *, first: int = 0, count: int = 30, find: str = "") -> Shown:
    """The vocabulary that `reference` means (a folder, a tokenizer.json, a shipped base, hub:owner/name): its kinds of
    tokens, `count` of them from id `first` on (of those with `find` in their text), and how `sentence` is cut.
    """
    if first < 0 or count < 0:
        raise ConfigError(f"--first {first} --count {count}: neither can be negative.")
    file = Path(reference)
    tokenizer = open_tokenizer(file if file.is_file() else locate(reference))
    tokens = read_tokens(tokenizer)
    wanted = visible(find.encode("utf-8", "replace")) if find else ""
    chosen = [token for token in tokens.values() if token.id >= first and wanted in token.text]
    cut = [tokens[i] for i in encode_text(tokenizer, sentence)]
    kinds = Counter(token.kind for token in tokens.values())
    figures = {
        "vocab_size": len(tokens),
        "model": type(tokenizer.model).__name__,
        "byte_level": is_byte_level(tokenizer),
        "kinds": {kind: kinds[kind] for kind in KINDS if kinds[kind]},
        "tokens": [token.__dict__ for token in chosen[:count]],
        "cut": [token.__dict__ for token in cut],
    }
    parts = [_tell_kinds(figures), _table(chosen[:count], left=len(chosen) - count)]
    if sentence:
        parts.append(_tell_cut(cut, sentence))
    return Shown("\n\n".join(part for part in parts if part), figures)


def read_tokens(tokenizer: Tokenizer) -> dict[int, Token]:
    """Id -> token, in the order of ids."""
    table, vocabulary = token_bytes(tokenizer), sorted(tokenizer.get_vocab().items(), key=lambda item: item[1])
    return {
        i: Token(i, visible(table[i]), _kind(table[i], written), written) if i in table else _special(i, written)
        for written, i in vocabulary
    }


def visible(data: bytes) -> str:
    """Bytes as text in which nothing is hidden.

    >>> visible(" kůň\\n".encode()), visible(b"\\xc5"), visible("\\u0301".encode())
    ('␣kůň↵', '\\\\xc5', '◌́')
    """
    text = data.decode("utf-8", "backslashreplace")
    shown = "".join(_SIGNS.get(char) or (char if char.isprintable() else _escape(char)) for char in text)
    return "◌" + shown if shown and unicodedata.category(shown[0]).startswith("M") else shown


def _special(i: int, written: str) -> Token:
    return Token(i, written, "special", written)


def _escape(char: str) -> str:
    return char.encode("unicode_escape").decode("ascii")


def _kind(data: bytes, written: str) -> str:
    if written in BYTE_TOKENS:
        return "byte"
    try:
        text = data.decode("utf-8").strip()
    except UnicodeDecodeError:
        return "byte" if len(data) == 1 else "part"
    if not text:
        return "space"
    if text[0].isnumeric():
        return "number"
    if unicodedata.category(text[0])[0] in "LM":
        return "word" if data[:1].isspace() else "letters"
    return "sign"


def _tell_kinds(figures: dict[str, Any]) -> str:
    how = "every byte is a token" if figures["byte_level"] else "letters as letters, ▁ for a space"
    lines = [f"{figures['vocab_size']:,} tokens: {figures['model']}, {how}"]
    lines += [f"{count:>9,} {kind:<8} {KINDS[kind]}" for kind, count in figures["kinds"].items()]
    return "\n".join(lines)


def _table(tokens: list[Token], *, left: int) -> str:
    from rich.console import Console
    from rich.table import Table

    if not tokens:
        return ""
    out = io.StringIO()
    console = Console(file=out, width=_WIDTH, force_terminal=False, markup=False, highlight=False, emoji=False)
    table = Table(box=None, pad_edge=False, header_style="")
    for name, justify in (("id", "right"), ("text", "left"), ("kind", "left"), ("in tokenizer.json", "left")):
        table.add_column(name, justify=justify, overflow="ellipsis", no_wrap=True)  # type: ignore[arg-type]
    for token in tokens:
        table.add_row(str(token.id), token.text, token.kind, visible(token.written.encode("utf-8", "replace")))
    console.print(table)
    more = [f"... and {left:,} more: --first, --count, --find choose"] if left > 0 else []
    return "\n".join([*(line.rstrip() for line in out.getvalue().splitlines()), *more])


def _tell_cut(cut: list[Token], sentence: str) -> str:
    size, words = len(sentence.encode()), max(1, len(sentence.split()))
    return (
        f"{'|'.join(token.text for token in cut)}\n{' '.join(str(token.id) for token in cut)}\n"
        f"{len(cut)} tokens, {len(cut) / words:.2f} per word, {size / max(1, len(cut)):.2f} bytes per token"
    )
