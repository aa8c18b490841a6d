"""Dumps from their site: which one, how it is fetched, and what happens when the site or the line is bad."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from mothertongue.corpus.config import CorpusConfig, Source
from mothertongue.corpus.shards import read_documents
from mothertongue.corpus.wikimedia import source, web
from mothertongue.corpus.wikimedia.names import Wanted, parse_wanted
from mothertongue.corpus.wikimedia.source import ask, fetch
from mothertongue.errors import ConfigError, SourceError
from mothertongue.run.build import build_step
from mothertongue.run.progress import be_quiet
from mothertongue.run.recipe import Step
from mothertongue.run.request import request_of
from mothertongue.run.stages import STAGES

from .dumpsite import Site, cut, endless, failing, leading_to, multistream, put_dump, serve, standard_files
from .test_wikipedia import HEAD, page

BODY = bytes(range(256)) * 2000  # half a megabyte that is not the same everywhere
DUMP = "/cswiki/20261101/cswiki-20261101-pages-articles-multistream.xml.bz2"
QUICK = web.Patience(attempts=3, first_wait_seconds=0.01, timeout_seconds=2.0, small_seconds=2.0, slow_seconds=1.0)


@pytest.fixture
def site() -> Iterator[Site]:
    with serve() as site:
        put_dump(site, "cswiki", "20261101", standard_files(BODY, b"index"))
        yield site


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """No test waits: the pauses that would have been made land here."""
    pauses: list[float] = []
    client = web.Web

    def quick(**settings: Any) -> web.Web:
        return client(**{"patience": QUICK, "sleep": pauses.append, **settings})

    monkeypatch.setattr(source, "Web", quick)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    return pauses


@pytest.fixture
def config(site: Site, tmp_path: Path, waits: list[float]) -> CorpusConfig:
    return CorpusConfig(mirrors=(site.url,), cache_folder=str(tmp_path / "cache"))


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("wikipedia:cs", Wanted("cswiki")),
        ("wiktionary:bg@20261101", Wanted("bgwiktionary", "20261101")),
        ("wikipedia:zh-min-nan@newest", Wanted("zh_min_nanwiki", "newest")),
        ("wikipedia:be-tarask", Wanted("be_x_oldwiki")),
        ("wikimedia:commonswiki", Wanted("commonswiki")),
        ("ltgwiki", Wanted("ltgwiki")),
    ],
)
def test_a_source_names_a_wiki_and_perhaps_a_date(text: str, wanted: Wanted) -> None:
    assert parse_wanted(text) == wanted


@pytest.mark.parametrize(
    "text", ["wikipedia:", "wikipedia:../x", "wikipedia:cs@yesterday", "wikipedia:cs@", "wikimedia:A"]
)
def test_a_source_that_names_no_wiki_is_refused(text: str) -> None:
    with pytest.raises(ConfigError, match="20261101"):
        parse_wanted(text)


def test_the_newest_finished_dump_is_fetched_once(site: Site, config: CorpusConfig) -> None:
    put_dump(site, "cswiki", "20261120", standard_files(b"half", b""), status="in-progress")
    put_dump(site, "cswiki", "20261001", standard_files(b"old", b""))
    site.pages["/cswiki/"] += b'<a href="20261121/">just begun</a>'
    (path,) = fetch("wikipedia:cs", config)
    assert path.name == DUMP.rpartition("/")[2]
    assert path.read_bytes() == BODY
    assert sorted(file.name[16:] for file in path.parent.glob("cswiki*")) == sorted(standard_files(b"", b""))
    assert not list(path.parent.glob("*.partial"))
    site.pages.clear()  # from now on everything is kept here
    put_dump(site, "cswiki", "20261201", standard_files(b"new", b"x"))
    before = len(site.requests)
    assert fetch("wikipedia:cs", config) == [path]
    assert len(site.requests) == before
    assert fetch("wikipedia:cs@newest", config)[0].read_bytes() == b"new"
    assert fetch("wikipedia:cs", config)[0].read_bytes() == b"new"
    assert fetch("cswiki@20261101", config) == [path]


def test_the_site_is_asked_politely(site: Site, config: CorpusConfig) -> None:
    fetch("wikipedia:cs", replace(config, contact="someone@example.org"))
    assert site.most_open <= 2  # one to ask, then one to fetch
    for _, headers in site.requests:
        assert "mothertongue/" in headers["User-Agent"] and "someone@example.org" in headers["User-Agent"]
        assert headers["Accept-Encoding"] == "identity"


def test_what_will_be_fetched_is_told_before(site: Site, config: CorpusConfig) -> None:
    told = ask("wikipedia:cs", config)
    assert not site.asked(".bz2")
    assert told.missing_bytes == told.bytes == sum(map(len, standard_files(BODY, b"index").values()))
    assert "cswiki of 2026-11-01: 3 files, 0.5 MB, of which 0.5 MB to be fetched from 127.0.0.1" in told.words
    (content,) = told.contents.values()
    assert content.startswith("cswiki 20261101 sha1 ")
    fetch("wikipedia:cs", config)
    after = ask("wikipedia:cs", config)
    assert (after.missing_bytes, after.contents) == (0, told.contents)


def test_a_large_wiki_comes_in_parts_in_the_order_of_its_pages(site: Site, config: CorpusConfig) -> None:
    names = [f"pages-articles-multistream{n}.xml-p{n}p{n}.bz2" for n in (1, 2, 10)]
    put_dump(site, "enwiki", "20261101", {name: name.encode() for name in reversed(names)})
    assert [path.read_text() for path in fetch("wikipedia:en", config)] == names


def test_checksums_may_stand_in_a_list_of_their_own(site: Site, config: CorpusConfig) -> None:
    put_dump(site, "cswiki", "20261101", standard_files(BODY, b"index"), sha1=False)
    assert fetch("wikipedia:cs", config)[0].read_bytes() == BODY
    del site.pages["/cswiki/20261101/cswiki-20261101-sha1sums.txt"]
    with pytest.raises(SourceError, match="no finished dump"):
        fetch("wikipedia:cs@newest", config)


def test_a_busy_server_is_waited_for_as_long_as_it_asks(site: Site, config: CorpusConfig, waits: list[float]) -> None:
    site.moods[DUMP] = [failing(503, Retry_After="7"), failing(429), failing(503, Retry_After="nonsense")]
    with pytest.raises(SourceError, match="HTTP 503, 3 attempts in a row"):
        fetch("wikipedia:cs", config)
    assert waits == [7.0, 0.02]
    assert fetch("wikipedia:cs", config)[0].read_bytes() == BODY


def test_a_server_that_asks_for_hours_is_given_up(site: Site, config: CorpusConfig) -> None:
    site.moods["/cswiki/"] = [failing(503, Retry_After="90000")]
    with pytest.raises(SourceError, match=r"asks to wait 90000 s.*Run the same command later"):
        fetch("wikipedia:cs", config)


def test_a_cut_download_continues_where_it_was(site: Site, config: CorpusConfig) -> None:
    site.moods[DUMP] = [cut(BODY, 100_000), cut(BODY, 100_000)]
    assert fetch("wikipedia:cs", config)[0].read_bytes() == BODY
    asked = [headers.get("Range") for headers in site.asked("multistream.xml")]
    assert asked == [None, "bytes=100000-", "bytes=200000-"]


def test_another_run_continues_what_a_killed_one_has_fetched(site: Site, config: CorpusConfig) -> None:
    site.moods[DUMP] = [cut(BODY, 300_000), *[failing(500)] * 2]
    with pytest.raises(SourceError, match="continues where it was"):
        fetch("wikipedia:cs", config)
    assert ask("wikipedia:cs", config).missing_bytes < len(BODY) - 290_000
    assert fetch("wikipedia:cs", config)[0].read_bytes() == BODY
    assert site.asked("multistream.xml")[-1]["Range"] == "bytes=300000-"


def test_a_server_that_cannot_continue_begins_again(site: Site, config: CorpusConfig) -> None:
    site.ranges, site.moods[DUMP] = False, [cut(BODY, 300_000)]
    assert fetch("wikipedia:cs", config)[0].read_bytes() == BODY


def test_a_wrong_checksum_is_tried_twice_and_never_kept(site: Site, config: CorpusConfig, tmp_path: Path) -> None:
    site.pages[DUMP] = BODY[:-1] + b"?"
    with pytest.raises(SourceError, match=r"wrong checksum.*another mirror"):
        fetch("wikipedia:cs", config)
    assert len(site.asked("multistream.xml")) == 2
    assert not list(tmp_path.rglob("*multistream.xml.bz2*"))


def test_a_wrong_beginning_from_an_earlier_attempt_is_thrown_away(site: Site, config: CorpusConfig) -> None:
    path = fetch("wikipedia:cs", config)[0]
    for left in (b"?" * 1000, BODY + b"more"):
        path.unlink(missing_ok=True)
        path.with_name(path.name + ".partial").write_bytes(left)
        assert fetch("wikipedia:cs", config)[0].read_bytes() == BODY


def test_a_server_that_sends_more_than_announced_is_stopped(site: Site, config: CorpusConfig, tmp_path: Path) -> None:
    site.moods[DUMP] = [endless]
    with pytest.raises(SourceError, match="more than the 512,000 bytes"):
        fetch("wikipedia:cs", config)
    assert max(file.stat().st_size for file in tmp_path.rglob("*.partial")) <= len(BODY)


def test_a_list_that_never_ends_is_stopped(site: Site, config: CorpusConfig) -> None:
    site.moods["/cswiki/"] = [endless]
    with pytest.raises(SourceError, match="more than the 8,388,608 bytes"):
        fetch("wikipedia:cs", config)


def test_a_server_that_hardly_sends_anything_is_given_up(site: Site, config: CorpusConfig) -> None:
    def dripping(handler: Any) -> None:
        handler.send_response(200)
        handler.send_header("Content-Length", "512000")
        handler.end_headers()
        handler.close_connection = True
        for _ in range(40):
            handler.wfile.write(b"x")
            time.sleep(0.05)

    site.moods[DUMP] = [dripping]
    start = time.monotonic()
    quick = web.Web(patience=replace(QUICK, attempts=1, slow_seconds=0.3))
    with quick, pytest.raises(SourceError, match="brought only"):
        quick.download(web.RemoteFile(site.url + DUMP, "x", len(BODY), "0" * 40), Path(config.cache_folder + "x"))
    assert time.monotonic() - start < 2


def test_an_unreachable_site_is_given_up_after_one_more_attempt(
    config: CorpusConfig, waits: list[float], capsys: pytest.CaptureFixture[str]
) -> None:
    be_quiet(False)
    with pytest.raises(SourceError, match=r"127.0.0.1:9 cannot be reached: .*refused.*lies on this machine"):
        fetch("wikipedia:cs", replace(config, mirrors=("http://127.0.0.1:9",)))
    assert waits == [QUICK.first_wait_seconds]
    said = capsys.readouterr().err
    assert "asking http://127.0.0.1:9 for the dumps of cswiki" in said
    assert "refused; attempt 2 of 2 in 0 s" in said
    with pytest.raises(SourceError, match=r"nowhere.invalid cannot be reached"):
        fetch("wikipedia:cs", replace(config, mirrors=("http://nowhere.invalid",)))
    assert len(waits) == 2


def test_a_site_that_goes_away_after_it_was_reached_is_waited_for(
    site: Site, config: CorpusConfig, waits: list[float]
) -> None:
    quick = web.Web(patience=QUICK, sleep=waits.append)
    with quick, pytest.raises(SourceError, match=r"3 attempts in a row.*continues where it was"):
        quick.get(f"{site.url}/cswiki/", max_bytes=1 << 20)
        quick.get("http://127.0.0.1:9/cswiki/", max_bytes=1 << 20)
    assert len(waits) == QUICK.attempts - 1


def test_a_circle_of_redirects_is_left(site: Site, config: CorpusConfig) -> None:
    site.moods["/cswiki/"] = [leading_to("/round")]
    site.moods["/round"] = [leading_to("/round")] * 20
    with pytest.raises(SourceError, match="more than 5 redirects"):
        fetch("wikipedia:cs", config)


def test_a_redirect_to_another_place_is_followed_unless_it_is_no_web_page(site: Site, config: CorpusConfig) -> None:
    site.pages["/moved"] = BODY
    site.moods[DUMP] = [leading_to(f"{site.url}/moved")]
    assert fetch("wikipedia:cs", config)[0].read_bytes() == BODY
    site.moods["/bgwiki/"] = [leading_to("file:///etc/passwd")] * 3
    with pytest.raises(SourceError):
        fetch("wikipedia:bg", config)


def test_a_wiki_without_a_finished_dump_says_which_dates_were_tried(site: Site, config: CorpusConfig) -> None:
    put_dump(site, "bgwiki", "20261120", standard_files(b"half", b""), status="in-progress")
    site.pages["/bgwiki/"] += b'<a href="20261121/">'
    with pytest.raises(SourceError, match=r"no finished dump.*20261121, 20261120.*Try again"):
        fetch("wikipedia:bg", config)
    with pytest.raises(SourceError, match=r"no finished dump of 20260101. It has: 20261121, 20261120"):
        fetch("wikipedia:bg@20260101", config)


def test_an_unknown_wiki_names_near_ones(site: Site, config: CorpusConfig) -> None:
    with pytest.raises(SourceError, match=r"no dumps of 'cdwiki'. Did you mean cswiki\?"):
        fetch("wikipedia:cd", config)


@pytest.mark.parametrize(
    "status",
    [b"", b"[]", b"{", b'{"jobs": 3}', b'{"jobs": {"articlesmultistreamdump": {"status": "done", "files": [1]}}}'],
)
def test_a_broken_status_is_no_finished_dump(site: Site, config: CorpusConfig, status: bytes) -> None:
    site.pages["/cswiki/20261101/dumpstatus.json"] = status
    with pytest.raises(SourceError, match="no finished dump"):
        fetch("wikipedia:cs", config)


def test_a_status_cannot_name_files_outside_of_the_cache(site: Site, config: CorpusConfig, tmp_path: Path) -> None:
    status = json.loads(site.pages["/cswiki/20261101/dumpstatus.json"])
    files = status["jobs"]["articlesmultistreamdump"]["files"]
    files["cswiki-20261101-/../../../x-pages-articles-multistream.xml.bz2"] = next(iter(files.values()))
    site.pages["/cswiki/20261101/dumpstatus.json"] = json.dumps(status).encode()
    assert [path.name for path in fetch("wikipedia:cs", config)] == [DUMP.rpartition("/")[2]]


def test_the_next_mirror_helps_out(site: Site, config: CorpusConfig) -> None:
    with serve() as other:
        put_dump(other, "cswiki", "20261101", standard_files(BODY, b"index"))
        site.pages[DUMP] = b"?" * len(BODY)
        both = replace(config, mirrors=("http://127.0.0.1:9/", site.url, other.url))
        assert fetch("wikipedia:cs", both)[0].read_bytes() == BODY
        assert other.asked("multistream.xml")


def test_a_full_disk_is_seen_before(site: Site, config: CorpusConfig, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(source.shutil, "disk_usage", lambda _: type("Usage", (), {"free": 1000}))
    with pytest.raises(SourceError, match=r"has room for 0.0 MB, but 0.5 MB.*cache_folder"):
        fetch("wikipedia:cs", config)
    assert not site.asked(".bz2")


def test_the_fingerprint_of_a_source_is_its_wiki_date_and_checksum(site: Site, config: CorpusConfig) -> None:
    def fingerprint(config: CorpusConfig) -> str:
        return request_of(Step("corpus", STAGES["corpus"], config, {}), {}).fingerprint

    one = replace(config, sources=("wikipedia:cs",))  # type: ignore[arg-type]
    first = fingerprint(one)
    assert not site.asked(".bz2")
    fetch("wikipedia:cs", one)
    assert fingerprint(replace(one, processes=3, cache="zstd", contact="x")) == first
    put_dump(site, "cswiki", "20261120", standard_files(b"another", b""))
    assert fingerprint(one) == first
    fetch("wikipedia:cs@newest", one)
    assert fingerprint(one) != first


def test_a_plan_tells_what_will_be_fetched(config: CorpusConfig, monkeypatch: pytest.MonkeyPatch) -> None:
    from mothertongue.run import plan, remote
    from mothertongue.run.machine import Machine

    monkeypatch.setattr(plan, "measure_machine", lambda seconds: Machine({"products": 1e-11, "parameters": 4e-9}))
    monkeypatch.setattr(plan, "ask", lambda source: remote.ask(source, config))
    text = plan.write_plan("cs", hours=0.1, sources=["wikipedia:cs"], base="hub:gpt2")
    assert "# To be fetched: cswiki of 2026-11-01: 3 files" in text
    assert 'path = "wikipedia:cs", licence = "CC BY-SA 4.0"' in text


def test_a_wiki_becomes_a_corpus_and_is_up_to_date_without_the_site(
    site: Site, config: CorpusConfig, tmp_path: Path, many: Callable[..., list[str]]
) -> None:
    articles = [page(f"Obec {n}", f"{text}[[Obr:{n}.jpg]]", id=n) for n, text in enumerate(many(60), start=1)]
    streams = ["".join(articles[:30]), page("X", "#PŘESMĚRUJ [[Obec 1]]", id=99), "".join(articles[30:])]
    put_dump(site, "cswiki", "20261115", standard_files(*multistream(HEAD, streams)))
    step = Step("corpus", STAGES["corpus"], replace(config, language="cs", sources=(Source("wikipedia:cs"),)), {})
    metrics = build_step(step, tmp_path / "corpus", {})["metrics"]
    assert (metrics["documents"], metrics["dropped"]) == (60, {"redirect": 1})
    (source,) = metrics["sources"]
    assert (source["name"], source["licence"]) == ("wikipedia:cs", "CC BY-SA 4.0")
    assert source["files"][0]["name"] == "cswiki-20261115-pages-articles-multistream.xml.bz2"
    assert not any("[[" in document.text for document in read_documents(tmp_path / "corpus", "train"))
    before = len(site.requests)
    assert build_step(step, tmp_path / "corpus", {})["metrics"] == metrics
    assert len(site.requests) == before
