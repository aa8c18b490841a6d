"""Repairs: what is certainly spoilt is put right, what an author may have meant is left alone."""

from __future__ import annotations

import time

import ftfy.bad_codecs
import pytest

from mothertongue.corpus.clean import clean
from mothertongue.corpus.repair import REPAIRS, repair
from mothertongue.languages import open_language

from .conftest import TEXTS

ftfy.bad_codecs.ok()  # the codecs whose mistakes it mends
CS, BG = open_language("cs"), open_language("bg")
TYPOGRAPHY = "„Ano,“ řekl — a šel… ‚no‘ ‘x’ “y” ﬁ ½ Ｗ &amp; &nbsp; <b> ’"


@pytest.mark.parametrize("code", ["cs", "bg", "en", "sk", "mk"])
def test_ordinary_text_is_not_touched(code: str) -> None:
    text = TEXTS[code] + "\n\n" + TYPOGRAPHY
    assert repair(text, open_language(code if code in ("cs", "bg", "en") else "any")) == text


@pytest.mark.parametrize("encoding", ["cp1252", "cp1250", "latin-1", "iso-8859-2", "cp437"])
@pytest.mark.parametrize("code", ["cs", "bg"])
def test_mojibake_is_mended_line_by_line(code: str, encoding: str) -> None:
    good = TEXTS[code]
    spoilt = "".join(_misread(char, encoding) for char in good)
    assert spoilt != good
    assert repair(f"{good}\n{spoilt}\n{TYPOGRAPHY}", open_language(code)) == f"{good}\n{good}\n{TYPOGRAPHY}"


def test_cyrillic_mojibake_of_the_cyrillic_code_page_is_mended() -> None:
    good = "Здравей, добър ден. Това е стар текст."
    assert repair("".join(_misread(char, "cp1251") for char in good), BG) == good


def _misread(char: str, encoding: str) -> str:
    return char.encode().decode("sloppy-windows-" + encoding[2:] if encoding.startswith("cp12") else encoding)


@pytest.mark.parametrize(
    "text", ["Â je písmeno", "Ãé", "ÄÖÜ Ärger Österreich", "São João É NÃO", "РСТ и СССР, 10 °C", "Č. 5 § 3"]
)
def test_rare_letters_are_no_mojibake(text: str) -> None:
    assert repair(text, CS) == text


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("sku¬ tečnosti a изпъл¬нено", "skutečnosti a изпълнено"),
        ("slo\u00ad\nvo a slo\u00advo", "slovo a slovo"),
        ("platí p ∧ ¬ q a ¬p", "platí p ∧ ¬ q a ¬p"),
    ],
)
def test_soft_hyphens_and_what_scans_have_in_their_place(given: str, expected: str) -> None:
    assert repair(given, CS) == expected


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("Byla to skuteč-\nnost velká.", "Byla to skutečnost velká."),
        ("Nová škola. Šel do ško-\nly a škola škole školy.", "Nová škola. Šel do školy a škola škole školy."),
        ("česko-německý. Slovník česko-\nněmecký", "česko-německý. Slovník česko-německý"),
        ("Dům a les. Psal dům-\nles.", "Dům a les. Psal dům-\nles."),  # both are words: nobody knows
        ("v mdlob se zas-\nna stráni", "v mdlob se zas-\nna stráni"),
        ("vlak Praha-\nBrno jel", "vlak Praha-\nBrno jel"),
        ("— ano -\ne", "— ano -\ne"),
        ("10-\n20 kusů", "10-\n20 kusů"),
    ],
)
def test_cut_words_are_joined_only_if_the_whole_is_plausible(given: str, expected: str) -> None:
    assert repair(given, CS) == expected


def test_bulgarian_comparatives_keep_their_hyphen() -> None:
    assert repair("Той е по-\nдобър и най-\nстар от всички.", BG) == "Той е по-добър и най-стар от всички."


PAGE = "Toho rána šel mlynář podél řeky a přemýšlel o tom, co mu včera řekl soused Matěj. " * 7


@pytest.mark.parametrize("line", ["{}", "- {} -", "— {} —", "Starý mlýn {}", "{} JAN NOVOTNÝ", "Strana {}"])
@pytest.mark.parametrize("gap", ["\n", "\n\n"])
def test_page_numbers_and_running_heads_inside_sentences_go(line: str, gap: str) -> None:
    pages = [f"{PAGE}A když došel{gap}{line.format(number)}{gap}k mostu, zastavil se." for number in range(11, 17)]
    assert repair("\n".join(pages), CS) == "\n".join(f"{PAGE}A když došel k mostu, zastavil se." for _ in pages)


def test_running_heads_in_capitals_go_and_a_cut_word_is_joined_across_them() -> None:
    pages = [f"{PAGE}A když dora-\nSTARÝ MLÝN\nzil k mostu, zastavil se." for _ in range(4)]
    assert repair("\n".join(pages), CS, skip=["line-end-hyphens"]).count("dora-\nzil") == 4
    assert "STARÝ" not in repair("\n".join(pages), CS)


@pytest.mark.parametrize(
    "text",
    [
        "\n\n".join(f"{number}\n\n{PAGE}" for number in range(1, 9)),  # chapters
        "\n".join(f"Položka {number}" for number in range(40)),
        "\n".join(f"hodnota\n{number}\nvbName" for number in range(40)),  # a table
        "\n".join(f"Teče voda,\nrefrén 1\nteče dál a dál {'la ' * 200}" for _ in range(9)),
        "\n".join(f"Zpívali dál\nHEJ HOLA\na šli. {'la ' * 20}" for _ in range(9)),  # a refrain
    ],
)
def test_chapters_lists_tables_and_refrains_stay(text: str) -> None:
    assert repair(text, CS) == text


SPOILT = "PĹ™Ă\u00adliĹˇ\nsku¬ tečnost\nskuteč-\nnost\n"
SPOILT += "\n".join(f"{PAGE}došel\n{number}\nk mostu." for number in range(5, 9))


@pytest.mark.parametrize("name", REPAIRS)
def test_each_repair_can_be_skipped_by_its_name(name: str) -> None:
    assert repair(SPOILT, CS, skip=[name]) != repair(SPOILT, CS)
    assert repair(SPOILT, CS, skip=["all"]) == SPOILT


def test_repairing_twice_changes_nothing() -> None:
    once = clean(repair(SPOILT, CS))
    assert clean(repair(once, CS)) == once


@pytest.mark.parametrize(
    "hostile",
    ["Ă™" * 99_999, "a-\n" * 50_000, "¬" * 300_000, "1\n" * 50_000, "A" * 500_000, "АБВ\n" * 50_000, "а¬ " * 99_999,
     "-\n" * 99_999, "Ð" * 300_000, " " * 300_000 + "1\n", "a¬" + " " * 100_000 + "1"],
)  # fmt: skip
def test_hostile_text_takes_linear_time(hostile: str) -> None:
    start = time.process_time()
    repair(hostile, CS)
    assert time.process_time() - start < 3
