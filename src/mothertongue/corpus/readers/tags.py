"""Tags with thousands of attributes: libxml2 takes quadratic time for each, hours for one of a megabyte, and no page
that people read has one. A page with such a tag is refused before it is parsed.

A tag is followed from every place where a parser might see one begin, in comments and scripts too. How far may be
followed is bounded as well: tags that lie in one another's values, over and over, are no page either.
"""

from __future__ import annotations

import re

MOST_ATTRIBUTES = 2000
_MOST_OVERLAP = 20  # how many times the length of a page may be looked at
_NAME = r"[\s/]*+[^\s/>][^\s/>=]*+"
_VALUE = r"""\s*+=\s*+(?:"[^"]*+"?+|'[^']*+'?+|[^\s>"'][^\s>]*+)?+"""
_BEGIN = re.compile(r"<[a-zA-Z]")
_TAG = re.compile(rf"<[^\s/>]++(?:{_NAME}(?:{_VALUE})?+){{0,{MOST_ATTRIBUTES}}}+")
_TOO_MANY = re.compile(rf"<[^\s/>]++(?:{_NAME}(?:{_VALUE})?+){{{MOST_ATTRIBUTES}}}+")


def has_endless_tag(page: str) -> bool:
    """Whether a tag of the page has `MOST_ATTRIBUTES` or more, or too many reach over one another."""
    left = _MOST_OVERLAP * len(page) + 1000
    for begin in _BEGIN.finditer(page):
        tag = _TAG.match(page, begin.start())
        length = tag.end() - tag.start() if tag else 0
        left -= length
        if left < 0 or (length > 2 * MOST_ATTRIBUTES and _TOO_MANY.match(page, begin.start())):
            return True
    return False
