"""A smaller model that keeps what the bigger one knows: fewer layers, by module replacing on a decoder.

`theseus.py` is the idea, `schedule.py` who is replaced and who learns when, `distill.py` the loss, `cost.py` what it
costs. The loop is that of [train]. Why it is so: docs/why/theseus.md.
"""
