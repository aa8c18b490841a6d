"""llama.cpp's C functions in the wheel `xllamacpp`, called directly: its own Python side is an HTTP server only.

The functions are declared in llama.h; structures that are passed by value differ between versions, so those of this
wheel are checked against llama.cpp's own defaults, and a version that looks different is refused by name.
"""

from __future__ import annotations

import ctypes
import os
import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from ctypes import CFUNCTYPE, POINTER, Structure, c_bool, c_char_p, c_float, c_int8, c_int32, c_uint8, c_void_p
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import numpy as np

from mothertongue.errors import MissingExtraError

INSTALL = 'pip install "mothertongue[gguf]"'
ALL_FLOAT32 = FLOAT32 = 0  # llama.cpp's number of the kind of file, and ggml's of the type
FLOAT16, AUTO = 1, -1
NO_VOCABULARY = 0  # llama.cpp's number of the kind of vocabulary
SPINS = "GOMP_SPINCOUNT"
CONTEXT_BYTES, MODEL_BYTES = 512, 512  # more than any version has: what is beyond is not read
DEFAULTS = {0: 512, 4: 2048, 8: 512, 12: 1}  # where llama.cpp's defaults of n_ctx, n_batch, n_ubatch, n_seq_max stand
FLASH, KEY_TYPE, VALUE_TYPE, UNIFIED = 52, 104, 108, 141  # offsets in llama_context_params
FLAGS = slice(136, 142)  # embeddings, offload_kqv, no_perf, op_offload, swa_full, kv_unified
FLAG_DEFAULTS = bytes([0, 1, 1, 1, 1, 0])


class Batch(Structure):
    """llama_batch."""

    _fields_ = (
        ("n_tokens", c_int32),
        ("token", POINTER(c_int32)),
        ("embd", c_void_p),
        ("pos", POINTER(c_int32)),
        ("n_seq_id", POINTER(c_int32)),
        ("seq_id", POINTER(POINTER(c_int32))),
        ("logits", POINTER(c_int8)),
    )


class ModelParams(Structure):
    """llama_model_params, of which nothing is changed."""

    _fields_ = (("data", c_uint8 * MODEL_BYTES),)


class ContextParams(Structure):
    """llama_context_params."""

    _fields_ = (("data", c_uint8 * CONTEXT_BYTES),)


_LOG = CFUNCTYPE(None, c_int32, c_char_p, c_void_p)
ERROR = 4  # ggml's level
complaints: deque[str] = deque(maxlen=3)  # what llama.cpp has said last of what failed


def _listen(level: int, text: bytes, data: int) -> None:
    if level == ERROR:
        complaints.append(text.decode("utf-8", "replace"))


_LISTENER = _LOG(_listen)  # otherwise it would tell its life to stderr
SIGNATURES = {
    "llama_backend_init": (None, []),
    "llama_log_set": (None, [_LOG, c_void_p]),
    "llama_model_default_params": (ModelParams, []),
    "llama_context_default_params": (ContextParams, []),
    "llama_model_load_from_file": (c_void_p, [c_char_p, ModelParams]),
    "llama_model_free": (None, [c_void_p]),
    "llama_model_get_vocab": (c_void_p, [c_void_p]),
    "llama_model_n_ctx_train": (c_int32, [c_void_p]),
    "llama_model_ftype": (c_int32, [c_void_p]),
    "llama_vocab_n_tokens": (c_int32, [c_void_p]),
    "llama_vocab_type": (c_int32, [c_void_p]),
    "llama_vocab_get_text": (c_char_p, [c_void_p, c_int32]),
    "llama_init_from_model": (c_void_p, [c_void_p, ContextParams]),
    "llama_free": (None, [c_void_p]),
    "llama_n_ctx": (c_int32, [c_void_p]),
    "llama_n_seq_max": (c_int32, [c_void_p]),
    "llama_set_n_threads": (None, [c_void_p, c_int32, c_int32]),
    "llama_get_memory": (c_void_p, [c_void_p]),
    "llama_memory_clear": (None, [c_void_p, c_bool]),
    "llama_memory_seq_rm": (c_bool, [c_void_p, c_int32, c_int32, c_int32]),
    "llama_memory_seq_cp": (None, [c_void_p, c_int32, c_int32, c_int32, c_int32]),
    "llama_decode": (c_int32, [c_void_p, Batch]),
    "llama_get_logits": (POINTER(c_float), [c_void_p]),
}


def is_installed() -> bool:
    """Whether the wheel is there."""
    return find_spec("xllamacpp") is not None


_lock = threading.Lock()


def library() -> ctypes.CDLL:
    """The library, opened once. MissingExtraError if it is not installed, or of a version that is not known here."""
    with _lock:
        return _open()


@cache
def _open() -> ctypes.CDLL:
    spec = find_spec("xllamacpp")
    files = list(Path(spec.origin).parent.glob("xllamacpp*.so")) if spec and spec.origin else []
    if not files:
        raise MissingExtraError(f"Files of llama.cpp (.gguf) need: {INSTALL}")
    try:
        with _short_waits():
            opened = ctypes.CDLL(str(files[0]))
        for name, (result, arguments) in SIGNATURES.items():
            function = getattr(opened, name)
            function.restype, function.argtypes = result, arguments
    except (OSError, AttributeError) as error:
        raise MissingExtraError(f"This version of xllamacpp is not known here ({error}). Do: {INSTALL}") from error
    _check_layout(bytes(opened.llama_context_default_params().data))
    opened.llama_log_set(_LISTENER, None)
    opened.llama_backend_init()
    return opened


@contextmanager
def _short_waits() -> Iterator[None]:
    """OpenMP is told, while it is opened, that threads sleep soon instead of waiting actively for each other.

    On a quiet machine that costs nothing; beside ten other processes a token took 0.1 s instead of 1.2.
    """
    if SPINS in os.environ or "OMP_WAIT_POLICY" in os.environ:  # the user has said how
        yield
        return
    os.environ[SPINS] = "1000"
    try:
        yield
    finally:
        del os.environ[SPINS]


def _check_layout(defaults: bytes) -> None:
    """MissingExtraError unless llama_context_params looks as it does in the version that this file is written for."""
    numbers = {offset: int.from_bytes(defaults[offset : offset + 4], "little") for offset in DEFAULTS}
    types = [int.from_bytes(defaults[offset : offset + 4], "little") for offset in (KEY_TYPE, VALUE_TYPE)]
    numbers[FLASH] = int.from_bytes(defaults[FLASH : FLASH + 4], "little", signed=True)
    if numbers != {**DEFAULTS, FLASH: AUTO} or types != [FLOAT16, FLOAT16] or defaults[FLAGS] != FLAG_DEFAULTS:
        raise MissingExtraError(
            f"This version of xllamacpp is not known here (its settings look different). Do: {INSTALL}"
        )


def context_params(*, cells: int, batch: int, sequences: int, exact: bool) -> ContextParams:
    """Settings of a context: `cells` tokens are held for all its sequences together; `exact` holds them in float32."""
    params: ContextParams = library().llama_context_default_params()
    view = memoryview(params.data).cast("B")
    view[:16] = np.array([cells, batch, batch, sequences], dtype=np.uint32).tobytes()
    if exact:
        view[FLASH : FLASH + 4] = bytes(4)  # no flash attention: it rounds to 16 bits on the way
        view[KEY_TYPE : VALUE_TYPE + 4] = np.array([FLOAT32, FLOAT32], dtype=np.int32).tobytes()
    view[UNIFIED] = 1
    return params
