"""Write a checkpoint as a folder that other programs open, read it back, and refuse it if it does not answer the same.

`stage.py` is the step, `formats.py` the table of formats, `huggingface.py` writes the one for Hugging Face,
`gguf.py` the one for llama.cpp, `proof.py` compares.
"""
