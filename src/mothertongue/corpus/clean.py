"""One text -> the same text in one form: NFC, newlines as newlines, no invisible characters.

The newline rule (docs/why/newlines.md): every line break becomes `\\n`, at most one line stays empty between two
others, spaces at the end of lines go, and a text neither begins nor ends with white space. Quotes, dashes and
indentation are left as their author set them.

>>> clean("Jablon\\u030c\\r\\n\\r\\n\\r\\n\\r\\nmá kve\\u00adty.  ")
'Jabloň\\n\\nmá kvety.'
"""

from __future__ import annotations

import re
import unicodedata

# controls, soft hyphen, zero width space, direction marks, invisible operators, BOM, lone surrogates, non-characters.
# The joiners U+200C and U+200D stay: Persian words and emoji need them.
FORBIDDEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u00ad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ud800-\udfff\ufdd0-\ufdef\ufeff\ufff9-\ufffb\ufffe\uffff"
    "\U000e0000-\U000e001f]"
)
# \v and \f, NEL and the Unicode separators are line breaks as well
_BREAKS = "\r\v\f\x1c\x1d\x1e\x85\u2028\u2029"
# spaces of a fixed width or that forbid a break look like a space; the ideographic space U+3000 means something and
# stays
_SPACES = "\u00a0\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u205f"
_UNUSUAL = re.compile(f"{FORBIDDEN.pattern[:-1]}{_SPACES}]")
_INSTEAD = dict.fromkeys(_BREAKS, "\n") | dict.fromkeys(_SPACES, " ")  # of what is forbidden nothing
_LINE_END = re.compile("\n(?<=[ \t\u1680\u3000]\n)")
_BLANK_LINES = re.compile("\n{3,}")


def clean(text: str) -> str:
    """`text` in the one form that every later room may rely on; cleaning twice changes nothing."""
    text = text.replace("\r\n", "\n") if "\r" in text else text
    text = _UNUSUAL.sub(lambda found: _INSTEAD.get(found[0], ""), text)
    text = unicodedata.normalize("NFC", text)
    if _LINE_END.search(text):
        # line by line: a regex for trailing spaces would take quadratic time on a hostile run of them
        text = "\n".join([line.rstrip() for line in text.split("\n")])
    return (_BLANK_LINES.sub("\n\n", text) if "\n\n\n" in text else text).strip()
