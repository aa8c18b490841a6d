"""Open and save a checkpoint, model and tokenizer together, and know where a decoder keeps its parts.

The first room that imports torch and transformers.
"""
