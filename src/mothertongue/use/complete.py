"""Complete text as it is typed: the next words with their probabilities, and how the sentence may go on.

    completer = open_completer("runs/czech/export")
    completer.words("Dobrý den, ja", k=3)                   # [NextWord(word='jak', probability=0.41, text='k'), ...]
    completer.continuations("Dobrý den, ja", until="clause")[0].text                                # 'k se máte?'

Right at every place: what is offered goes on from the bytes that were typed, however the tokenizer would have cut them
(`cursor.py` takes the last tokens back, `words.py` searches tokens that spell what was typed, `exact.py` sums over all
of them). What the model has read stays read, so a key inside a word costs little (`reader.py`).
"""

from __future__ import annotations

import heapq
import unicodedata
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path as Folder
from threading import Lock

from mothertongue.errors import CheckpointError, ConfigError
from mothertongue.run.settings import Settings, setting
from mothertongue.tokenizer.bytelevel import start_of_text_id
from mothertongue.tokenizer.marks import token_bytes, without_prefix
from mothertongue.use.cursor import Cursor, find_cursor
from mothertongue.use.engine import Engine
from mothertongue.use.exact import text_probability
from mothertongue.use.personal import Personal
from mothertongue.use.prompt import check_characters
from mothertongue.use.reader import Reader, never
from mothertongue.use.steps import banned_tokens
from mothertongue.use.table import TokenTable
from mothertongue.use.words import (
    ANY,
    MAX_PATHS,
    MAX_WORD_TOKENS,
    Ask,
    NextWord,
    Path,
    WordSearch,
    best_words,
    is_letter,
)

TOKENS_TAKEN_BACK = 4  # three are enough at nearly all places
TOKENS_TAKEN_BACK_EXACTLY = 32  # of a word; its first ones are certain if it has more
MOST_WORDS = 1000
LEAST_CONTEXT = 8
STEPS = 12  # tokens that the model reads for one answer at most, and one more for each word asked for
SENTENCE_ENDS, CLAUSE_ENDS = ".!?…", ",;:–—.!?…"
WHICH = ("any", "longer", "next")
ENDS = {"word": None, "clause": CLAUSE_ENDS, "sentence": SENTENCE_ENDS}


@dataclass(frozen=True)
class CompleteConfig(Settings):
    """What is offered at a place in a text."""

    k: int = setting(5, "how many words, or continuations", least=1, most=MOST_WORDS)
    until: str = setting("sentence", "how far a continuation goes at most", choices=("word", "clause", "sentence"))
    max_words: int = setting(20, "words and marks of a continuation at most", least=1, most=200)
    confidence: float = setting(
        0.02, "a continuation ends before its probability falls below this, 0-1", least=0, most=1
    )
    exact: bool = setting(False, "sum over all ways to cut a word into tokens: slower, and hardly another order")
    personal: float = setting(
        0.0,
        "weight of the words of the text at hand among those that begin as typed, 0-1; not kept",
        least=0,
        most=1,
    )


@dataclass(frozen=True, slots=True)
class Continuation:
    """How a text may go on: what to append, and the product of its words' probabilities."""

    text: str
    probability: float
    words: tuple[NextWord, ...]


