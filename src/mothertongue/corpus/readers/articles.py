"""Which pages of a wiki are articles: not redirects, pages of other namespaces, lists of meanings, or code.

All names come from the wiki: namespaces and magic words from its siteinfo, templates and categories of disambiguation
pages from `languages/*.toml`, with a default (`any.toml`) that holds for any wiki.
"""

from __future__ import annotations

import re
from functools import lru_cache

from mothertongue.corpus.readers.export import Page
from mothertongue.corpus.readers.siteinfo import SiteInfo
from mothertongue.corpus.wikitext import Site, scan

# for wikis whose magic words are not known: one word behind a # and then a link, at the beginning of a page
_REDIRECT = re.compile(rb"\s*#[^\s#*:;|<>{}\[\]]{2,40}\s*:?\s*\[\[")
_TEMPLATE = re.compile(rb"\{\{\s*+([^{}|<>\n]++)")
_LINK = re.compile(rb"\[\[\s*+([^\[\]|:\n]++:\s*[^\[\]|\n]+)")
_BRACKETS = re.compile(r"\(([^()]+)\)\s*$")
_MODELS = frozenset({"wikitext", "proofread-page", ""})
_DISAMBIGUATION_WORD = "__DISAMBIG__"
COMPILED = not str(scan.__file__).endswith(".py")
_CATEGORY = 14
_MOST_REMEMBERED = 50_000


def why_no_article(page: Page, wiki: Site, info: SiteInfo, namespaces: tuple[int, ...] = ()) -> str | None:
    """Why a page is left out; None for an article. `namespaces`: those to be read, if not the wiki's own choice."""
    if page.too_large:
        return "page-too-large"
    if is_redirect(page, info):
        return "redirect"
    number = int(page.ns) if re.fullmatch(r"-?\d{1,6}", page.ns) else info.namespace_of(page.title)
    if number not in (frozenset(namespaces) or info.content or {0}):
        return "not-an-article"
    if page.model not in _MODELS:
        return "not-wikitext"
    if is_disambiguation(page, wiki, info):
        return "disambiguation"
    return None


def is_redirect(page: Page, info: SiteInfo) -> bool:
    """By MediaWiki's own mark, or for exports without it by the words that the wiki understands."""
    if page.redirect:
        return True
    if not info.redirects:
        return _REDIRECT.match(page.wikitext) is not None
    beginning = page.wikitext[:800].decode("utf-8", "ignore")[:200].lstrip().casefold()
    word = next((word for word in info.redirects if beginning.startswith(word)), None)
    return word is not None and re.match(r"\s*:?\s*\[\[", beginning[len(word) :]) is not None


def is_disambiguation(page: Page, wiki: Site, info: SiteInfo) -> bool:
    """Whether a page only tells meanings of a word apart: by magic word, title, template or category."""
    wikitext = page.wikitext
    names, links, magic = scan.names_in(wikitext) if COMPILED else _names_in(wikitext)
    words = (_DISAMBIGUATION_WORD, *info.disambiguation)
    if any(word.encode("utf-8") in wikitext for word in words if magic or not word.startswith("__")):
        return True
    templates = wiki.language.disambiguation_templates
    brackets = _BRACKETS.search(page.title)
    if brackets and brackets[1].strip().casefold() in templates:
        return True
    seen = _templates_seen(wiki.template_prefixes, templates)
    if not names <= seen:
        if any(_without(wiki.template_prefixes, name) in templates for name in names):
            return True
        if len(seen) < _MOST_REMEMBERED:
            seen |= names
    categories = wiki.language.disambiguation_categories
    if not categories:
        return False
    return any(_is_category(link, categories, info) for link in links)


def _names_in(wikitext: bytes) -> tuple[set[bytes], set[bytes], bool]:
    return set(_TEMPLATE.findall(wikitext)), set(_LINK.findall(wikitext)), b"__" in wikitext


@lru_cache(maxsize=8)
def _templates_seen(prefixes: frozenset[str], templates: frozenset[str]) -> set[bytes]:
    """Names that are none of these."""
    return set()


def _is_category(link: bytes, categories: frozenset[str], info: SiteInfo) -> bool:
    prefix, name = _halves(link)
    return name in categories and (prefix == "category" or info.namespace_of(prefix + ":") == _CATEGORY)


def _plain(name: str) -> str:
    return name.strip().replace("_", " ").casefold()


@lru_cache(maxsize=20_000)
def _halves(link: bytes) -> tuple[str, str]:
    """What stands before the colon and behind it, in small letters."""
    prefix, _, name = link.decode("utf-8", "ignore").partition(":")
    return _plain(prefix), _plain(name)


@lru_cache(maxsize=20_000)
def _without(prefixes: frozenset[str], called: bytes) -> str:
    """The name of a template in small letters, without its namespace."""
    name = _plain(called.decode("utf-8", "ignore"))
    prefix, colon, rest = name.partition(":")
    return rest.strip() if colon and prefix.strip() in prefixes else name
