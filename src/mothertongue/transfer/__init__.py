"""Give a model a new vocabulary without forgetting what it knows: only rows of its embedding and head are made anew.

Position embeddings and all blocks are kept. `overlap.py` finds the tokens that both vocabularies have, the files named
in `methods.py` make a row for every other token, `calibrate.py` lets the start predict the new language's frequencies.

    mothertongue transfer --checkpoint english/ --tokenizer czech/tokenizer --corpus czech/corpus czech/transfer
"""
