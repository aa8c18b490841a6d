# The snippet of the Bulgarian model's card, word for word; only its id has become FOLDER.
from transformers import AutoModel, AutoTokenizer

tokenizer = AutoTokenizer.from_pretrained("FOLDER")
model = AutoModel.from_pretrained("FOLDER", trust_remote_code=True)

input_ids = tokenizer.encode("Здравей,", add_special_tokens=False, return_tensors="pt")

output_ids = model.generate(input_ids, do_sample=True, max_length=50, top_p=0.92, pad_token_id=2, top_k=0)

output = tokenizer.decode(output_ids[0])

output = output.replace("<|endoftext|>", "\n\n\n")
output = output.replace("<|unknown|>", "")
output = output.replace("▁", " ")
output = output.replace("<|n|>", "\n")

print(output)
