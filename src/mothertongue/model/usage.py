"""The part of a model card that is code: how to use the folder. Every block of it is run by the tests."""

from __future__ import annotations

from collections.abc import Sequence

DEFAULT_PROMPT = "Once upon a time"

MOTHERTONGUE = """
With `mothertongue`:

```python
from mothertongue import load

writer = load("path/to/this/folder")
prompt = "{prompt}"
for word in writer.next_words(prompt, k=5):
    print(f"{word.probability:.1%} {word.word}")
print(prompt + writer.generate(prompt, top_p=0.95, temperature=0.65, no_repeat_ngram_size=2, seed=1)[0])
```
"""
TRANSFORMERS = """
With `transformers`:

```python
from transformers import AutoModelForCausalLM, AutoTokenizer

folder = "path/to/this/folder"
tokenizer = AutoTokenizer.from_pretrained(folder)
model = AutoModelForCausalLM.from_pretrained(folder)
inputs = tokenizer("{prompt}", return_tensors="pt")
output_ids = model.generate(**inputs, do_sample=True, max_new_tokens=30, top_p=0.92, top_k=0)
print(tokenizer.decode(output_ids[0], skip_special_tokens=True))
```
"""
GPT2 = """
With `transformers`, the next word and three texts:

```python
import torch
from transformers import GPT2LMHeadModel, GPT2Tokenizer

folder = "path/to/this/folder"
tokenizer = GPT2Tokenizer.from_pretrained(folder)
model = GPT2LMHeadModel.from_pretrained(folder, pad_token_id=tokenizer.eos_token_id)
model.eval()

text = "{prompt}"
inputs = tokenizer(text, return_tensors="pt")
loss, logits = model(**inputs, labels=inputs["input_ids"])[:2]
print(text, tokenizer.decode([torch.argmax(logits[0, -1, :]).item()]))

output_ids = model.generate(
    inputs.input_ids,
    do_sample=True,
    max_length=len(inputs.input_ids[0]) + 20,
    no_repeat_ngram_size=2,
    top_p=0.95,
    top_k=50,
    temperature=0.65,
    num_return_sequences=3,
)
for ids in output_ids:
    print(tokenizer.decode(ids, skip_special_tokens=True))
```
"""
AUTO_MODEL = """
With the Auto classes:

```python
from transformers import AutoModel, AutoTokenizer

folder = "path/to/this/folder"
tokenizer = AutoTokenizer.from_pretrained(folder)
# the code that is trusted here is the empty class in modeling_lm.py; AutoModelForCausalLM needs none
model = AutoModel.from_pretrained(folder, trust_remote_code=True)
text = "{prompt}"
input_ids = tokenizer.encode(text, add_special_tokens=False, return_tensors="pt")
output_ids = model.generate(input_ids, do_sample=True, max_length=50, top_p=0.92, pad_token_id=2, top_k=0)
print(tokenizer.decode(output_ids[0], skip_special_tokens=True))
```
"""


BLOCKS = {
    "checkpoint": (MOTHERTONGUE, TRANSFORMERS),
    "gpt2": (MOTHERTONGUE, GPT2, AUTO_MODEL),  # an export of a GPT-2 model, with the class that AutoModel needs
    "gguf": (MOTHERTONGUE,),
}


def usage(prompts: Sequence[str], *, folder: str) -> str:
    """Markdown with code for what opens a `folder` of that kind (BLOCKS), on the first of `prompts`."""
    prompt = (prompts[0] if prompts else DEFAULT_PROMPT).replace("\\", "").replace('"', "'")
    return "\n\n".join(block.strip() for block in BLOCKS[folder]).replace("{prompt}", prompt)
