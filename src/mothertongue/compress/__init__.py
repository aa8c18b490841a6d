"""A smaller model that keeps what the bigger one knows: fewer layers, by one of several methods through one loop.

`methods.py` is the table of them, `begin.py` what the successor is before training (with `layers.py`, `influence.py`,
`bridge.py`), `theseus.py`, `distill.py` and `truncate.py` what it learns, `schedule.py` who is replaced and who learns
when, `cost.py` what it costs. `vocabulary.py` and `quantize.py` are fewer tokens and fewer bits; `plan.py` chooses all
three for a size or a speed (`sizes.py`), `control.py` asks whether it is worth it. The loop is that of [train]. Why it
is so: docs/why/theseus.md.
"""
