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

# \v and \f, NEL and the Unicode separators are line breaks as well
_BREAK = re.compile("\r\n|[\r\v\f\x1c-\x1e\x85\u2028\u2029]")
# spaces of a fixed width or that forbid a break look like a space; the ideographic space U+3000 means something and
# stays
_SPACE = re.compile("[\u00a0\u2000-\u200a\u202f\u205f]")
# controls, soft hyphen, zero width space, direction marks, invisible operators, BOM, lone surrogates, non-characters.
# The joiners U+200C and U+200D stay: Persian words and emoji need them.
FORBIDDEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u00ad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ud800-\udfff\ufdd0-\ufdef\ufeff\ufff9-\ufffb\ufffe\uffff"
    "\U000e0000-\U000e001f]"
)
_BLANK_LINES = re.compile("\n{3,}")


def clean(text: str) -> str:
    """`text` in the one form that every later room may rely on; cleaning twice changes nothing."""
    text = _SPACE.sub(" ", _BREAK.sub("\n", text))
    text = unicodedata.normalize("NFC", FORBIDDEN.sub("", text))
    # line by line: a regex for trailing spaces would take quadratic time on a hostile run of them
    text = "\n".join([line.rstrip() for line in text.split("\n")])
    return _BLANK_LINES.sub("\n\n", text).strip()
