"""How good is the model, honestly? Bits per byte of whole documents it has never seen, beside what cheap methods reach.

Nothing counts unless the text was held out by document before the tokenizer was trained (`corpus/`), the same bytes are
counted for everybody, and the lines of uniform, unigram, 5-gram and xz stand in the same picture. See
docs/why/bits-per-byte.md.
"""
