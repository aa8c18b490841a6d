"""Words and continuations for people: a table whose bars are a picture of the probabilities."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mothertongue.run.settings import parse_settings
from mothertongue.use.complete import Asked, CompleteConfig, Continuation
from mothertongue.use.find import find_model
from mothertongue.use.words import NextWord

EIGHTHS = " ▏▎▍▌▋▊▉█"
BAR_WIDTH = 24
CONTINUATIONS = 3


@dataclass(frozen=True, slots=True)
class Answer:
    """The same for machines and for people."""

    figures: dict[str, Any]
    text: str


def completion_asked(model: str, options: Mapping[str, Any]) -> Asked:
    """What the options of a command ask for; ConfigError for a wrong one, ArtifactError if there is no such model."""
    given = {name: value for name, value in options.items() if value is not None}
    config = parse_settings(CompleteConfig, given, where="complete")
    return Asked(find_model(model), config)


def complete_text(asked: Asked, prompt: str) -> Answer:
    """The next words and the likeliest continuations."""
    completer, config = asked.open(), asked.config
    words = completer.words(prompt, k=config.k)
    found = completer.continuations(
        prompt,
        k=min(CONTINUATIONS, config.k),
        until=config.until,
        max_words=config.max_words,
        confidence=config.confidence,
    )
    figures = {
        "words": [{"word": w.word, "text": w.text, "probability": round(w.probability, 6)} for w in words],
        "continuations": [{"text": one.text, "probability": one.probability} for one in found],
    }
    return Answer(figures, "\n\n".join(filter(None, [show_words(words), show_continuations(prompt, found)])))


def show_words(words: Sequence[NextWord]) -> str:
    """A line for each word: its probability, a bar, the word.

    >>> print(show_words([NextWord("jak", 0.5, "k"), NextWord("já", 0.25, "á")]))
     50.0 %  ████████████              jak
     25.0 %  ██████                    já
    """
    return "\n".join(f"{percent(word.probability)}  {bar(word.probability)}  {shown(word.word)}" for word in words)


def percent(share: float) -> str:
    """`share` (0-1) in percent, small ones with two digits.

    >>> [percent(share) for share in (1, 0.997, 0.05, 0.00012)]
    ['100.0 %', ' 99.7 %', '  5.0 %', '0.012 %']
    """
    return f"{100 * share:5.1f} %" if share >= 0.001 or not share else f"{100 * share:5.2g} %"


def bar(share: float, *, width: int = BAR_WIDTH) -> str:
    """`share` (0-1) of `width` characters, to an eighth of one.

    >>> bar(0.5, width=3)
    '█▌ '
    """
    eighths = round(max(0.0, min(1.0, share)) * width * 8)
    full, rest = divmod(eighths, 8)
    return ("█" * full + (EIGHTHS[rest] if rest else "")).ljust(width)


def show_continuations(prompt: str, found: Sequence[Continuation]) -> str:
    """A line for each continuation: its probability, the end of the prompt, and after a bar what would be appended."""
    end = prompt.rpartition("\n")[2][-40:]
    return "\n".join(f"{percent(one.probability)}  {shown(end)}|{shown(one.text)}" for one in found)


def shown(text: str) -> str:
    """`text` on one line of a terminal: what would move the cursor is written out.

    >>> shown("a" + chr(27) + "b")
    'a\\x1bb'
    """
    return "".join(char if char.isprintable() else repr(char)[1:-1] for char in text)
