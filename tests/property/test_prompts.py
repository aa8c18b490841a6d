from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer

from mothertongue.corpus.clean import clean
from mothertongue.errors import ConfigError
from mothertongue.tokenizer.bytelevel import encode_text
from mothertongue.use.load import load
from mothertongue.use.prompt import clean_prompt, prepare_prompt
from mothertongue.use.writer import Writer

texts = st.text(
    alphabet=st.one_of(st.characters(exclude_categories=["Cs"]), st.sampled_from("aж🦄 \n\r\t")), max_size=200
)


@pytest.fixture(scope="module")
def writer(tmp_path_factory: pytest.TempPathFactory, tiny_tokenizer: Tokenizer) -> Writer:
    import torch
    from transformers import GPT2Config, GPT2LMHeadModel

    from mothertongue.model.checkpoint import save_checkpoint

    torch.manual_seed(0)
    size = tiny_tokenizer.get_vocab_size()
    folder: Path = tmp_path_factory.mktemp("model")
    model = GPT2LMHeadModel(GPT2Config(vocab_size=size, n_positions=32, n_embd=8, n_layer=1, n_head=1, eos_token_id=0))
    save_checkpoint(model, tiny_tokenizer, folder)
    return load(folder)


@given(texts)
def test_a_prompt_is_cleaned_as_the_beginning_of_a_document_is(text: str) -> None:
    cleaned = clean_prompt(text)
    assert cleaned.strip() == clean(text)
    assert clean_prompt(cleaned) == cleaned
    assert clean(text + "x") == cleaned + "x"


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=texts, room=st.integers(1, 40))
def test_a_prompt_keeps_its_end_and_never_takes_more_than_its_room(
    tiny_tokenizer: Tokenizer, text: str, room: int
) -> None:
    prompt = prepare_prompt(tiny_tokenizer, text, start_id=0, room=room)
    ids = encode_text(tiny_tokenizer, clean_prompt(text))
    assert 1 <= len(prompt.ids) <= room
    assert prompt.ids[prompt.start :] == ids[prompt.left_out :]
    assert prompt.start == (prompt.ids[0] == 0)


@settings(max_examples=25, deadline=None)
@given(text=texts)
def test_any_text_is_continued_and_has_next_words(writer: Writer, text: str) -> None:
    continued = writer.generate(text, seed=1, max_new_tokens=4)[0]
    assert "".join(writer.stream(text, seed=1, max_new_tokens=4)) == continued
    assert continued.encode("utf-8").decode("utf-8") == continued
    words = writer.next_words(text, k=3)
    assert len(words) == 3
    assert sum(word.probability for word in words) <= 1 + 1e-9


@given(before=texts, after=texts, half=st.characters(categories=["Cs"]))
def test_half_a_character_is_refused_with_its_place(before: str, after: str, half: str) -> None:
    with pytest.raises(ConfigError, match=f"at character {len(before) + 1}:"):
        clean_prompt(before + half + after)
