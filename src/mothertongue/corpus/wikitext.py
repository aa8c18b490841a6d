"""Wikitext -> running text: what a reader of the page would read aloud, and no mark-up.

Dropped: templates (but those that `languages/*.toml` names as carrying text), tables, references, galleries, files
with their captions, categories, interlanguage links, comments, formulas that need more than plain characters,
headings without text below them, and sections of references. Kept: text of links, list items one per line, headings
on lines of their own.

mwparserfromhell builds the tree; the walk over it and the tidying afterwards are ours, since its own `strip_code`
leaves captions and table rows behind and knows no localised names.
"""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from mothertongue.corpus.wikitidy import HEADING, protect, tidy
from mothertongue.languages import Language, open_language

# what MediaWiki understands in every language; the dump's <siteinfo> and languages/*.toml add the local names
_HIDDEN_PREFIXES = {"file", "image", "media", "category"}
_OTHER_WIKIS = re.compile("[sqbnvcmdw]|wikt|wiktionary|commons|species|voy|wiki(source|quote|news|books|data)", re.I)
_INTERLANGUAGE = re.compile("[a-z]{2,3}(-[a-z]+)*|simple")
_SILENT_TAG = re.compile(
    "ref|references|table|tr|td|th|gallery|timeline|imagemap|graph|score|hiero|chem|ce|templatedata|templatestyles|"
    "inputbox|categorytree|section|includeonly|noinclude|mapframe|maplink|syntaxhighlight|source|indicator|pages"
)
_BLOCK_TAG = re.compile("p|div|blockquote|poem|center|hr|pre|ul|ol|dl")
_OPEN_TAG = re.compile(r"<(?!br\b|hr\b|li\b|p\b|dt\b|dd\b|t[rdh]\b)[a-z][^<>/]*>", re.I)
_MAX_UNCLOSED = 300  # mwparserfromhell takes quadratic time in this number
_PLAIN_MATH = re.compile(r"[^\\{}&]*")
_PARENTHESIS = re.compile(r"\s*\([^()]*\)$|,.*$")


@dataclass(frozen=True)
class Site:
    """What must be known of a wiki to read its pages."""

    language: Language
    hidden_prefixes: frozenset[str]  # links with these show nothing in the text
    template_prefixes: frozenset[str]


def site(language: Language, namespaces: Mapping[int, str] | None = None) -> Site:
    """The wiki with these `namespaces` (from <siteinfo>: number -> local name)."""
    names = namespaces or {}
    hidden = {names[key].casefold() for key in (-2, 6, 14) if names.get(key)}
    template = {names[10].casefold()} if names.get(10) else set()
    return Site(
        language, frozenset(_HIDDEN_PREFIXES | hidden | language.hidden_prefixes), frozenset({"template"} | template)
    )


def extract_text(wikitext: str, wiki: Site | None = None, *, title: str = "") -> str:
    """The running text of a page. Broken mark-up is dropped as far as it can be told from text."""
    import mwparserfromhell

    wiki = wiki or site(open_language("any"))
    # quotes for bold and italic are taken off afterwards: the parser gives up on unbalanced ones
    tree = mwparserfromhell.parse(wikitext, skip_style_tags=True)
    text = _render(tree.nodes, _Page(wiki, title))
    return tidy(text, wiki.hidden_prefixes, wiki.language.reference_sections)


def is_hopeless(wikitext: str) -> bool:
    """True if so much mark-up is opened and never closed that the parser would take minutes over the page."""
    for opening, closing in (("{{", "}}"), ("[[", "]]"), ("[", "]"), ("<", ">")):
        if wikitext.count(opening) - wikitext.count(closing) > _MAX_UNCLOSED:
            return True
    return len(_OPEN_TAG.findall(wikitext)) - wikitext.count("</") > _MAX_UNCLOSED


def template_names(wikitext: str, wiki: Site) -> set[str]:
    """The names of all templates of a page, without namespace, in small letters."""
    found = re.findall(r"\{\{\s*([^{}|<>\n]+)", wikitext)
    return {_template_name(name, wiki) for name in found}


@dataclass(frozen=True)
class _Page:
    wiki: Site
    title: str


def _render(nodes: Iterable[Any], page: _Page) -> str:
    parts: list[str] = []
    for node in nodes:
        kind = type(node).__name__
        if kind == "Tag" and node.wiki_markup == ":" and parts and not parts[-1].endswith("\n"):
            parts.append(": ")  # ;term :definition
        else:
            parts.append(_NODES[kind](node, page))
    return "".join(parts)


def _children(code: Any, page: _Page) -> str:
    return "" if code is None else _render(code.nodes, page)


def _heading(node: Any, page: _Page) -> str:
    return f"\n\n{HEADING}{node.level}{_children(node.title, page).strip()}\n\n"


def _entity(node: Any, page: _Page) -> str:
    try:
        return protect(str(node.normalize()))
    except (ValueError, OverflowError):
        return ""


def _argument(node: Any, page: _Page) -> str:
    return _children(node.default, page)


def _external_link(node: Any, page: _Page) -> str:
    return _children(node.title, page) if node.brackets else ""


def _template(node: Any, page: _Page) -> str:
    name = _template_name(str(node.name), page.wiki)
    if name == "pagename":
        return page.title
    texts = page.wiki.language.text_templates
    wanted = texts.get(name) or texts.get(f"{name.partition('-')[0]}-*")  # {{lang-de|Prag}}
    if wanted is None or not node.has(wanted):
        return ""
    return _children(node.get(wanted).value, page).strip()


def _template_name(name: str, wiki: Site) -> str:
    name = name.strip().replace("_", " ").casefold()
    prefix, colon, rest = name.partition(":")
    return rest.strip() if colon and prefix.strip() in wiki.template_prefixes else name


def _wikilink(node: Any, page: _Page) -> str:
    target, label = _children(node.title, page).strip(), node.text
    prefix, colon, rest = target.partition(":")
    prefix = prefix.strip()
    if colon and prefix and (prefix.casefold() in page.wiki.hidden_prefixes or _INTERLANGUAGE.fullmatch(prefix)):
        return ""
    if label is not None and (shown := _children(label, page)).strip():
        return shown
    target = rest.strip() if colon and (not prefix or _OTHER_WIKIS.fullmatch(prefix)) else target
    if label is not None:  # [[Praha (město)|]]: the pipe trick
        return _PARENTHESIS.sub("", target)
    return target.lstrip("#").replace("_", " ")


def _tag(node: Any, page: _Page) -> str:
    name = str(node.tag).strip().lower()
    if _SILENT_TAG.fullmatch(name) or _invisible(node):
        return ""
    if name == "br":
        return "\n"
    if name == "math":
        formula = html.unescape(str(node.contents)).strip()
        return protect(formula) if _PLAIN_MATH.fullmatch(formula) else ""
    literal = name in ("nowiki", "pre") and node.contents is not None
    inner = protect(html.unescape(str(node.contents))) if literal else _children(node.contents, page)
    return f"\n{inner}\n" if _BLOCK_TAG.fullmatch(name) else inner


def _invisible(node: Any) -> bool:
    return any(
        str(attribute.name).strip().lower() == "style" and re.search(r"display\s*:\s*none", str(attribute.value))
        for attribute in node.attributes
    )


_NODES: dict[str, Callable[[Any, _Page], str]] = {
    "Text": lambda node, page: str(node.value),
    "Comment": lambda node, page: "",
    "HTMLEntity": _entity,
    "Heading": _heading,
    "Argument": _argument,
    "ExternalLink": _external_link,
    "Template": _template,
    "Wikilink": _wikilink,
    "Tag": _tag,
}
