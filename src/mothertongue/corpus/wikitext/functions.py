"""Templates that compute what they show: measures, dates, fractions, lists, and ways of writing a parameter.

What differs between languages (names of months and languages, separators of digits, words between two numbers) comes
from `languages/*.toml`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from mothertongue.languages import Language

Arguments = Mapping[str, str]

_NUMBER = re.compile(r"([-+\u2212]?)(\d[\d,\u00a0 ]*)((?:\.\d+)?)")
_OWN_DECIMAL = re.compile(r"([^,]*\d),(\d\d?|\d{4,})")  # three digits may be thousands
_DATE = re.compile(r"(\d{1,4})-(\d{1,2})(?:-(\d{1,2}))?")
_DIGITS = re.compile(r"\d+")
_LIKE_NUMBER = re.compile(r"[-+\u2212~]?[\d.,/+\u00a0 ⁄]*\d[\d.,/+ ⁄]*")
_POWERS = str.maketrans("0123456789+-\u2212n", "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁻ⁿ")
_BETWEEN = {
    "-": "–", "–": "–", "—": "–", "to": " to ", "to(-)": "–", "to-": "–", "til": " to ", "and": " and ", "&": " and ",
    "and(-)": "–", "or": " or ", "x": " × ", "×": " × ", "xx": " × ", "*": " × ", "by": " by ", "by(x)": " × ",
    "+/-": " ± ", "±": " ± ", "+": " + ", "/": "/", ",": ", ",
}  # fmt: skip
_SMALLER = {"ft": "in", "yd": "ft", "lb": "oz", "st": "lb", "mi": "yd", "ch": "yd", "long ton": "lb"}


def number(text: str, language: Language) -> str:
    """`1234567.5` with the separators of the language: `1 234 567,5`. Anything else stays as it is.

    >>> from mothertongue.languages import open_language
    >>> number("1234567.5", open_language("de"))
    '1.234.567,5'
    >>> number("5,5", open_language("fr"))
    '5,5'
    """
    point = language.numbers.get("decimal", ".")
    if point == "," and (own := _OWN_DECIMAL.fullmatch(text)):
        text = f"{own[1]}.{own[2]}"
    found = _NUMBER.fullmatch(text)
    if not found:
        return text
    sign, whole, fraction = found[1], re.sub(r"\D", "", found[2]), found[3]
    if len(whole) >= int(language.numbers.get("least_digits", "4")):
        whole = f"{int(whole):,}".replace(",", language.numbers.get("group", " ")) if len(whole) < 40 else whole
    return sign + whole + fraction.replace(".", point)


def power(text: str, language: Language) -> str:
    """Digits and signs as they stand above the line: `10²`."""
    raised = text.translate(_POWERS)
    return raised if not _DIGITS.search(text) or not re.search(r"[^⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻ⁿ]", raised) else f"^{text}"


def month(text: str, language: Language) -> str:
    """The name of a month from its number, as it stands after a day."""
    return _month_name(text, language.months)


def _month_name(text: str, months: tuple[str, ...]) -> str:
    return months[int(text) - 1] if re.fullmatch("0?[1-9]|1[0-2]", text) and months else text


def unit(text: str, language: Language) -> str:
    """A unit of {{convert}} as it is written: `km²` for `km2`."""
    return language.units.get(text, text)


def language_name(text: str, language: Language) -> str:
    """The name of a language from its code, empty if it is not known."""
    return language.language_names.get(text.strip().casefold(), "")


FILTERS: dict[str, Callable[[str, Language], str]] = {
    "number": number,
    "power": power,
    "month": month,
    "unit": unit,
    "language": language_name,
    "lower": lambda text, language: text.lower(),
    "upper": lambda text, language: text.upper(),
    "capital": lambda text, language: text[:1].upper() + text[1:],
}


def positional(arguments: Arguments) -> list[str]:
    """Parameters 1, 2, 3, ... as far as they go."""
    texts: list[str] = []
    while (text := arguments.get(str(len(texts) + 1))) is not None:
        texts.append(text)
    return texts


def convert(arguments: Arguments, options: str, language: Language) -> str:
    """{{convert|10|to|20|km2|sqmi}} -> `10 to 20 km²`; {{convert|5|ft|10|in|m}} -> `5 ft 10 in`."""
    texts = positional(arguments)
    shown = texts[0].replace("+", " ") if texts else ""
    at = 1
    while at + 1 < len(texts) and texts[at] in _BETWEEN:
        word = texts[at].strip("()-")
        between = f" {language.words[word]} " if word in language.words else _BETWEEN[texts[at]]
        shown, at = shown + between + texts[at + 1], at + 2
    if not shown or at >= len(texts):
        return shown
    shown += f" {unit(texts[at], language)}"
    if _SMALLER.get(texts[at]) in texts[at + 2 : at + 3] and _LIKE_NUMBER.fullmatch(texts[at + 1]):
        shown += f" {texts[at + 1]} {texts[at + 2]}"
    return shown


def date(arguments: Arguments, options: str, language: Language) -> str:
    """A date from the first three parameters, in the order of `options`: ymd (as if not given), dmy or mdy."""
    texts = positional(arguments)[:3]
    iso = _DATE.fullmatch(texts[0]) if texts else None
    if iso:
        options, texts = "ymd", [text for text in iso.groups() if text]
    parts = dict(zip(options or "ymd", texts, strict=False))
    year, month_, day = parts.get("y", ""), parts.get("m", ""), parts.get("d", "")
    if not (month_ or day):
        return year
    if not year.isdecimal() and year and not options:  # {{start date|May 2010}}, or a template of another kind
        return " ".join(texts)
    pattern = "dmy" if day and year else "dm" if day else "my"
    months = language.months if day else language.months_alone or language.months
    form = language.dates.get(pattern, {"dmy": "{d} {m} {y}", "dm": "{d} {m}", "my": "{m} {y}"}[pattern])
    values = {"{d}": day.lstrip("0") or day, "{m}": _month_name(month_, months), "{y}": year}
    return re.sub(r"\{[dmy]\}", lambda found: values[found[0]], form).strip()


def value(arguments: Arguments, options: str, language: Language) -> str:
    """{{val|1.5|0.2|e=6|u=kg}} -> `1.5 ± 0.2 × 10⁶ kg`."""
    texts = [text for text in positional(arguments) if text]
    shown = " ± ".join(texts[:2]) if len(texts) < 3 else f"{texts[0]} +{texts[1].lstrip('+')} −{texts[2].lstrip('-−')}"
    if exponent := arguments.get("e", ""):
        shown += f" × 10{power(exponent, language)}" if shown else f"10{power(exponent, language)}"
    before, after = arguments.get("p", ""), arguments.get("u") or arguments.get("ul") or arguments.get("s") or ""
    under = arguments.get("up") or arguments.get("upl") or ""
    return f"{before}{shown} {unit(after, language)}{'/' + under if under else ''}".strip()


def fraction(arguments: Arguments, options: str, language: Language) -> str:
    """{{frac|3|1|2}} -> `3 1/2`, {{frac|1|2}} -> `1/2`, {{frac|2}} -> `1/2`."""
    texts = positional(arguments)
    if len(texts) >= 3:
        return f"{texts[0]} {texts[1]}/{texts[2]}"
    return "/".join(texts) if len(texts) == 2 else f"1/{texts[0]}" if texts else ""


def join(arguments: Arguments, options: str, language: Language) -> str:
    """All parameters with `options`, or a comma, between them."""
    return (options or ", ").join(text for text in positional(arguments) if text)


def concatenate(arguments: Arguments, options: str, language: Language) -> str:
    """All parameters, one after the other."""
    return "".join(positional(arguments))


def either(arguments: Arguments, options: str, language: Language) -> str:
    """{{#if: 1 | 2 | 3}}."""
    return arguments.get("2" if arguments.get("1") else "3", "")


def equal(arguments: Arguments, options: str, language: Language) -> str:
    """{{#ifeq: 1 | 2 | 3 | 4}}."""
    return arguments.get("3" if arguments.get("1", "") == arguments.get("2", "") else "4", "")


FUNCTIONS: dict[str, Callable[[Arguments, str, Language], str]] = {
    "convert": convert,
    "date": date,
    "value": value,
    "fraction": fraction,
    "join": join,
    "concatenate": concatenate,
    "if": either,
    "ifeq": equal,
}
