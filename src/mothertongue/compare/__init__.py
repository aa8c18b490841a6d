"""The honest curve: what does a transfer save, for your language, against training from scratch at equal compute?

Every arm gets the same text in the same order, each budget is a training of its own that is annealed to zero, each arm
has its own probes of rates, and compute counts everything: initial rows, probes, training. `saving.py` says how a
saving factor follows from two curves.

    mothertongue transfer --compare --checkpoint english-base --tokenizer czech/tokenizer --corpus czech/corpus \
        --out czech/compare
"""
