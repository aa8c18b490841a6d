"""For AutoModel.from_pretrained(folder, trust_remote_code=True) only; all other ways need no code."""

import transformers


class GPT2LMHeadModel(transformers.GPT2LMHeadModel):
    """transformers' own class, unchanged."""
