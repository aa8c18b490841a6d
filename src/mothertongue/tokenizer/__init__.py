"""A corpus becomes a tokenizer: byte-level BPE whose first four ids are the same in every language.

Inside mothertongue a tokenizer is a plain `tokenizers.Tokenizer`; what is saved opens as GPT2Tokenizer and
AutoTokenizer.
"""
