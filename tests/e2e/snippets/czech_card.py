# The snippets of the Czech model's card, word for word; only its id has become FOLDER.
import torch
from transformers import GPT2LMHeadModel, GPT2Tokenizer

tokenizer = GPT2Tokenizer.from_pretrained("FOLDER")
model = GPT2LMHeadModel.from_pretrained("FOLDER", pad_token_id=tokenizer.eos_token_id)

# Get sequence length max of 1024
tokenizer.model_max_length = 1024

model.eval()  # disable dropout (or leave in train mode to finetune)

# Generate one word
text = "Umělá inteligence pomůže lidstvu překonat budoucí"
inputs = tokenizer(text, return_tensors="pt")

outputs = model(**inputs, labels=inputs["input_ids"])
loss, logits = outputs[:2]
predicted_index = torch.argmax(logits[0, -1, :]).item()
predicted_text = tokenizer.decode([predicted_index])

print("input text:", text)
print("predicted text:", predicted_text)

# Generate few full sequences
ids = inputs.input_ids
sample_outputs = model.generate(
    ids,
    do_sample=True,
    max_length=len(ids[0]) + 20,
    no_repeat_ngram_size=2,
    top_p=0.95,
    top_k=50,
    temperature=0.65,
    num_return_sequences=3,
)

for i, sample_output in enumerate(sample_outputs):
    print(f"{i + 1}: {tokenizer.decode(sample_output.tolist())}")
