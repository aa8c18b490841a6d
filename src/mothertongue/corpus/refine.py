"""What is taken out of a document that stays: paragraphs in another language, and personal data if asked for.

A paragraph is judged if it is long enough; one that has the letters that only its own language has (ě, ř, ů; ъ) is
not asked about, since the identifier is slow. Personal data: addresses of e-mail, phone numbers and IBANs.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from mothertongue.corpus.identify import other_languages
from mothertongue.corpus.readers import Reading
from mothertongue.languages import Language

_LEAST_CHARACTERS = 150
_ENOUGH_CHARACTERS = 300  # more changed none of 7,200 answers and takes 1.4 to 5 times as long
_TELLING_SHARE = 0.008
_SURE = 0.95  # a paragraph says less than a document
_EMAIL = re.compile(r"(?<![\w.+-])[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,4}(?![\w-])")
_LABEL = r"(?i:tel|phone|mob|mobil|telefon|gsm|fax|тел|телефон|моб|факс)\w{0,6}\.?[ :]{0,3}"
_NUMBER = r"\(?\d{1,4}\)?(?:[ /.-]?\(?\d{1,4}\)?){2,5}(?!\w)"
_PHONE = re.compile(rf"(?<![\w.+])(?<!\d )(?:\+|00)[1-9]\d{{0,2}}[ /.-]?{_NUMBER}|(?<=\b)({_LABEL}){_NUMBER}")
_IBAN = re.compile(r"\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,3})?\b")


def refine(text: str, id: str, reading: Reading) -> str:
    """`text` without what must go; each kind is told to `reading.drop`, once per paragraph or document."""
    if reading.config.foreign_paragraphs == "drop" and "all" not in reading.source.skip_rules:
        text = drop_foreign_paragraphs(text, id, reading)
    if reading.config.personal_data == "replace":
        for kind, replace in REPLACED.items():
            text, before = replace(text), text
            if text != before:
                reading.drop(f"replaced:{kind}", id, "")  # no sample: it would keep what must go
    return text


def drop_foreign_paragraphs(text: str, id: str, reading: Reading) -> str:
    """`text` without long paragraphs that are surely of another language, if at least one is of its own."""
    if len(text) < 2 * _LEAST_CHARACTERS or "\n" not in text:
        return text
    lines = text.split("\n")
    foreign = _foreign(lines, reading)
    rest = [line for at, line in enumerate(lines) if at not in foreign]
    if not foreign or sum(map(len, rest)) < len(text) / 2:  # then the document as a whole is to be judged
        return text
    for at, code in foreign.items():
        reading.drop(f"paragraph:language:{code}", id, lines[at])
    return re.sub("\n{3,}", "\n\n", "\n".join(rest)).strip()


def _foreign(lines: list[str], reading: Reading) -> dict[int, str]:
    """Which lines are surely of another language, and of which."""
    asked = [
        at for at, line in enumerate(lines) if len(line) >= _LEAST_CHARACTERS and not _is_own(line, reading.language)
    ]
    sure = max(_SURE, reading.config.language_confidence)
    codes = other_languages([lines[at][:_ENOUGH_CHARACTERS] for at in asked], reading.language, sure=sure)
    return {at: code for at, code in zip(asked, codes, strict=True) if code}


def _is_own(line: str, language: Language) -> bool:
    letters = language.telling_letters
    return bool(letters) and sum(map(line.count, letters)) >= _TELLING_SHARE * len(line)


def hide_emails(text: str) -> str:
    """Addresses of e-mail become <EMAIL>."""
    return _EMAIL.sub("<EMAIL>", text) if "@" in text else text


def hide_ibans(text: str) -> str:
    """International bank account numbers with the right check digits become <IBAN>."""
    return _IBAN.sub(lambda found: "<IBAN>" if _is_iban(found[0]) else found[0], text)


def _is_iban(text: str) -> bool:
    number = text.replace(" ", "")
    return 15 <= len(number) <= 34 and int("".join(str(int(sign, 36)) for sign in number[4:] + number[:4])) % 97 == 1


def hide_phones(text: str) -> str:
    """Phone numbers with the code of a country, or behind a word like tel., become <PHONE>."""
    return _PHONE.sub(_hidden_phone, text)


def _hidden_phone(found: re.Match[str]) -> str:
    digits = sum(map(str.isdigit, found[0]))
    return f"{found[1] or ''}<PHONE>" if 6 <= digits <= 16 else found[0]


REPLACED: dict[str, Callable[[str], str]] = {"email": hide_emails, "iban": hide_ibans, "phone": hide_phones}
