"""Where a template or a link without text stood within a line: no hollow brackets, doubled commas or spaces before a
full stop are left. Only what stands beside a gap is touched, so the author's own signs stay.
"""

from __future__ import annotations

import re
from typing import Final

GAP: Final = "\x01"  # stands where something was dropped

_BRACKETS: Final = re.compile(r" ?([(\[])([^()\[\]\x01]*\x01[^()\[\]]*)([)\]])")
_ITEM_ENDS: Final = re.compile(r"\s*([,;:/])[\s,;:/]*(?=[,;:/])")
_OR: Final = re.compile(r"\s*\bor\b\s*")
_SPACES: Final = re.compile(" {2,}")
_HOLLOW: Final = " ,;:/–-"


def close_gaps(line: str) -> str:
    r"""The line without its gaps.

    >>> close_gaps("Aš (\x01; \x01 Asch, \x01) je \x01, \x01.")
    'Aš (Asch) je.'
    """
    if "(" in line or "[" in line:
        for _ in range(3):  # brackets in brackets
            shorter = _BRACKETS.sub(_bracket, line)
            if shorter == line:
                break
            line = shorter
    joined: list[str] = []
    last = ""  # the end of what is joined, without spaces
    space = False
    for piece in line.split(GAP):
        text = piece.strip(" ")
        if not text:
            space = space or piece != ""
            continue
        first = text[0]
        if last in ("", "(", "["):
            pass
        elif first in ",.;:!?)]":
            if last in ",.;" and first in ",.;":
                if first == ".":
                    joined[-1] = joined[-1][:-1]
                else:
                    text = text[1:]
        elif space or piece[0] == " ":
            joined.append(" ")
        if text:
            joined.append(text)
            last = text[-1]
            space = piece[-1] == " "
    return "".join(joined)


def _bracket(found: re.Match[str]) -> str:
    inner = _SPACES.sub(" ", _ITEM_ENDS.sub("", str(found[2]).replace(GAP, ""))).strip(_HOLLOW)
    if not inner or _OR.fullmatch(inner):
        return GAP
    before = " " if str(found[0])[0] == " " else ""
    return f"{before}{found[1]}{inner}{found[3]}"
