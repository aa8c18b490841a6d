from __future__ import annotations

from pathlib import Path

import pytest

from mothertongue.use.load import load
from mothertongue.use.writer import Writer


@pytest.fixture
def writer(tiny_checkpoint: Path) -> Writer:
    """The tiny model with the tiny tokenizer: context 64, untrained."""
    return load(tiny_checkpoint)
