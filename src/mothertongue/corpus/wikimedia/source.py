"""What of a dump is kept in the cache, what must be fetched, and fetching it.

    CACHE/wikimedia/cswiki/newest.json                which date `wikipedia:cs` means here
    CACHE/wikimedia/cswiki/20261101/dump.json         its files, as the site announced them
    CACHE/wikimedia/cswiki/20261101/cswiki-....bz2    whole, with the right checksum; `.partial` until then

The site is asked once: the same source means the same dump until a date, or `@newest`, is named.
"""

from __future__ import annotations

import hashlib
import json
import re
import shutil
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path
from urllib.parse import urlsplit

from mothertongue.corpus.config import CorpusConfig, cache_folder
from mothertongue.corpus.wikimedia.dumps import Dump, find_dump
from mothertongue.corpus.wikimedia.names import NEWEST, Wanted, parse_wanted
from mothertongue.corpus.wikimedia.web import PARTIAL, RemoteFile, Web, size_of
from mothertongue.errors import ConfigError, SourceError
from mothertongue.run.disk import locked, writable, write_json
from mothertongue.run.progress import say, track
from mothertongue.run.remote import Remote

LICENCE = "CC BY-SA 4.0"
# bytes of running text for a byte of .xml.bz2: XML is 3.5-5 times as long, a third to a half of it is text
_TEXT_SHARE = 1.6
_SPARE = 1.02  # of disk space


def ask(source: str, config: CorpusConfig | None = None) -> Remote:
    """What `source` will give, from what is kept here or else from the dump site."""
    config = config or CorpusConfig()
    dump = locate(source, config)
    folder = _folder(dump, config)
    missing = _missing(dump, folder)
    sha1s = "".join(file.sha1 for file in dump.articles)
    sha1 = sha1s if len(dump.articles) == 1 else hashlib.sha1(sha1s.encode(), usedforsecurity=False).hexdigest()
    return Remote(
        contents={f"{source} ({dump.wiki} {dump.date})": f"{dump.wiki} {dump.date} sha1 {sha1}"},
        bytes=sum(file.bytes for file in dump.files),
        missing_bytes=missing,
        text_bytes=round(sum(file.bytes for file in dump.articles) * _TEXT_SHARE),
        licence=LICENCE,
        words=describe(dump, folder, missing),
    )


def fetch(source: str, config: CorpusConfig) -> list[Path]:
    """The files with articles that `source` means; what is not here yet is fetched."""
    dump = locate(source, config)
    folder = _folder(dump, config)
    if _missing(dump, folder):
        with writable(folder):
            folder.mkdir(parents=True, exist_ok=True)
        with locked(folder):
            missing = _missing(dump, folder)
            say(f"  {describe(dump, folder, missing)}")
            _need_space(folder, missing)
            _download(dump, folder, config)
    return [folder / file.name for file in dump.articles]


def describe(dump: Dump, folder: Path, missing: int) -> str:
    """`cswiki of 2026-11-01: 3 files, 1,234.5 MB, of which 1,000.0 MB from dumps.example.org to FOLDER`."""
    date = f"{dump.date[:4]}-{dump.date[4:6]}-{dump.date[6:]}"
    whole = f"{dump.wiki} of {date}: {len(dump.files)} files, {sum(file.bytes for file in dump.files) / 1e6:,.1f} MB"
    if not missing:
        return f"{whole}, all in {folder}"
    return (
        f"{whole}, of which {missing / 1e6:,.1f} MB to be fetched from {urlsplit(dump.files[0].url).netloc} to {folder}"
    )


def locate(source: str, config: CorpusConfig) -> Dump:
    """The dump that `source` means here: the one noted, or the newest that the site has now."""
    wanted = parse_wanted(source)
    place = cache_folder(config) / "wikimedia" / wanted.wiki
    date = _noted_date(place / "newest.json") if not wanted.date else wanted.date
    if date and date != NEWEST and (dump := _noted_dump(place / date / "dump.json")):
        return dump
    dump = _from_mirrors(Wanted(wanted.wiki, date or NEWEST), config)
    with writable(place):
        (place / dump.date).mkdir(parents=True, exist_ok=True)
    write_json(place / dump.date / "dump.json", asdict(dump))
    if not wanted.date.isdigit():
        write_json(place / "newest.json", {"date": dump.date})
    return dump


