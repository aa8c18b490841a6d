"""One training loop: pre-training, the training after a transfer, the polish after compression.

`loop.py` is the whole engine; data order, schedule and freezing are functions of (seed, step), so a killed run
continues bit for bit. Why it is as it is: docs/why/training.md.
"""
