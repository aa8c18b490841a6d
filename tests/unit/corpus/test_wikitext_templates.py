"""Templates show the text that stands within sentences, as the wiki's language writes it; the others are weighed."""

from __future__ import annotations

import pytest

from mothertongue.corpus.clean import clean
from mothertongue.corpus.wikitext import TemplateWeights, extract_text, site
from mothertongue.corpus.wikitext.rules import make_rule
from mothertongue.errors import ConfigError
from mothertongue.languages import language_codes, open_language


@pytest.mark.parametrize(
    ("code", "wikitext", "expected"),
    [
        ("cs", "({{Vjazyce|de}} ''Lind'', {{vjazyce2|en|Lime}})", "(německy Lind, anglicky Lime)"),
        ("cs", "{{cizojazyčně|en|Hello}}, {{cj|la|vale}}, {{lang|de|Wort [[a|b]]}}", "Hello, vale, Wort b"),
        ("cs", "{{formatnum:1234567.5}} lidí, {{FORMATNUM: 12345 }}", "1 234 567,5 lidí, 12 345"),
        ("cs", "{{datum|5|3|1999}}, {{Datum narození a věk|1950|01|2}}", "5. března 1999, 2. ledna 1950"),
        ("cs", "{{convert|3|to|4|km2|sqmi}}, {{m n. m.|1602}}", "3 až 4 km², 1 602 m n. m."),
        ("cs", "{{Citát|Nic}} {{zlomek|1|2}} {{nowrap|1 km}} {{!}}", "„Nic“ 1/2 1 km |"),
        ("bg", "({{lang-en|London}}, {{lang|el|Φ}})", "(на английски: London, Φ)"),
        ("bg", "{{formatnum:12345}}, {{formatnum:1234}}, {{дата|3|3|1878}}", "12 345, 1234, 3 март 1878 г."),
        ("cs", "{{km|1200}}, {{km2|49035}}, 5 {{km}}", "1 200 km, 49 035 km², 5 km"),
        (
            "bg",
            "{{число|2290|м}}, {{формат:число|111000}}, {{число|510|млн. km{{sup|2}}}}",
            "2290 м, 111 000, 510 млн. km²",
        ),
        ("bg", "Радиусът е 6371 km{{км в мили|6371|скоби=да}}.", "Радиусът е 6371 km."),
        ("bg", "{{без пренос|5 km}} {{цитат|Дума}}", "5 km Дума"),
        ("en", "{{convert|1250|m|ft}} or {{cvt|5|ft|10|in|m}}", "1250 m or 5 ft 10 in"),
        ("en", "{{convert|10|-|20|C}}, {{convert|2|x|3|m|abbr=on}}", "10–20 °C, 2 × 3 m"),
        ("en", "{{val|1.5|0.2|e=6|u=kg}}, {{frac|3|1|2}}, {{sfrac|1|2}}", "1.5 ± 0.2 × 10⁶ kg, 3 1/2, 1/2"),
        ("en", "{{birth date|1950|2|3}}; {{start date|2015-06-20}}", "February 3, 1950; June 20, 2015"),
        ("en", "{{start date|May 2010}}; {{start date|1999|12}}; {{dts|2001}}", "May 2010; December 1999; 2001"),
        ("en", "{{lang-fr|Mont}}, {{langx|de|Berg}}, {{lang-tlh|batlh}}", "French: Mont, German: Berg, batlh"),
        ("en", "{{quote|a {{lang|fr|b}} [[c|d]] = e}}", "a b d = e"),
        ("en", "{{nowrap|[[a|b=c]] d}} {{lang|text=e}}", "b=c d e"),
        ("en", "{{hlist|a|b}} {{nihongo|Fuji|富士}} {{As of|2010|5}}", "a, b Fuji (富士) As of May 2010"),
        ("de", "{{enS|word}}, {{Zitat|Text}}, {{formatnum:12345}}", "englisch word, „Text“, 12.345"),
        ("fr", "{{unité|12000|km|2}} au {{s-|XIX|e}}", "12 000 km² au XIXe siècle"),
        ("fr", "Au {{XIXe siècle}}, au {{Ier siècle}}", "Au XIXe siècle, au Ier siècle"),
        ("fr", "{{date|14|juillet|1789}}, {{1er|janvier}}, {{citation|Oui}}", "14 juillet 1789, 1er janvier, « Oui »"),
        ("ltg", "{{formatnum:1234567}} {{lang|en|x}} {{convert|5|km}} {{#if:a|b|c}}", "1 234 567 x 5 km b"),
    ],
)
def test_templates_show_their_text_in_the_language_of_the_wiki(code: str, wikitext: str, expected: str) -> None:
    assert clean(extract_text(wikitext, site(open_language(code)))) == expected


@pytest.mark.parametrize("code", [*language_codes(), "any"])
def test_every_rule_of_every_language_can_be_used(code: str) -> None:
    for rule in site(open_language(code)).rules.values():
        assert isinstance(rule({"1": "5", "2": "x", "*": "en", "pagename": "P"}), str)
        assert isinstance(rule({}), str)


def test_a_rule_with_an_unknown_function_or_way_of_writing_says_what_there_is() -> None:
    language = open_language("cs")
    with pytest.raises(ConfigError, match=r"function 'convrt'; there are concatenate, convert"):
        make_rule("@convrt", language)
    with pytest.raises(ConfigError, match="way of writing 'nummer'"):
        make_rule("={1:nummer}", language)


def test_dropped_templates_are_weighed_and_those_within_text_come_first() -> None:
    dropped = TemplateWeights()
    text = "{{Infobox|a=1|b={{nowrap|x}}}}\nPraha má {{obyv|x}} lidí a {{Obyv|yy}} psů.<ref>{{citace|c}}</ref>"
    extract_text(text, site(open_language("cs")), dropped=dropped)
    assert dropped.heaviest() == [
        {"name": "obyv", "count": 2, "in_text": 2, "characters": 21},
        {"name": "infobox", "count": 1, "in_text": 0, "characters": 30},
    ]
    again = TemplateWeights()
    again.merge(dropped.plain())
    again.merge(dropped.plain())
    assert (again.count, again.characters) == (6, 102)
