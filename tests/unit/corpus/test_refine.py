"""Foreign paragraphs go and the document stays; personal data is hidden only if asked; lists of the user are heeded."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from mothertongue.corpus.document import Document
from mothertongue.corpus.parts import Part
from mothertongue.corpus.readers import Reading
from mothertongue.corpus.refine import hide_emails, hide_ibans, hide_phones, refine
from mothertongue.corpus.wordlists import offensive_words, stands_in_tasks
from mothertongue.corpus.work import kept_documents
from mothertongue.errors import ConfigError

from .conftest import TEXTS

Make = Callable[..., Reading]
Drops = list[tuple[str, str, str]]


@pytest.mark.parametrize(("code", "other"), [("cs", "sk"), ("cs", "en"), ("bg", "en"), ("bg", "mk"), ("bg", "ru")])
def test_a_paragraph_in_another_language_goes(code: str, other: str, reading: Make, drops: Drops) -> None:
    if other not in TEXTS:
        pytest.skip(f"no sample of {other}")
    own, foreign = TEXTS[code].replace("\n", " "), TEXTS[other].replace("\n", " ")
    text = refine(f"{own}\n\n{foreign}\n\n{own} {own}", "x", reading(language=code))
    assert text == f"{own}\n\n{own} {own}"
    assert [drop[0] for drop in drops] == [f"paragraph:language:{other}"]


def test_short_or_mostly_foreign_text_is_left_to_the_rules_for_documents(reading: Make, drops: Drops) -> None:
    for text in ("Hello, world!\n" + TEXTS["cs"], TEXTS["sk"] + "\n" + TEXTS["sk"], "", "\n" * 400):
        assert refine(text, "x", reading(language="cs")) == text
    assert drops == []


def test_personal_data_is_hidden_only_if_asked(reading: Make, drops: Drops) -> None:
    text = "Pište na jan.novak+x@seznam.cz, volejte +420 603 123 456 nebo tel.: 224 123 456, "
    text += "účet CZ65 0800 0000 1920 0014 5399."
    assert refine(text, "x", reading()) == text
    hidden = refine(text, "x", reading(personal_data="replace"))
    assert hidden == "Pište na <EMAIL>, volejte <PHONE> nebo tel.: <PHONE>, účet <IBAN>."
    assert sorted(drops) == [("replaced:email", "x", ""), ("replaced:iban", "x", ""), ("replaced:phone", "x", "")]


def test_what_is_taken_out_is_told_of_documents_that_stay_alone(reading: Make, drops: Drops) -> None:
    short, kept = (Document(f"Pište na a@b.cz. {more}", "x", "x") for more in ("", TEXTS["cs"]))
    told = reading(language="cs", personal_data="replace")
    assert len(list(kept_documents(Part("", told.source, (short, kept)), told))) == 1
    assert [reason for reason, _, _ in drops] == ["too-short", "replaced:email"]


def test_ordinary_numbers_and_signs_stay() -> None:
    for text in (
        "V roce 1998 žilo 1 234 567 lidí.",
        "a @ b",
        "CZ65 0800 0000 1920 0014 5398",
        "ISBN 80-200-0980-9",
        "1+1=2",
    ):
        assert hide_phones(hide_ibans(hide_emails(text))) == text


def test_hostile_runs_take_no_time() -> None:
    for text in ("1" * 200_000, "a@" * 100_000, "+1 " * 70_000, "A1" * 100_000, "a." * 100_000 + "@"):
        hide_phones(hide_ibans(hide_emails(text)))


def test_offensive_words_and_phrases_are_counted(tmp_path: Path) -> None:
    path = tmp_path / "words.txt"
    path.write_text("Hlupák\nstará bačkora\n\n", "utf-8")
    assert offensive_words("Ty hlupáku! Ty hlupák, ty STARÁ bačkoro, stará bačkora.", str(path)) == 2
    assert offensive_words("", str(path)) == 0
    with pytest.raises(ConfigError, match="profanity_words"):
        offensive_words("x", str(tmp_path / "none.txt"))


def test_text_of_tasks_is_found_in_any_file(tmp_path: Path) -> None:
    question = "Která řeka protéká hlavním městem a na kterém kopci stojí jeho starý hrad?"
    (tmp_path / "a.jsonl").write_text(json.dumps({"q": {"text": [question]}}) + "\n{bad\n", "utf-8")
    with gzip.open(tmp_path / "b.tsv.gz", "wt", encoding="utf-8") as file:
        file.write("1\tjedna dvě tři čtyři pět šest sedm osm devět\n")
    assert stands_in_tasks("Otázka zní: " + question.upper() + " Nevím.", str(tmp_path), 8)
    assert stands_in_tasks("jedna, dvě, tři; čtyři pět šest sedm osm", str(tmp_path), 8)
    assert not stands_in_tasks("Která řeka protéká hlavním městem, to ví každý z nás.", str(tmp_path), 8)
    with pytest.raises(ConfigError, match="tasks"):
        stands_in_tasks("x", str(tmp_path / "none"), 8)
