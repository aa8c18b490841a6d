"""Progress goes to stderr, or nowhere."""

from __future__ import annotations

import pytest

from mothertongue.run import progress
from mothertongue.run.progress import be_quiet, say, span, track


def test_lines_tell_rate_and_time_left(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    be_quiet(False)
    monkeypatch.setattr(progress, "LINE_EVERY_SECONDS", 0.0)
    clock = iter(range(0, 1000, 10))
    monkeypatch.setattr(progress.time, "monotonic", lambda: float(next(clock)))
    with track("reading", total=10, unit="MB", done=2) as bar:
        bar.advance(4, note="a.txt")
    out, err = capsys.readouterr()
    assert out == ""
    first, last = err.splitlines()
    assert first.startswith("  reading: 6 of 10 MB, ") and "left  a.txt" in first
    assert last.startswith("  reading: 6 MB in ")


def test_quiet_is_quiet(capsys: pytest.CaptureFixture[str]) -> None:
    be_quiet()
    say("nothing")
    with track("reading") as bar:
        bar.advance()
    assert capsys.readouterr() == ("", "")


def test_a_terminal_gets_a_live_bar(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    be_quiet(False)
    monkeypatch.setattr(progress.sys.stderr, "isatty", lambda: True, raising=False)
    with track("reading", total=3, unit="page") as bar:
        bar.advance(3, note="done")
    assert "reading" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.04, "0.0 s"), (4.24, "4.2 s"), (59.9, "1 min 00 s"), (185, "3 min 05 s"), (7620, "2 h 07 min")],
)
def test_spans_as_people_say_them(seconds: float, text: str) -> None:
    assert span(seconds) == text
