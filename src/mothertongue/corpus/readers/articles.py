"""Which pages of a wiki are articles: not redirects, pages of other namespaces, lists of meanings, or code.

All names come from the wiki: namespaces and magic words from its siteinfo, templates and categories of disambiguation
pages from `languages/*.toml`, with a default (`any.toml`) that holds for any wiki.
"""

from __future__ import annotations

import re
from functools import lru_cache

from mothertongue.corpus.readers.export import Page
from mothertongue.corpus.readers.siteinfo import SiteInfo
from mothertongue.corpus.wikitext import Site

# for wikis whose magic words are not known: one word behind a # and then a link, at the beginning of a page
_REDIRECT = re.compile(r"\s*#[^\s#*:;|<>{}\[\]]{2,40}\s*:?\s*\[\[")
_TEMPLATE = re.compile(r"\{\{\s*([^{}|<>\n]++)")
_LINK = re.compile(r"\[\[\s*([^\[\]|:\n]++):\s*([^\[\]|\n]+)")
_BRACKETS = re.compile(r"\(([^()]+)\)\s*$")
_MODELS = frozenset({"wikitext", "proofread-page", ""})
_DISAMBIGUATION_WORD = "__DISAMBIG__"
_CATEGORY = 14


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
        return _REDIRECT.match(page.text) is not None
    beginning = page.text[:200].lstrip().casefold()
    word = next((word for word in info.redirects if beginning.startswith(word)), None)
    return word is not None and re.match(r"\s*:?\s*\[\[", beginning[len(word) :]) is not None


def is_disambiguation(page: Page, wiki: Site, info: SiteInfo) -> bool:
    """Whether a page only tells meanings of a word apart: by magic word, title, template or category."""
    if any(word in page.text for word in (_DISAMBIGUATION_WORD, *info.disambiguation)):
        return True
    templates = wiki.language.disambiguation_templates
    brackets = _BRACKETS.search(page.title)
    if brackets and brackets[1].strip().casefold() in templates:
        return True
    prefixes = wiki.template_prefixes
    if any(_without(prefixes, name) in templates for name in _TEMPLATE.findall(page.text)):
        return True
    categories = wiki.language.disambiguation_categories
    return bool(categories) and any(
        _plain(found[2]) in categories and _is_category(found[1], info) for found in _LINK.finditer(page.text)
    )


def _is_category(prefix: str, info: SiteInfo) -> bool:
    return _plain(prefix) == "category" or info.namespace_of(prefix + ":") == _CATEGORY


def _plain(name: str) -> str:
    return name.strip().replace("_", " ").casefold()


@lru_cache(maxsize=20_000)
def _without(prefixes: frozenset[str], name: str) -> str:
    """The name of a template in small letters, without its namespace."""
    prefix, colon, rest = _plain(name).partition(":")
    return rest.strip() if colon and prefix.strip() in prefixes else _plain(name)