def _from_mirrors(wanted: Wanted, config: CorpusConfig) -> Dump:
    errors = list[SourceError]()
    with Web(contact=config.contact) as web:
        for mirror in _mirrors(config):
            say(f"  asking {mirror} for the dumps of {wanted.wiki}")
            try:
                return find_dump(wanted, mirror, web)
            except SourceError as error:
                errors.append(error)
    if len(errors) == 1:
        raise errors[0]
    raise SourceError(f"None of {len(errors)} mirrors has it. " + " ".join(map(str, errors)))


def _mirrors(config: CorpusConfig) -> list[str]:
    for mirror in config.mirrors:
        if urlsplit(mirror).scheme not in ("http", "https"):
            raise ConfigError(f"mirrors: {mirror!r} is no address of a site. Say it like https://dumps.wikimedia.org")
    if not config.mirrors:
        raise ConfigError("mirrors is empty: name a site to download dumps from, or leave the setting out.")
    return [mirror.rstrip("/") for mirror in config.mirrors]


def _download(dump: Dump, folder: Path, config: CorpusConfig) -> None:
    """Every file that is missing, from the first mirror that gives it."""
    total, done = sum(file.bytes for file in dump.files) / 1e6, _have(dump, folder) / 1e6
    mirrors = _mirrors(config)
    with Web(contact=config.contact) as web, track("fetching", total=total, unit="MB", done=done) as bar:
        for file in dump.files:
            bar.advance(0, note=file.name)
            if size_of(folder / file.name) != file.bytes:
                urls = [f"{mirror}/{dump.wiki}/{dump.date}/{file.name}" for mirror in mirrors]
                _from_any(file, folder / file.name, urls, web, lambda n: bar.advance(n / 1e6))


def _need_space(folder: Path, missing: int) -> None:
    free = shutil.disk_usage(folder).free
    if free < missing * _SPARE:
        raise SourceError(
            f"{folder} has room for {free / 1e6:,.1f} MB, but {missing * _SPARE / 1e6:,.1f} MB are to be fetched. "
            "Make room, or set cache_folder to a folder on a larger disk."
        )


def _noted_date(path: Path) -> str:
    """The date that `newest` meant when the site was asked; "" if it was not."""
    try:
        date = json.loads(path.read_text("utf-8"))["date"]
    except (OSError, ValueError, KeyError, TypeError):
        return ""
    return date if isinstance(date, str) and re.fullmatch(r"\d{8}", date) else ""


def _noted_dump(path: Path) -> Dump | None:
    try:
        noted = json.loads(path.read_text("utf-8"))
        return Dump(noted["wiki"], noted["date"], tuple(RemoteFile(**file) for file in noted["files"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _from_any(file: RemoteFile, path: Path, urls: list[str], web: Web, advance: Callable[[int], None]) -> None:
    for number, url in enumerate(urls, start=1):
        try:
            web.download(replace(file, url=url), path, advance=advance)
            return
        except SourceError as error:
            if number == len(urls):
                raise
            say(f"  {error}\n  Trying {urls[number]}")


def _folder(dump: Dump, config: CorpusConfig) -> Path:
    return cache_folder(config) / "wikimedia" / dump.wiki / dump.date


def _have(dump: Dump, folder: Path) -> int:
    """Bytes that are here already, half files included."""
    return sum(
        min(file.bytes, size_of(folder / file.name) or size_of(folder / (file.name + PARTIAL))) for file in dump.files
    )


def _missing(dump: Dump, folder: Path) -> int:
    """Bytes that are not here yet; at least 1 if a file is whole but unchecked."""
    whole = all(size_of(folder / file.name) == file.bytes for file in dump.files)
    return 0 if whole else max(1, sum(file.bytes for file in dump.files) - _have(dump, folder))
