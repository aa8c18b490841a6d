"""The OCR rule tells a bad scan from clean prose, verse and manuals; measured on the shared sets where they are."""

from __future__ import annotations

import json
import lzma
import os
import time
from pathlib import Path

import pytest

from mothertongue.corpus.clean import clean
from mothertongue.corpus.ocr import ocr_noise, ocr_signs
from mothertongue.corpus.quality import reason_to_drop
from mothertongue.corpus.repair import repair
from mothertongue.languages import open_language

from .conftest import TEXTS

CS, BG = open_language("cs"), open_language("bg")
SCAN = (
    "Šel tedy do měs- tečka a pak - 163 — dál podél řeky, kde ■ stály vrby. Fa- nuška mu řekla ,že přijde večer, a on "
    "jí po- děkoval ^a odešel. Bylo ticho • jen voda šuměla a 12 STARÝ MLÝN hledal soused d dlouho."
)
SKEN = (
    "Той тръгна към гра- дината и после - 163 — покрай реката, където ■ растяха върби. Де- тето му каза ,че ще дойде, "
    "а той бла- годари ^и си отиде. Беше тихо • само водата шумеше и 12 СТАРАТА ВОДЕНИЦА търсеше съседът."
)


def test_a_scan_is_dropped_in_both_alphabets() -> None:
    assert reason_to_drop(SCAN + " " + TEXTS["cs"], CS) == "ocr-noise"
    assert reason_to_drop(SKEN + " " + TEXTS["bg"], BG) == "ocr-noise"
    assert reason_to_drop(SCAN + " " + TEXTS["cs"], CS, skip=["ocr-noise"]) is None


def test_each_sign_is_found() -> None:
    assert all(ocr_signs(SCAN + " »Ano,* řekl.", CS).values())
    assert ocr_signs(SCAN, CS)["cut words"] == 2


@pytest.mark.parametrize(
    "text",
    [
        "Dvou- až tříletý, severo- a jihozápadní, jedno- i víceletý. " * 5,
        "Soubor > Otevřít, klávesa F5, * bod, 3 × 4, § 12 a b c. ■ odrážka\n" * 5,
        "Hodnoty x a y jsou, proměnné i j k ne.",
    ],
)
def test_what_is_usual_in_prose_and_manuals_is_no_noise(text: str) -> None:
    assert ocr_noise(text, CS) == 0


def test_a_language_whose_letters_are_unknown_is_not_judged() -> None:
    assert ocr_noise(SCAN, open_language("ltg")) == 0


@pytest.mark.parametrize("hostile", ["a- " * 99_999, " " * 300_000, "I" * 300_000, " 1 AAA" * 99_999, "•^*" * 99_999])
def test_hostile_text_takes_linear_time(hostile: str) -> None:
    start = time.process_time()
    ocr_noise(hostile, CS)
    assert time.process_time() - start < 2


FOLDER = Path(os.environ.get("MOTHERTONGUE_DATA", "../shared/data")) / "text"


def documents(name: str, most: int) -> list[str]:
    path = FOLDER / f"{name}.jsonl.xz"
    if not path.exists():
        pytest.skip(f"{path.name} is not here (set MOTHERTONGUE_DATA)")
    with lzma.open(path, "rt", encoding="utf-8") as file:
        texts = [json.loads(line)["text"] for line, _ in zip(file, range(most), strict=False)]
    return [text for text in texts if len(text) >= 200]


def share_dropped(name: str, *, most: int = 150) -> float:
    language = open_language(name[:2])
    texts = [clean(repair(text, language)) for text in documents(name, most)]
    return sum(ocr_noise(text, language) > language.quality["ocr-noise"] for text in texts) / len(texts)


def test_most_raw_scans_are_found_and_corrected_novels_are_not() -> None:
    assert share_dropped("cs.novels_eltec_ocr_noisy") > 0.75
    assert share_dropped("cs.novels_eltec_corrected") < 0.01


@pytest.mark.parametrize("name", ["cs.poetry_ccv", "bg.wikipedia_exams_paragraphs", "bg.bible_nt", "bg.docs_tech"])
def test_clean_sets_are_not_taken_for_scans(name: str) -> None:
    assert share_dropped(name) == 0


@pytest.mark.parametrize("name", ["cs.poetry_ccv", "cs.docs_debian", "bg.wikipedia_exams_paragraphs", "bg.bible_nt"])
def test_no_clean_document_is_taken_for_mojibake(name: str) -> None:
    language = open_language(name[:2])
    only = ("soft-hyphens", "page-furniture", "line-end-hyphens")
    assert all(repair(text, language, skip=only) == text for text in documents(name, 150))
