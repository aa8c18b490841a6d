"""From tokens to text, byte by byte: a token may be half of a Cyrillic letter, and half a letter is never given out.

Every token of a vocabulary stands for some bytes. A decoder that is fed these bytes gives text as soon as it is whole;
what can never become a letter is shown as U+FFFD, as everywhere else.
"""

from __future__ import annotations

import codecs
from collections.abc import Iterable, Sequence


class Pieces:
    """Text of one growing sequence of tokens. `push` gives what is certain by now, `close` the rest.

    A text ends before the first of the `stop` strings, even if it is made of several tokens or ends inside one.
    After that `ended` is true.
    """

    def __init__(self, vocabulary: dict[int, bytes], *, stop: Sequence[str] = ()) -> None:
        self._vocabulary = vocabulary
        self._letters = codecs.getincrementaldecoder("utf-8")(errors="replace")
        self._stop = tuple(stop)
        self._held = ""
        self.ended = False

    def push(self, token: int) -> str:
        """The text that is certain after `token`; often empty. Tokens without bytes (special ones) add nothing."""
        return "" if self.ended else self._give(self._letters.decode(self._vocabulary.get(token, b"")))

    def close(self) -> str:
        """The text that was held back, when no token will follow."""
        if self.ended:
            return ""
        text = self._give(self._letters.decode(b"", final=True)) + self._held
        self.ended, self._held = True, ""
        return text

    def _give(self, new: str) -> str:
        text = self._held + new
        found = [at for at in (text.find(stop) for stop in self._stop) if at >= 0]
        if found:
            self.ended, self._held = True, ""
            return text[: min(found)]
        keep = max((_overlap(text, stop) for stop in self._stop), default=0)
        self._held = text[len(text) - keep :]
        return text[: len(text) - keep]


def _overlap(text: str, stop: str) -> int:
    """How many characters at the end of `text` may be the beginning of `stop`."""
    return next((n for n in range(min(len(text), len(stop) - 1), 0, -1) if text.endswith(stop[:n])), 0)


def text_of(tokens: Iterable[int], vocabulary: dict[int, bytes]) -> str:
    """The text of finished tokens, special ones left out.

    >>> text_of([0, 1, 9], {0: b"\\xd0", 1: b"\\x96!"})
    'Ж!'
    """
    return b"".join(vocabulary.get(token, b"") for token in tokens).decode("utf-8", errors="replace")
