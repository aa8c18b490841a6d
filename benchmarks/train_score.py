"""Bits per byte of a model on the tests of train_text.py: `train_score.py MODEL TOKENIZER TESTS NAME...`."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from tokenizers import Tokenizer
from transformers import GPT2LMHeadModel

from mothertongue.model.score import score_documents

if __name__ == "__main__":
    model = GPT2LMHeadModel.from_pretrained(sys.argv[1])
    tokenizer = Tokenizer.from_file(sys.argv[2])
    tests: dict[str, list[str]] = json.loads(Path(sys.argv[3]).read_text("utf-8"))
    scores = {name: score_documents(model, tokenizer, tests[name]).bits_per_byte for name in sys.argv[4:]}
    print(json.dumps({name: round(score, 5) for name, score in scores.items()}))
