"""llama.cpp as an engine: GGUF files in 4 to 32 bits, near the speed of memory, without torch.

Only logits are asked of it; tokens are drawn by our own sampler, so every option is kept exactly. What one prefix is
shared by (candidates, continuations) is read once: llama.cpp lets several sequences hold the same cells.
"""

# Axes: N tokens, B rows, V vocabulary

from __future__ import annotations

import os
import weakref
from collections.abc import Sequence
from ctypes import POINTER, c_int8, c_int32, cast
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer

from mothertongue.errors import CheckpointError, ConfigError
from mothertongue.tokenizer.bytelevel import check_rows, end_of_text_id, open_tokenizer
from mothertongue.use import llama_library
from mothertongue.use.config import GenerateConfig
from mothertongue.use.engine import Engine, Floats, check_numbers, check_texts, log_softmax
from mothertongue.use.llama_library import Batch, library

MODEL_FILE = "model.gguf"
MOST_ROWS = 64  # sequences that one context holds
SESSION_CELLS = 512  # tokens that a session has memory for at first
COMPARED_TOKENS = 256  # of a file's and its tokenizer's
AT_ONCE = 256  # tokens that are computed together: more take more memory and hardly less time
Ints = NDArray[np.int32]
IDS = POINTER(c_int32)


def can_open(folder: str | Path) -> bool:
    """Whether `folder` has a file for llama.cpp, and llama.cpp is installed."""
    return _file_in(folder) is not None and llama_library.is_installed()


def open_llama(folder: str | Path) -> LlamaEngine:
    """The engine with the one .gguf file in `folder` and the tokenizer beside it. CheckpointError if they differ."""
    file = _file_in(folder)
    if file is None:
        several = sorted(file.name for file in Path(folder).glob("*.gguf"))
        cure = f"Keep one of {', '.join(several)}" if several else "Make it with `mothertongue export --format gguf`"
        raise CheckpointError(f"{folder} does not have one .gguf file. {cure}.")
    return LlamaEngine(file, open_tokenizer(Path(folder)))


def _file_in(folder: str | Path) -> Path | None:
    files = list(Path(folder).glob("*.gguf"))
    return files[0] if len(files) == 1 else None


