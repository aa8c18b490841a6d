"""What must be known of a wiki to read its pages: names of its namespaces, what its templates show, what to do with
tables and formulas.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from mothertongue.corpus.wikitext.octets import text_of
from mothertongue.corpus.wikitext.rules import Rule, make_rule
from mothertongue.languages import Language

# what MediaWiki understands in every language; the dump's <siteinfo> and languages/*.toml add the local names
_HIDDEN_PREFIXES = frozenset({"file", "image", "media", "category"})
_SUBSTITUTION = re.compile(r"(?:safe)?subst:\s*", re.IGNORECASE)
_MOST_REMEMBERED = 50_000


@dataclass(frozen=True)
class TemplateRule:
    """What a template shows, and what the star in its name in the table stood for."""

    rule: Rule
    star: str = ""


@dataclass(frozen=True)
class Site:
    """A wiki: made by `site`."""

    language: Language
    hidden_prefixes: frozenset[str]  # links with these show nothing in the text
    template_prefixes: frozenset[str]
    rules: Mapping[str, Rule]
    stars: tuple[tuple[str, str, Rule], ...]  # (before the star, after it, rule)
    tables: str = "drop"  # or keep, flatten
    formulas: str = "text"  # or latex, drop
    remembered: dict[bytes, TemplateRule | None] = field(default_factory=dict, repr=False, compare=False)
    names: dict[bytes, str] = field(default_factory=dict, repr=False, compare=False)

    def template(self, name: bytes) -> TemplateRule | None:
        """The rule of a template as it is called on the page; None if nothing of it is shown."""
        try:
            return self.remembered[name]
        except KeyError:
            if len(self.remembered) >= _MOST_REMEMBERED:
                self.remembered.clear()
            found = self.remembered[name] = self._find(self.template_name(name))
            return found

    def template_name(self, name: bytes) -> str:
        """`infobox x` for `Template:Infobox_X`: in small letters, without namespace."""
        known = self.names.get(name)
        if known is None:
            if len(self.names) >= _MOST_REMEMBERED:
                self.names.clear()
            known = self.names[name] = self._name(text_of(name))
        return known

    def _name(self, called: str) -> str:
        name = _SUBSTITUTION.sub("", called.strip().replace("_", " ").casefold())
        prefix, colon, rest = name.partition(":")
        return rest.strip() if colon and prefix.strip() in self.template_prefixes else name

    def _find(self, name: str) -> TemplateRule | None:
        if rule := self.rules.get(name):
            return TemplateRule(rule)
        for before, after, rule in self.stars:
            if len(name) > len(before) + len(after) and name.startswith(before) and name.endswith(after):
                return TemplateRule(rule, name[len(before) : len(name) - len(after)])
        return None


def site(
    language: Language,
    namespaces: Mapping[int, str] | None = None,
    *,
    tables: str = "drop",
    formulas: str = "text",
) -> Site:
    """The wiki with these `namespaces` (from <siteinfo>: number -> local name)."""
    names = namespaces or {}
    hidden = {names[key].casefold() for key in (-2, 6, 14) if names.get(key)}
    template = {names[10].casefold()} if names.get(10) else set()
    rules = {name.casefold(): make_rule(value, language) for name, value in language.text_templates.items()}
    stars = [(name.partition("*")[0], name.partition("*")[2], rule) for name, rule in rules.items() if "*" in name]
    return Site(
        language,
        _HIDDEN_PREFIXES | hidden | language.hidden_prefixes,
        frozenset({"template"} | template),
        rules,
        tuple(sorted(stars, key=lambda star: (-len(star[0]) - len(star[1]), star[0]))),
        tables,
        formulas,
    )
