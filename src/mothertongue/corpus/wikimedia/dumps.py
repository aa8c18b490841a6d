"""The newest finished dump of a wiki: what the site's own lists say, never a guess from names.

`/WIKI/` lists dates, `/WIKI/DATE/dumpstatus.json` which jobs are done, with sizes and SHA-1 of their files. Taken are
the articles as multistream bz2 with their index, and the wiki's namespaces and magic words.
"""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mothertongue.corpus.wikimedia.names import Wanted
from mothertongue.corpus.wikimedia.web import NotThereError, RemoteFile, Web
from mothertongue.errors import SourceError

# the first that is done: of large wikis the parts are put together by a second job
_ARTICLE_JOBS = ("articlesmultistreamdumprecombine", "articlesmultistreamdump")
_ARTICLES = re.compile(r"-pages-articles-multistream\d*\.xml(-p\d+p\d+)?\.bz2$")
_TAKEN = re.compile(
    r"-pages-articles-multistream\d*\.xml(-p\d+p\d+)?\.bz2$|-pages-articles-multistream-index\d*\.txt(-p\d+p\d+)?\.bz2$"
    r"|-siteinfo-namespaces\.json(\.gz)?$"
)
_SITEINFO = re.compile(r"-siteinfo-namespaces\.json(\.gz)?$")
_MAX_PAGE_BYTES = 8 << 20
_TRIED_DATES = 8  # there are about two dumps a month
_SHA1 = re.compile(r"[0-9a-f]{40}")


@dataclass(frozen=True)
class Dump:
    """A finished dump: its files, those with articles in the order of their pages."""

    wiki: str
    date: str
    files: tuple[RemoteFile, ...]

    @property
    def articles(self) -> tuple[RemoteFile, ...]:
        return tuple(file for file in self.files if _ARTICLES.search(file.name))


def find_dump(wanted: Wanted, mirror: str, web: Web) -> Dump:
    """The newest finished dump, or that of the wanted date. SourceError that names what there is instead."""
    dates = _dates(wanted.wiki, mirror, web)
    if wanted.date.isdigit():
        dump = _dump(wanted.wiki, wanted.date, mirror, web)
        if dump is None:
            raise SourceError(
                f"{mirror}/{wanted.wiki}/ has no finished dump of {wanted.date}. "
                f"It has: {', '.join(dates[:_TRIED_DATES]) or 'none'}."
            )
        return dump
    for date in dates[:_TRIED_DATES]:
        if dump := _dump(wanted.wiki, date, mirror, web):
            return dump
    tried = ", ".join(dates[:_TRIED_DATES]) or "none"
    raise SourceError(
        f"{mirror}/{wanted.wiki}/ has no finished dump of its articles (tried: {tried}). "
        "Try again in some days, or use another mirror."
    )


def _dates(wiki: str, mirror: str, web: Web) -> list[str]:
    try:
        page = web.get(f"{mirror}/{wiki}/", max_bytes=_MAX_PAGE_BYTES).decode("utf-8", "replace")
    except NotThereError as error:
        near = _near(wiki, _wikis(mirror, web))
        raise SourceError(
            f"{mirror} has no dumps of {wiki!r}. {near}All of them: {mirror}/backup-index.html"
        ) from error
    return sorted(
        {found[1] for found in re.finditer(r"""href=["']?(?:[^"'>]*/)?(\d{8})/?["'> ]""", page)}, reverse=True
    )


def _wikis(mirror: str, web: Web) -> Sequence[str]:
    """The names of all wikis that the site lists; none if it does not."""
    try:
        page = web.get(f"{mirror}/backup-index.html", max_bytes=_MAX_PAGE_BYTES).decode("utf-8", "replace")
    except SourceError:
        return ()
    return sorted({found[1] for found in re.finditer(r"""href=["']?/?([a-z][a-z0-9_]+)/\d{8}""", page)})


def _near(wiki: str, known: Sequence[str]) -> str:
    near = difflib.get_close_matches(wiki, known, n=4, cutoff=0.6)
    return f"Did you mean {' or '.join(near)}? " if near else ""


def _dump(wiki: str, date: str, mirror: str, web: Web) -> Dump | None:
    """The dump of that date if its articles are done."""
    base = f"{mirror}/{wiki}/{date}"
    try:
        status = json.loads(web.get(f"{base}/dumpstatus.json", max_bytes=_MAX_PAGE_BYTES))
    except (NotThereError, ValueError, RecursionError):
        return None
    listed = ((name, entry) for job in _done_jobs(status) for name, entry in job.items() if isinstance(entry, dict))
    entries = {name: entry for name, entry in listed if _is_ours(name, wiki, date)}
    if any(not _SHA1.fullmatch(str(entry.get("sha1"))) for entry in entries.values()):
        sums = _sums(f"{base}/{wiki}-{date}-sha1sums.txt", web)
        entries = {name: {"sha1": sums.get(name), **entry} for name, entry in entries.items()}
    files = [file for name, entry in entries.items() if (file := _file(name, entry, base))]
    dump = Dump(wiki, date, tuple(sorted(files, key=lambda file: _natural(file.name))))
    whole = len(dump.articles) == sum(1 for name in entries if _ARTICLES.search(name))
    return dump if dump.articles and whole else None


def _done_jobs(status: Any) -> Iterator[Mapping[str, Any]]:
    jobs: Any = status.get("jobs") if isinstance(status, dict) else None
    if not isinstance(jobs, dict):
        return
    done = {
        name: job.get("files") for name, job in jobs.items() if isinstance(job, dict) and job.get("status") == "done"
    }
    lists = {name: files for name, files in done.items() if isinstance(files, dict)}
    yield next((lists[name] for name in _ARTICLE_JOBS if name in lists), {})
    for files in lists.values():
        yield {name: entry for name, entry in files.items() if _SITEINFO.search(name)}


def _is_ours(name: str, wiki: str, date: str) -> bool:
    return (
        name.startswith(f"{wiki}-{date}-") and bool(_TAKEN.search(name)) and re.fullmatch(r"[\w.-]+", name) is not None
    )


def _file(name: str, entry: Mapping[str, Any], base: str) -> RemoteFile | None:
    """A file with its size and checksum; None if the list does not tell both."""
    size, sha1 = entry.get("size"), str(entry.get("sha1"))
    if type(size) is not int or size <= 0 or not _SHA1.fullmatch(sha1):
        return None
    return RemoteFile(f"{base}/{name}", name, size, sha1)


def _sums(url: str, web: Web) -> dict[str, str]:
    """File name -> SHA-1, from a list like that of sha1sum."""
    try:
        lines = web.get(url, max_bytes=_MAX_PAGE_BYTES).decode("ascii", "replace").splitlines()
    except NotThereError:
        return {}
    return {parts[1].lstrip("*"): parts[0] for line in lines if len(parts := line.split()) == 2}


def _natural(name: str) -> list[Any]:
    """Part 10 comes after part 9."""
    return [int(part) if part.isdigit() else part for part in re.split(r"(\d+)", name)]
