"""EPUB 2 and 3: the chapters in the order of the book's spine, read in memory from its zip archive.

zipfile and lxml do the work. (ebooklib 0.20 was looked at: it unpacks every member at once, pictures too, and without a
limit, so a hostile file would take all memory; its licence is the AGPL.)
"""

from __future__ import annotations

import posixpath
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from mothertongue.corpus.document import Document
from mothertongue.corpus.readers import Reading
from mothertongue.corpus.readers.book import (
    AUTHOR,
    BREAK,
    LANGUAGE,
    LICENCE,
    TITLE,
    TRANSLATOR,
    Block,
    Book,
    book_documents,
)
from mothertongue.corpus.readers.bookxml import UnsafeXmlError, parse_xml
from mothertongue.corpus.readers.xhtml import chapter_blocks
from mothertongue.corpus.readers.zips import UnsafeMemberError, open_zip, read_member, zip_members

_CONTAINER, _ENCRYPTION = "META-INF/container.xml", "META-INF/encryption.xml"
_CHAPTERS = ("application/xhtml+xml", "text/html", "application/x-dtbook+xml")
_SKIPPED_IN_GUIDE = {"toc", "cover", "copyright-page", "colophon", "index", "loi", "lot", "notes", "footnotes"}
_META = {TITLE: "title", AUTHOR: "creator", LANGUAGE: "language", LICENCE: "rights"}
_OPF = "{http://www.idpf.org/2007/opf}"
_MAX_INDEX_BYTES = 1 << 23  # container, package and encryption files


def read_epub(path: Path, reading: Reading) -> Iterator[Document]:
    """The documents of an EPUB file; SourceError if it is no zip. What is not safe to read is dropped with a reason."""
    try:
        with open_zip(path) as file:
            archive = _Archive(file, path, reading)
            yield from book_documents(archive.book(), path.name, reading)
    except (UnsafeMemberError, UnsafeXmlError) as error:
        reading.drop(error.reason, path.name, "")
    reading.advance(path.stat().st_size)


@dataclass
class _Archive:
    """An opened EPUB, and how many bytes of it may still be unpacked."""

    file: zipfile.ZipFile
    path: Path
    reading: Reading

    def __post_init__(self) -> None:
        self.left = self.reading.config.max_book_megabytes << 20
        members = zip_members(self.file, drop=lambda reason, name: self.reading.drop(reason, self.path.name, name))
        self.members = {info.filename: info for info in members}

    def xml(self, name: str, most: int) -> Any:
        """The parsed member `name`; UnsafeMemberError if there is none or it is too large."""
        if name not in self.members:
            raise UnsafeMemberError("not-an-epub")
        data = read_member(self.file, self.members[name], max_bytes=min(most, self.left))
        self.left -= len(data)
        return parse_xml(data)

    def book(self) -> Book:
        root = self.xml(_CONTAINER, _MAX_INDEX_BYTES).find(".//{*}rootfile")
        name = "" if root is None else unquote(root.get("full-path", ""))
        package = self.xml(name, _MAX_INDEX_BYTES)
        return Book(self._blocks(package, posixpath.dirname(name)), _meta(package))

    def _blocks(self, package: Any, folder: str) -> Iterator[Block]:
        encrypted = self._encrypted()
        for name in _spine(package, folder):
            where = f"{self.path.name}/{name}"
            if name in encrypted:
                self.reading.drop("encrypted", where, "")
                continue
            try:
                root = self.xml(name, self.left)
            except UnsafeMemberError as error:
                self.reading.drop("missing-chapter" if error.reason == "not-an-epub" else error.reason, where, "")
            except UnsafeXmlError as error:
                self.reading.drop(error.reason, where, "")
            else:
                yield from chapter_blocks(root)
                yield BREAK

    def _encrypted(self) -> set[str]:
        if _ENCRYPTION not in self.members:
            return set()
        root = self.xml(_ENCRYPTION, _MAX_INDEX_BYTES)
        return {unquote(node.get("URI", "")) for node in root.iterfind(".//{*}CipherReference")}


def _spine(package: Any, folder: str) -> Iterator[str]:
    """Names of the chapters in the archive, in reading order, each once; contents, cover and the like left out."""
    items = {item.get("id"): item for item in package.iterfind("{*}manifest/{*}item")}
    guide = package.iterfind("{*}guide/{*}reference")
    passed = {_resolved(node.get("href", ""), folder) for node in guide if node.get("type") in _SKIPPED_IN_GUIDE}
    for reference in package.iterfind("{*}spine/{*}itemref"):
        item = items.pop(reference.get("idref"), None)
        if item is None or item.get("media-type") not in _CHAPTERS or reference.get("linear") == "no":
            continue
        name = _resolved(item.get("href", ""), folder)
        if "nav" not in item.get("properties", "").split() and name not in passed:
            passed.add(name)
            yield name


def _resolved(href: str, folder: str) -> str:
    # the name is only looked up in the archive's directory: nothing outside can be reached
    return posixpath.normpath(posixpath.join(folder, unquote(href.partition("#")[0])))


def _meta(package: Any) -> dict[str, str]:
    metadata = package.find("{*}metadata")
    if metadata is None:
        return {}
    found = {key: ", ".join(filter(None, map(_words, metadata.iterfind("{*}" + tag)))) for key, tag in _META.items()}
    roles = {node.get("refines", "").lstrip("#"): _words(node) for node in metadata if node.get("property") == "role"}
    people = metadata.iterfind("{*}contributor")
    found[TRANSLATOR] = ", ".join(_words(node) for node in people if _role(node, roles) == "trl")
    return {key: value for key, value in found.items() if value}


def _role(node: Any, roles: dict[str, str]) -> str:
    return str(node.get(_OPF + "role") or roles.get(node.get("id", ""), ""))


def _words(node: Any) -> str:
    return " ".join("".join(node.itertext()).split())[:500]
