"""A maker of wiki pages: real Czech or Bulgarian text put into the mark-up that these wikis use, by a seed.

It is known of every page which sentences a reader would see and which words each template shows. The names of templates
are those that we know of the two wikis and of all wikis (numbers, units, dates, foreign names, quotes, small print,
flags with names), in equal shares, since there is no dump at hand to count them in. The mark-up around the text
(infobox, references, files, categories, navigation, tables) shows nothing that belongs to running text.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from corpus_probes import Probe
from corpus_sentences import words

_SENTENCE = re.compile(r"[^\n.!?…]{40,300}[.!?…]")
_NAMES = ("Johann Wolfgang", "La Rochelle", "New Haven", "Santa Cruz", "Port Royal", "Grande Place", "Val Verde")
_FEET = ("ft", "mi", "lb")


@dataclass(frozen=True)
class Wiki:
    """What is written in one wiki."""

    code: str
    spaces: dict[str, str]  # number of a namespace -> name
    inside: dict[
        str, tuple[str, ...]
    ]  # kind of template -> forms; {n} number, {y} year, {name} foreign name, {w} words
    infobox: str
    links: tuple[str, ...]  # [[target|label]] with {w}
    reference: tuple[str, ...]
    file: str
    before: tuple[str, ...]
    after: tuple[str, ...]
    table: str
    item: str = "* "


CZECH = Wiki(
    "cs",
    {"0": "", "6": "Soubor", "10": "Šablona", "14": "Kategorie"},
    {
        "number": ("{{{{formatnum:{n}}}}}", "{{{{nowrap|{n} obyvatel}}}}", "{{{{val|{n}}}}}"),
        "unit": ("{{{{m n. m.|{n}}}}}", "{{{{převod|{n}|km|mi}}}}", "{{{{Unit|{n}|km}}}}", "{{{{convert|{n}|km|mi}}}}"),
        "date": ("{{{{Datum|{d}|{m}|{y}}}}}", "{{{{datum narození|{y}|{m}|{d}}}}}", "{{{{Start date|{y}|{m}|{d}}}}}"),
        "lang": ("{{{{cizojazyčně|de|{name}}}}}", "{{{{vjazyce2|de|{name}}}}}", "{{{{lang|de|{name}}}}}",
                 "{{{{cj|de|{name}}}}}", "{{{{lang-de|{name}}}}}"),
        "quote": ("{{{{Citát v textu|{w}}}}}", "{{{{uvozovky|{w}}}}}"),
        "small": ("{{{{malé|{w}}}}}", "{{{{Nobr|{w}}}}}", "{{{{kurzíva|{w}}}}}"),
        "flag": ("{{{{Vlajka a název|Rakousko}}}}", "{{{{flagicon|Itálie}}}} Itálie"),
    },
    "{{{{Infobox - sídlo\n| název = {title}\n| obrázek = Mesto.jpg\n| obyvatelé = {{{{formatnum:{n}}}}} "
    "<!-- sčítání -->\n| web = {{{{url|example.org}}}}\n}}}}\n",
    ("[[{w}]]", "[[Cíl odkazu (město)|{w}]]", "'''{w}'''", "''{w}''", "[https://example.org/stranka {w}]"),
    (
        "<ref>{{{{Citace monografie| příjmení = Novák| titul = Dějiny| rok = {y}}}}}</ref>",
        "<ref name=\"n{n}\">NOVÁK, Jan. ''Kniha''. Praha: {y}. S. 12.</ref>",
        '<ref name="n{n}" />',
        "{{{{Poznámka pod čarou|vedlejší věc}}}}",
    ),
    "[[Soubor:Obrazek {n}.jpg|náhled|vpravo|200px|Popis [[obrázek|obrázku]]]]\n",
    ("{{{{Možná hledáte|jiný význam}}}}\n", "{{{{Upravit}}}}\n"),
    ("== Reference ==\n{{{{Reference}}}}\n", "== Externí odkazy ==\n* {{{{Commonscat}}}}\n", "{{{{Pahýl}}}}\n",
     "{{{{Autoritní data}}}}\n", "[[Kategorie:Města]]\n[[Kategorie:Vzniklo {y}]]\n", "[[en:Town]]\n"),
    '{{| class="wikitable"\n! Rok !! Počet\n|-\n| {y} || {{{{formatnum:{n}}}}}\n|}}\n',
)  # fmt: skip
BULGARIAN = Wiki(
    "bg",
    {"0": "", "6": "Файл", "10": "Шаблон", "14": "Категория"},
    {
        "number": ("{{{{formatnum:{n}}}}}", "{{{{без пренос|{n} жители}}}}", "{{{{nowrap|{n} души}}}}",
                   "{{{{val|{n}}}}}"),
        "unit": ("{{{{Конвертиране|{n}|km|mi}}}}", "{{{{convert|{n}|km|mi}}}}", "{{{{unit|{n}|km}}}}"),
        "date": ("{{{{дата|{d}|{m}|{y}}}}}", "{{{{дата на раждане|{y}|{m}|{d}}}}}", "{{{{Start date|{y}|{m}|{d}}}}}"),
        "lang": ("{{{{lang|de|{name}}}}}", "{{{{lang-de|{name}}}}}", "{{{{langi|de|{name}}}}}",
                 "{{{{lang|fr|{name}}}}}"),
        "quote": ("{{{{цитат|{w}}}}}", "{{{{кавички|{w}}}}}"),
        "small": ("{{{{малък|{w}}}}}", "{{{{нобр|{w}}}}}", "{{{{курсив|{w}}}}}"),
        "flag": ("{{{{флагче с име|Австрия}}}}", "{{{{флагче|Италия}}}} Италия"),
    },
    "{{{{Селище инфо\n| име = {title}\n| картинка = Grad.jpg\n| население = {{{{formatnum:{n}}}}} <!-- преброяване -->"
    "\n| сайт = {{{{URL|example.org}}}}\n}}}}\n",
    ("[[{w}]]", "[[Цел на препратка (град)|{w}]]", "'''{w}'''", "''{w}''", "[https://example.org/stranica {w}]"),
    (
        "<ref>{{{{Цитат книга| фамилия = Иванов| заглавие = История| година = {y}}}}}</ref>",
        "<ref name=\"n{n}\">Иванов, Иван. ''Книга''. София, {y}. с. 12.</ref>",
        '<ref name="n{n}" />',
        "{{{{източник?|{y}}}}}",
    ),
    "[[Файл:Kartina {n}.jpg|мини|вдясно|200п|Описание на [[картина]]та]]\n",
    ("{{{{към пояснение|град|друго значение}}}}\n", "{{{{обработка}}}}\n"),
    ("== Източници ==\n{{{{reflist}}}}\n", "== Външни препратки ==\n* {{{{commonscat-inline}}}}\n",
     "{{{{мъниче|град}}}}\n",
     "{{{{Нормативен контрол}}}}\n", "[[Категория:Градове]]\n[[Категория:Основани през {y} година]]\n",
     "[[en:Town]]\n"),
    '{{| class="wikitable"\n! Година !! Брой\n|-\n| {y} || {{{{formatnum:{n}}}}}\n|}}\n',
)  # fmt: skip
WIKIS = {"cs": CZECH, "bg": BULGARIAN}


@dataclass
class Page:
    """A page, and what is known of its text."""

    title: str
    wikitext: str = ""
    sentences: list[list[str]] = field(default_factory=list)  # words of each
    probes: list[Probe] = field(default_factory=list)


def make_pages(wiki: Wiki, texts: Sequence[str], number: int, seed: int = 6) -> list[Page]:
    """Pages of about twenty sentences each."""
    draw = random.Random(seed)
    clean = re.compile(r"[\[\]{}|<>=*#&'_~`\\/]|:$|\d[,.  ]\d")
    found = [one.strip() for text in texts for one in _SENTENCE.findall(text)]
    usable = [one for one in found if one[:1].isalpha() and not clean.search(one) and len(one.split()) >= 7]
    draw.shuffle(usable)
    return [
        _page(wiki, f"Stránka {at}" if wiki.code == "cs" else f"Страница {at}", usable[at * 20 : at * 20 + 20], draw)
        for at in range(min(number, len(usable) // 20))
    ]


def _page(wiki: Wiki, title: str, sentences: Sequence[str], draw: random.Random) -> Page:
    page = Page(title)
    fill = _filler(draw, title)
    parts = [*(fill(one) for one in wiki.before if draw.random() < 0.3), fill(wiki.infobox), fill(wiki.file)]
    for at in range(0, len(sentences), 5):
        if at:
            parts.append(f"== {sentences[at].split()[0]} ==\n")
        shown = [_marked(wiki, sentence, page, draw, fill) for sentence in sentences[at : at + 4]]
        parts.append(" ".join(shown) + "\n\n")
        for sentence in sentences[at + 4 : at + 5]:
            parts.append(f"{wiki.item}{sentence}\n{wiki.item}{_marked(wiki, sentence, Page(''), draw, fill)}\n\n")
            page.sentences.append(words(sentence))
            page.probes.append(Probe("list", " ".join(words(sentence)[:5])))
        if draw.random() < 0.4:
            parts.append(fill(wiki.table))
        if draw.random() < 0.4:
            parts.append(fill(wiki.file))
    page.wikitext = "".join(parts) + "".join(fill(one) for one in wiki.after)
    return page


def _marked(wiki: Wiki, sentence: str, page: Page, draw: random.Random, fill: Callable[..., str]) -> str:
    """The sentence with a template, a link or a reference in it; what it shows is noted on the page."""
    own = sentence.split()
    at = draw.randrange(3, len(own) - 2)
    chance = draw.random()
    if chance < 0.45:
        kind = draw.choice(list(wiki.inside))
        given = own[at] if kind in ("quote", "small") else ""
        form = draw.choice(wiki.inside[kind])
        number, year, name = draw.randint(1001, 99_999), draw.randint(1801, 1999), draw.choice(_NAMES)
        made = fill(form, n=number, y=year, name=name, w=given)
        shown = {"lang": name, "date": str(year), "quote": given, "small": given, "flag": re.findall(r"\w+", made)[-1]}
        before = words(" ".join(own[:at]))[-2:]
        if target := words(shown.get(kind, str(number))):
            page.probes.append(Probe(kind, " ".join(before), shown=target[0]))
        return " ".join([*own[:at], made, *(own[at + 1 :] if given else own[at:])])
    if chance < 0.75:
        label = " ".join(own[at : at + 2])
        end = label[len(label.rstrip('.,;:!?…"“”„')) :]
        label = label.rstrip('.,;:!?…"“”„')
        made = " ".join([*own[:at], fill(draw.choice(wiki.links), w=label) + end, *own[at + 2 :]])
    else:
        made = sentence + fill(draw.choice(wiki.reference))
    page.sentences.append(words(sentence))
    return made


def _filler(draw: random.Random, title: str) -> Callable[..., str]:
    def fill(form: str, **given: object) -> str:
        values = {"n": draw.randint(1001, 99_999), "y": draw.randint(1801, 1999), "title": title, "w": "", "name": ""}
        return form.format(**{**values, "d": draw.randint(1, 28), "m": draw.randint(1, 12), **given})

    return fill
