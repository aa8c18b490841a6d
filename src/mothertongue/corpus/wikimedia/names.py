"""`wikipedia:cs@20261101` -> the database `cswiki` and the date of its dump."""

from __future__ import annotations

import re
from dataclasses import dataclass

from mothertongue.errors import ConfigError

NEWEST = "newest"  # asks the site again; without a date, the answer that is kept counts
# the family in a source's name -> the end of its databases' names
FAMILIES = {"wikipedia": "wiki"} | {
    family: family
    for family in ("wiktionary", "wikisource", "wikibooks", "wikinews", "wikiquote", "wikivoyage", "wikiversity")
}
# languages whose database has another name than their address
_OTHER_CODES = {"be-tarask": "be_x_old", "nb": "no", "yue": "zh_yue", "lzh": "zh_classical", "nan": "zh_min_nan"}
_DATABASE = re.compile(r"[a-z][a-z0-9_]{1,60}")
_LANGUAGE = re.compile(r"[a-z][a-z0-9-]{1,30}")
_DATE = re.compile(rf"\d{{8}}|{NEWEST}")


@dataclass(frozen=True)
class Wanted:
    """A wiki by the name of its database, and a date as YYYYMMDD, `newest`, or "" for the answer that is kept."""

    wiki: str
    date: str = ""


def parse_wanted(source: str) -> Wanted:
    """The dump that `source` means; ConfigError if it means none.

    >>> parse_wanted("wiktionary:zh-min-nan@20261101")
    Wanted(wiki='zh_min_nanwiktionary', date='20261101')
    """
    place, _, date = source.partition("@")
    family, colon, code = place.partition(":")
    if date and not _DATE.fullmatch(date):
        raise ConfigError(
            f"{source}: {date!r} is no date of a dump. Say it like 20261101, or {NEWEST}, or leave it out."
        )
    if "@" in source and not date:
        raise ConfigError(f"{source}: the date is missing behind the @. Say it like @20261101, or leave out the @.")
    database = code if family == "wikimedia" else place if not colon else ""
    if database and _DATABASE.fullmatch(database):
        return Wanted(database, date)
    if family in FAMILIES and _LANGUAGE.fullmatch(code):
        return Wanted(_OTHER_CODES.get(code, code).replace("-", "_") + FAMILIES[family], date)
    raise ConfigError(
        f"{source} names no wiki. Say wikipedia:cs, {', '.join(f'{name}:cs' for name in list(FAMILIES)[1:4])}, "
        "or the name of a dump's database like wikimedia:cswiki; a date may follow: wikipedia:cs@20261101."
    )
