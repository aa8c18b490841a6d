"""Our engines, and llama.cpp bare under ours, run by use.py: `use_ours.py ARM FOLDER STARTED TOKENS`."""

from __future__ import annotations

import ctypes
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from mothertongue.use.config import GenerateConfig
from mothertongue.use.load import open_engine
from mothertongue.use.steps import token_steps
from use_job import CANDIDATES, LONG, PROMPT, arguments, measure

ENGINES = {  # arm -> folder and engine
    "ours": ("q8_0", "llama"),
    "ours-q4": ("q4_0", "llama"),
    "ours-f16": ("float16", "llama"),
    "ours-f32": ("float32", "llama"),
    "ours-torch": ("checkpoint", "torch"),
    "ours-int8": ("checkpoint", "torch-int8"),
    "bare-llama.cpp": ("q8_0", "llama"),
}
CARD = {"top_p": 0.95, "temperature": 0.65, "no_repeat_ngram_size": 2}


class Ours:
    """An engine of ours with our sampler."""

    def __init__(self, folder: Path, engine: str) -> None:
        self.engine = open_engine(folder, engine=engine)

    def write(self, count: int, *, rows: int, card: bool) -> int:
        config = GenerateConfig(seed=1, num_return_sequences=rows, **(CARD if card else {}))  # type: ignore[arg-type]
        steps = token_steps(self.engine, PROMPT, config=config, new_tokens=count, banned=[self.engine.end_id])
        return sum(len(drawn) for drawn in steps)

    def read(self) -> None:
        self.engine.next_tokens(LONG)

    def score(self) -> Sequence[float] | None:
        return [float(one.sum()) for one in self.engine.score(PROMPT, CANDIDATES)]


class Bare(Ours):
    """llama.cpp with its own sampler (top-k 50, then a draw), one text, called from a plain loop."""

    def write(self, count: int, *, rows: int, card: bool) -> int:
        if rows > 1 or card:
            return super().write(count, rows=rows, card=card)
        engine: Any = self.engine
        library, session = engine._library, engine.session()
        handle = session._context._handle
        session.extend(PROMPT)
        sampler = _sampler(library)
        token, batch = ctypes.c_int32(), library.llama_batch_get_one
        for _ in range(count):
            token.value = library.llama_sampler_sample(sampler, handle, -1)
            library.llama_decode(handle, batch(ctypes.byref(token), 1))
        library.llama_sampler_free(sampler)
        session.close()
        return count


def _sampler(library: ctypes.CDLL) -> int:
    from mothertongue.use.llama_library import Batch

    pointer = ctypes.c_void_p
    library.llama_batch_get_one.restype = Batch
    for name, result, kinds in (
        ("chain_init", pointer, [ctypes.c_bool]),
        ("chain_add", None, [pointer, pointer]),
        ("init_top_k", pointer, [ctypes.c_int32]),
        ("init_dist", pointer, [ctypes.c_uint32]),
        ("sample", ctypes.c_int32, [pointer, pointer, ctypes.c_int32]),
        ("free", None, [pointer]),
    ):
        function = getattr(library, f"llama_sampler_{name}")
        function.restype, function.argtypes = result, kinds
    chain: int = library.llama_sampler_chain_init(True)
    library.llama_sampler_chain_add(chain, library.llama_sampler_init_top_k(50))
    library.llama_sampler_chain_add(chain, library.llama_sampler_init_dist(1))
    return chain


def bandwidth() -> float:
    """Gigabytes a second that two threads read."""
    from concurrent.futures import ThreadPoolExecutor

    import numpy as np

    parts = np.ones((2, 1 << 26))  # half a gigabyte each
    with ThreadPoolExecutor(2) as pool:
        best = 0.0
        for _ in range(6):
            started = time.perf_counter()
            list(pool.map(np.add.reduce, parts))
            best = max(best, parts.nbytes / (time.perf_counter() - started) / 1e9)
    return best


if __name__ == "__main__":
    arm, folder, started, tokens = arguments()
    if arm == "bandwidth":
        print(f'{{"gigabytes_per_second": {bandwidth():.2f}}}')
    else:
        name, engine = ENGINES[arm]
        kind = Bare if arm.startswith("bare") else Ours
        measure(lambda: kind(Path(folder) / name, engine), started=started, tokens=tokens)