class LlamaEngine(Engine):
    """Computes with the model in one GGUF file. Rows of a batch are at most MOST_ROWS."""

    def __init__(self, file: Path, tokenizer: Tokenizer, *, threads: int | None = None) -> None:
        self.tokenizer, self.threads = tokenizer, threads or _cores()
        self.end_id = end_of_text_id(tokenizer)
        self._library = library()
        llama_library.complaints.clear()
        self.model = self._library.llama_model_load_from_file(
            os.fsencode(file), self._library.llama_model_default_params()
        )
        if not self.model:
            why = "; ".join(line.strip() for line in llama_library.complaints) or "it does not say why"
            raise CheckpointError(f"llama.cpp cannot open {file}: {why}. Export the model again.")
        self._free = weakref.finalize(self, self._library.llama_model_free, self.model)
        self.vocab_size = int(self._library.llama_vocab_n_tokens(self._library.llama_model_get_vocab(self.model)))
        self.context = int(self._library.llama_model_n_ctx_train(self.model))
        self.exact = self._library.llama_model_ftype(self.model) == llama_library.ALL_FLOAT32
        check_rows(tokenizer, rows=self.vocab_size, where=file)
        self._check_tokens(file)

    def _check_tokens(self, file: Path) -> None:
        """CheckpointError if the file spells its tokens otherwise: of some taken evenly more than a special few."""
        vocabulary = self._library.llama_model_get_vocab(self.model)
        if self._library.llama_vocab_type(vocabulary) == llama_library.NO_VOCABULARY:
            return  # of a tokenizer that GGUF has no name for; asked for a token, llama.cpp would end the process
        numbers = range(0, self.tokenizer.get_vocab_size(), max(1, self.vocab_size // COMPARED_TOKENS))
        pairs = [(self._library.llama_vocab_get_text(vocabulary, i), self.tokenizer.id_to_token(i)) for i in numbers]
        other = [(theirs, ours) for theirs, ours in pairs if ours is not None and theirs != ours.encode()]
        if 20 * len(other) > len(pairs):
            theirs, ours = other[-1]
            raise CheckpointError(
                f'{file} has other tokens than the tokenizer beside it ("{theirs.decode("utf-8", "replace")}" instead '
                f'of "{ours}"). They come from different models. Export the model again.'
            )

    def honours(self, options: GenerateConfig) -> bool:
        """All options, for up to MOST_ROWS continuations."""
        return options.num_return_sequences <= MOST_ROWS

    def next_tokens(self, ids: Sequence[int]) -> Floats:
        """Log-probabilities [V] of the token after `ids` (at least one)."""
        session = self.session()
        try:
            return session.extend(ids)
        finally:
            session.close()

    def score(self, prefix: Sequence[int], candidates: Sequence[Sequence[int]]) -> list[Floats]:
        """Log-probabilities of each candidate's tokens after `prefix` (at least one token), which is read once."""
        check_texts([prefix], behind=0, context=self.context, vocab_size=self.vocab_size)
        check_texts(
            [one for one in candidates if one], behind=len(prefix) - 1, context=self.context, vocab_size=self.vocab_size
        )
        longest = max([1, *map(len, candidates)])
        context = Context(self, cells=len(prefix) + MOST_ROWS * longest, sequences=MOST_ROWS + 1)
        try:
            first_V = log_softmax(context.read([prefix], [0], behind=0)[0])
            scores: list[Floats] = []
            for start in range(0, len(candidates), MOST_ROWS):
                scores += context.score_behind(len(prefix), candidates[start : start + MOST_ROWS], first_V)
        finally:
            context.close()
        return scores

    def session(self) -> LlamaSession:
        """An empty session."""
        return LlamaSession(self)

    def rows(self, prompts: Sequence[Sequence[int]], *, room: int | None = None) -> LlamaRows:
        """Rows that begin with `prompts`, all of one length; where they are all the same, they are read once."""
        check_texts(prompts, behind=0, context=self.context, vocab_size=self.vocab_size)
        return LlamaRows(self, prompts, room=room)


class Context:
    """llama.cpp's memory of some sequences. `cells` tokens are held; those that sequences share are held once.

    Each sequence has at least one. Closed, it raises ConfigError.
    """

    def __init__(self, engine: LlamaEngine, *, cells: int, sequences: int) -> None:
        self.engine, self._library = engine, library()
        cells = max(cells, sequences)  # llama.cpp would end the process
        params = llama_library.context_params(cells=cells, batch=AT_ONCE, sequences=sequences, exact=engine.exact)
        handle = self._library.llama_init_from_model(engine.model, params)
        if not handle:
            raise CheckpointError(f"llama.cpp has no memory for {cells} tokens of this model. Give a shorter text.")
        self._free = weakref.finalize(self, self._library.llama_free, handle)
        self._library.llama_set_n_threads(handle, engine.threads, engine.threads)
        self._opened = handle, self._library.llama_get_memory(handle)

    @property
    def _handle(self) -> int:
        return self._if_open()[0]

    @property
    def _memory(self) -> int:
        return self._if_open()[1]

    def _if_open(self) -> tuple[int, int]:
        if not self._free.alive:  # what it points to is gone
            raise ConfigError("This text's memory was given back (close). Begin a new one.")
        return self._opened

    def read(
        self, texts: Sequence[Sequence[int]], sequences: Sequence[int], *, behind: int, every: bool = False
    ) -> Floats:
        """Read each text into its sequence, behind so many tokens.

        Raw logits after the last token of each (B, V), or with `every` after all tokens, one text after the other.
        """
        lengths = [len(text) for text in texts]
        tokens = np.array([token for text in texts for token in text], dtype=np.int32)
        places = np.concatenate([np.arange(behind, behind + length, dtype=np.int32) for length in lengths])
        wanted = np.ones(len(tokens), dtype=np.int8)
        if not every:
            wanted[:] = 0
            wanted[np.cumsum(lengths) - 1] = 1
        owners = np.repeat(np.array(sequences, dtype=np.int32), lengths)
        cuts = [slice(start, start + AT_ONCE) for start in range(0, len(tokens), AT_ONCE)]
        parts = [self._decode(tokens[cut], places[cut], owners[cut], wanted[cut]) for cut in cuts]
        logits = np.concatenate(parts) if len(parts) > 1 else parts[0]
        check_numbers(logits)
        return logits

    def _decode(self, tokens: Ints, places: Ints, owners: Ints, wanted: NDArray[np.int8]) -> Floats:
        ones = np.ones(len(tokens), dtype=np.int32)
        pointers = owners.ctypes.data + 4 * np.arange(len(tokens), dtype=np.uint64)
        token_ids, positions, counts = (cast(part.ctypes.data, IDS) for part in (tokens, places, ones))
        outputs = cast(wanted.ctypes.data, POINTER(c_int8))
        owned = cast(pointers.ctypes.data, POINTER(IDS))
        batch = Batch(len(tokens), token_ids, None, positions, counts, owned, outputs)
        code = self._library.llama_decode(self._handle, batch)
        if code:
            raise CheckpointError(f"llama.cpp could not compute {len(tokens)} tokens (its code {code}). Try again.")
        count = int(wanted.sum())
        if not count:
            return np.empty((0, self.engine.vocab_size), dtype=np.float32)
        logits = self._library.llama_get_logits(self._handle)
        return np.ctypeslib.as_array(logits, (count, self.engine.vocab_size)).copy()

    def score_behind(self, length: int, candidates: Sequence[Sequence[int]], first_V: Floats) -> list[Floats]:
        """Scores of candidates behind the `length` tokens of sequence 0."""
        scores = [first_V[list(one[:1])] for one in candidates]
        longer = [i for i, one in enumerate(candidates) if len(one) > 1]
        self.share(0, range(1, len(longer) + 1))
        # few at a time: the logits of each token are as many as the vocabulary
        at_once = max(1, AT_ONCE // max([1, *map(len, candidates)]))
        for start in range(0, len(longer), at_once):
            part = longer[start : start + at_once]
            texts, places = [candidates[i][:-1] for i in part], range(start + 1, start + len(part) + 1)
            logits = self.read(texts, places, behind=length, every=True)
            found = log_softmax(logits)[np.arange(len(logits)), [token for i in part for token in candidates[i][1:]]]
            for i, rest in zip(part, np.split(found, np.cumsum([len(text) for text in texts])[:-1]), strict=True):
                scores[i] = np.concatenate([scores[i], rest])
        for place in range(1, len(longer) + 1):
            self.forget(place, 0)
        return scores

    def share(self, source: int, targets: Sequence[int]) -> None:
        """Let `targets` hold what `source` holds."""
        for target in targets:
            self._library.llama_memory_seq_cp(self._memory, source, target, -1, -1)

    def forget(self, sequence: int, length: int) -> None:
        """Forget all but the first `length` tokens of a sequence."""
        self._library.llama_memory_seq_rm(self._memory, sequence, length, -1)

    def close(self) -> None:
        """Give the memory back."""
        self._free()


class LlamaSession:
    """One growing text; see `engine.Session`."""

    def __init__(self, engine: LlamaEngine) -> None:
        self._engine, self._ids = engine, list[int]()
        self._context: Context | None = None
        self._cells = 0

    @property
    def ids(self) -> list[int]:
        """The tokens read so far."""
        return list(self._ids)

    def extend(self, ids: Sequence[int]) -> Floats:
        """Read `ids` (at least one) after what was read; log-probabilities [V] of the token after the last."""
        engine, read = self._engine, self._ids
        check_texts([ids], behind=len(read), context=engine.context, vocab_size=engine.vocab_size)
        try:
            context, behind = self._with_room(len(read) + len(ids))
            answer = log_softmax(context.read([[*read[behind:], *ids]], [0], behind=behind)[0])
        except BaseException:  # Ctrl-C too: some of them may have been read
            self.close()
            raise
        self._ids = [*read, *ids]
        return answer

    def _with_room(self, length: int) -> tuple[Context, int]:
        """A context for so many tokens, and how many of them it has read: none if it had to be made anew."""
        if self._context and length <= self._cells:
            return self._context, len(self._ids)
        self.close()  # two at a time might not fit
        self._cells = min(self._engine.context, SESSION_CELLS if length <= SESSION_CELLS else 2 * length)
        self._context = Context(self._engine, cells=self._cells, sequences=1)
        return self._context, 0

    def crop(self, length: int) -> None:
        """Forget all but the first `length` tokens."""
        if self._context:
            self._context.forget(0, max(length, 0))
        del self._ids[max(length, 0) :]

    def close(self) -> None:
        """Give the memory back."""
        if self._context:
            self._context.close()
        self._context, self._ids = None, []


class LlamaRows:
    """Texts that grow side by side; see `engine.Rows`."""

    def __init__(self, engine: LlamaEngine, prompts: Sequence[Sequence[int]], *, room: int | None) -> None:
        count, length = len(prompts), len(prompts[0])
        same = all(prompt == prompts[0] for prompt in prompts)
        grown = engine.context - length if room is None else min(room, engine.context - length)
        cells = (length if same else count * length) + count * grown
        self._context = Context(engine, cells=cells + 1, sequences=count)
        self._numbers, self._length = list(range(count)), length
        if same:
            self.logits = self._context.read(prompts[:1], [0], behind=0).repeat(count, axis=0)
            self._context.share(0, range(1, count))
        else:
            self.logits = self._context.read(prompts, self._numbers, behind=0)

    def step(self, tokens: Sequence[int]) -> None:
        """Read one more token in each row."""
        self.logits = self._context.read([[token] for token in tokens], self._numbers, behind=self._length)
        self._length += 1

    def keep(self, rows: Sequence[int]) -> None:
        """Go on with these rows only, in this order."""
        kept = [self._numbers[row] for row in rows]
        for number in set(self._numbers) - set(kept):
            self._context.forget(number, 0)
        self._numbers, self.logits = kept, self.logits[list(rows)]

    def close(self) -> None:
        """Give the memory back."""
        self._context.close()


def _cores() -> int:
    """How many threads compute: as many as OMP_NUM_THREADS says, as in torch, or as there are cores."""
    said = os.environ.get("OMP_NUM_THREADS", "")
    if said.isdigit() and int(said):
        return int(said)
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
