"""Where a template or a link without text stood within a line: no hollow brackets, doubled commas or spaces before a
full stop are left. Only what stands beside a gap is touched, so the author's own signs stay.
"""

from __future__ import annotations

import re
from typing import Final

from mothertongue.corpus.wikitext import scan
from mothertongue.corpus.wikitext.octets import bytes_of, text_of
from mothertongue.corpus.wikitext.scan import gap_in_brackets

COMPILED: Final = not str(scan.__file__).endswith(".py")
GAP: Final = b"\x01"  # stands where something was dropped

_BRACKETS: Final = re.compile(r"([(\[])([^()\[\]\x01]*\x01[^()\[\]]*)([)\]])")
_ITEM_ENDS: Final = re.compile(r"(?<!\s)\s*+([,;:/])[\s,;:/]*(?=[,;:/])")
_OR: Final = re.compile(r"\s*\bor\b\s*")
_SPACES: Final = re.compile(" {2,}")
_HOLLOW: Final = " ,;:/–-"
_OPENING: Final = b"(["
_CLOSING: Final = b",.;:!?)]"
_DOUBLED: Final = b",.;"
_FULL_STOP: Final = ord(".")
_SPACE: Final = ord(" ")


def close_gaps(line: bytes) -> bytes:
    r"""The line without its gaps.

    >>> close_gaps("Aš (\x01; \x01 Asch, \x01) je \x01, \x01.".encode()).decode()
    'Aš (Asch) je.'
    """
    if line == GAP:
        return b""
    if gap_in_brackets(line) if COMPILED else b"(" in line or b"[" in line:
        line = bytes_of(_close_brackets(text_of(line)))
    joined: list[bytes] = []
    last = 0  # the end of what is joined, without spaces
    space = False
    for piece in line.split(GAP):
        text = piece.strip(b" ")
        if not text:
            space = space or len(piece) > 0
            continue
        first = text[0]
        if last == 0 or last in _OPENING:
            pass
        elif first in _CLOSING:
            if last in _DOUBLED and first in _DOUBLED:
                if first == _FULL_STOP:
                    joined[-1] = joined[-1][:-1]
                else:
                    text = text[1:]
        elif space or piece[0] == _SPACE:
            joined.append(b" ")
        if text:
            joined.append(text)
            last = text[-1]
            space = piece[-1] == _SPACE
    return b"".join(joined)


def _close_brackets(line: str) -> str:
    for _ in range(3):  # brackets in brackets
        pieces, last = list[str](), 0
        for found in _BRACKETS.finditer(line):
            begin, shown = found.start(), _bracket(found)
            if shown == "\x01" and begin > last and line[begin - 1] == " ":
                begin -= 1
            pieces += (line[last:begin], shown)
            last = found.end()
        if not pieces:
            break
        line = "".join(pieces) + line[last:]
    return line


def _bracket(found: re.Match[str]) -> str:
    inner = _SPACES.sub(" ", _ITEM_ENDS.sub("", str(found[2]).replace("\x01", ""))).strip(_HOLLOW)
    return f"{found[1]}{inner}{found[3]}" if inner and not _OR.fullmatch(inner) else "\x01"
