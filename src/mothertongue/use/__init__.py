"""Let a model write: the next word with its probability, whole texts, text as it comes.

    from mothertongue import load
    writer = load("runs/czech/export")                # a checkpoint or an export
    writer.next_words("Vlak přijel na")               # [NextWord(word='nádraží', probability=0.31, ...), ...]
    writer.generate("Vlak přijel na", seed=1)         # ["nádraží o hodinu později ..."]

`load.py` opens, `writer.py` offers, `prompt.py` prepares what was typed, `words.py` searches whole words among tokens,
`engine.py` says what computes, `sampler.py` draws, `steps.py` goes on token after token, `pieces.py` makes text of
tokens without ever halving a letter. Completion as one types is `complete.py`: `cursor.py` finds the place, `table.py`
the tokens that spell what was typed, `exact.py` sums over all of them, `reader.py` remembers what was read; `show.py`,
`interactive.py` and `lsp.py` are its doors.
"""