class Completer:
    """Completes with one engine, a question at a time. What was read for one place serves the next.

    A prompt is text, or bytes whose last character may be unfinished: what to append (`text`) is then appended to its
    whole characters, and begins with the unfinished one. Prompts are read as by `Writer`: as the beginning of a
    document, in NFC; of a long one the end. Lone surrogates are a ConfigError.
    """

    def __init__(self, engine: Engine, *, exact: bool = False, personal: float = 0.0) -> None:
        CompleteConfig(exact=exact, personal=personal)  # refuses what is out of range
        if engine.context < LEAST_CONTEXT:
            raise CheckpointError(
                f"Completion needs a model that reads {LEAST_CONTEXT} tokens at once; this one reads {engine.context}."
                " Open another one."
            )
        self._tokenizer, self._prefix = without_prefix(engine.tokenizer)
        self._start_id = start_of_text_id(engine.tokenizer)
        vocabulary = token_bytes(engine.tokenizer)
        self._table = TokenTable(vocabulary, engine.vocab_size)
        self._room = engine.context - min(MAX_WORD_TOKENS + 2, engine.context // 2)
        self._exact = exact
        self._personal, self._document_is_known = Personal(personal), False
        self.reader = Reader(engine, banned=banned_tokens(engine, vocabulary))
        self._lock = Lock()

    def words(
        self, prompt: str | bytes, *, k: int = 5, which: str = "any", cancel: Callable[[], bool] = never
    ) -> list[NextWord]:
        """The `k` likeliest words at the end of `prompt`, likeliest first; fewer if the model sees no more.

        Where the prompt ends in a word, they are words that begin so, and what may follow if it is finished; or, by
        `which`, only the "longer" ones, or only the "next", where it is known that the word is finished. A probability
        (0-1) is a lower bound, and the sum over all cuttings if the completer is exact. Raises TakenBackError when
        `cancel` says so.
        """
        _check_count(k)
        if which not in WHICH:
            raise ConfigError(f'which = "{which}" is unknown. Give one of: {", ".join(WHICH)}.')
        with self._asking(cancel):
            cursor = self._cursor(prompt, TOKENS_TAKEN_BACK)
            wanted = k if not self._personal.share else min(MOST_WORDS, 2 * k)
            found = best_words(self._searches(cursor, wanted, which), k=wanted, steps=self._steps(wanted))
            if self._exact:
                found = self._exactly(self._cursor(prompt, TOKENS_TAKEN_BACK_EXACTLY), found, which)
            return self._personally(cursor, found, which, k) if self._personal.share else found

    def continuations(
        self,
        prompt: str | bytes,
        *,
        k: int = 1,
        until: str = "sentence",
        max_words: int = 20,
        confidence: float = 0.0,
        cancel: Callable[[], bool] = never,
    ) -> list[Continuation]:
        """The `k` likeliest ways to go on to the end of the word, clause or sentence, found with a beam of `k`.

        Each ends earlier where its probability would fall below `confidence`; none is given that falls at once.
        """
        CompleteConfig(k=k, until=until, max_words=max_words, confidence=confidence)  # refuses what is out of range
        whole = self._cursor(prompt, TOKENS_TAKEN_BACK)
        finished: list[Continuation] = []
        beam = [Continuation("", 1.0, ())]
        for number in range(max_words):
            longer: list[Continuation] = []
            for one in beam:
                place = prompt if not number else _appended(prompt, whole, one.text)
                finds = self.words(place, k=k, which="next" if _ends_in_word(one.text) else "any", cancel=cancel)
                grown = [_grow(one, word) for word in finds]
                likely = [other for other in grown if other.probability >= confidence and not _breaks(other)]
                finished += [one] if one.text and not likely else []
                longer += likely
            best = heapq.nlargest(k, [*longer, *finished], key=lambda one: one.probability)
            finished = [one for one in best if one in finished or _is_end(one, until)]
            beam = [one for one in best if one not in finished]
            if not beam:
                break
        return sorted((one for one in [*finished, *beam] if one.text), key=lambda one: -one.probability)

    def probability(self, prompt: str | bytes, rest: str | bytes, *, ends: bool = True) -> float:
        """The exact probability that `prompt` goes on with `rest` and, if `ends`, that its last word ends there.

        It is a sum over all cuttings of every word into tokens, and the same from any place: of `prompt + a` with `b`
        times that of `prompt` with `a` (which need not end) it is that of `prompt` with `a + b`.
        """
        with self._lock:
            cursor = self._cursor(prompt, TOKENS_TAKEN_BACK_EXACTLY)
            return self._probability(cursor, _as_typed(rest), ends=ends)

    def know(self, document: str) -> None:
        """Count the words of `document`, in place of those of the prompt, where `personal` is above 0."""
        self._document_is_known = True
        if self._personal.share:
            self._personal.read(document)

    def close(self) -> None:
        """Give the engine's memory back, when the question that is being answered is."""
        with self._lock:
            self.reader.close()

    def _cursor(self, prompt: str | bytes, back: int) -> Cursor:
        return find_cursor(
            self._tokenizer,
            self._table,
            prompt,
            start_id=self._start_id,
            room=self._room,
            back=back,
            prefix=self._prefix,
        )

    def _searches(self, cursor: Cursor, k: int, which: str) -> list[WordSearch]:
        """One search where the text goes on; where it stands in a word, one more for what follows the finished word."""
        kind = None if cursor.torn else cursor.kind
        first = WordSearch(
            self._ask_after(cursor.head),
            self._table,
            k,
            typed=cursor.typed,
            torn=cursor.torn,
            allowed=ANY if kind is None else frozenset({kind}),
            stem=cursor.stem if cursor.stem and is_letter(cursor.stem[0]) else "",
        )
        if kind is None:
            return [first]
        second = WordSearch(self._ask_after(cursor.whole), self._table, k, allowed=ANY - {kind})
        return {"any": [first, second], "longer": [first], "next": [second]}[which]

    def _ask_after(self, head: Path) -> Ask:
        return lambda path: self.reader(head + path)

    def _steps(self, k: int) -> int:
        return MAX_PATHS if self._exact else min(MAX_PATHS, STEPS + k)

    def _exactly(self, cursor: Cursor, words: list[NextWord], which: str) -> list[NextWord]:
        condition = 1.0
        if which == "next" and cursor.stem and not cursor.torn:
            condition = self._probability(cursor, b"", ends=True) or 1.0
        summed = [
            NextWord(word.word, self._probability(cursor, rest, ends=is_letter(word.text[-1])) / condition, word.text)
            for word in words
            for rest in [word.text.encode()[len(cursor.torn) :]]
        ]
        return sorted(summed, key=lambda word: -word.probability)

    def _personally(self, cursor: Cursor, words: list[NextWord], which: str, k: int) -> list[NextWord]:
        if not self._document_is_known:
            self._personal.read(cursor.text)
        begun = which != "next" and not cursor.torn and cursor.stem and is_letter(cursor.stem[0])
        return self._personal.mix(words, stem=cursor.stem if begun else "", k=k)

    def _probability(self, cursor: Cursor, rest: bytes, *, ends: bool) -> float:
        return text_probability(self._ask_after, self._table, self._tokenizer, cursor, rest, ends=ends)

    @contextmanager
    def _asking(self, cancel: Callable[[], bool]) -> Iterator[None]:
        with self._lock:
            self.reader.cancel = cancel
            try:
                yield
            finally:
                self.reader.cancel = never


@dataclass(frozen=True, slots=True)
class Asked:
    """Which model is to complete, and how."""

    folder: Folder
    config: CompleteConfig

    def open(self) -> Completer:
        """The completer."""
        return open_completer(self.folder, exact=self.config.exact, personal=self.config.personal)


def open_completer(folder: str | Folder, *, exact: bool = False, personal: float = 0.0) -> Completer:
    """A Completer with the model in `folder`: a checkpoint, an export, or any Hugging Face folder of a known family."""
    from mothertongue.use.load import open_engine

    return Completer(open_engine(folder), exact=exact, personal=personal)


def _as_typed(rest: str | bytes) -> bytes:
    """`rest` as the bytes that tokens spell; ConfigError for lone surrogates."""
    if isinstance(rest, bytes):
        return rest
    check_characters(rest)
    return unicodedata.normalize("NFC", rest).encode()


def _appended(prompt: str | bytes, whole: Cursor, text: str) -> str:
    if isinstance(prompt, str):
        return prompt + text
    return prompt[: len(prompt) - len(whole.torn)].decode("utf-8") + text


def _ends_in_word(text: str) -> bool:
    return bool(text) and is_letter(text[-1])


def _grow(one: Continuation, word: NextWord) -> Continuation:
    return Continuation(one.text + word.text, one.probability * word.probability, (*one.words, word))


def _breaks(one: Continuation) -> bool:
    """Whether a new line begins after the first word: another sentence, then."""
    return len(one.words) > 1 and "\n" in one.words[-1].text


def _is_end(one: Continuation, until: str) -> bool:
    marks = ENDS[until]
    return marks is None or one.words[-1].word in marks


def _check_count(k: int) -> None:
    if not 1 <= k <= MOST_WORDS:
        raise ConfigError(f"k = {k} is outside 1..{MOST_WORDS}. Give at least 1, and no more than that.")
