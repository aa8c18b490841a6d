from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from transformers import GPT2LMHeadModel

from mothertongue.errors import CheckpointError, ConfigError
from mothertongue.run.progress import be_quiet
from mothertongue.tokenizer.bytelevel import encode_text
from mothertongue.use.config import GenerateConfig
from mothertongue.use.load import load
from mothertongue.use.pieces import text_of
from mothertongue.use.steps import token_steps
from mothertongue.use.torch_engine import TorchEngine
from mothertongue.use.writer import Writer

PROMPTS = [
    "Ráno svítilo",
    "",
    "Влакът за",
    "🦄 👩‍🔬!",
    "雨が 止んだ",
    "line\nline\r\n",
    "<|endoftext|> as text",
    "\x00\t\x07",
]


def next_token_bias(model: GPT2LMHeadModel, favourite: int) -> None:
    """Make the tiny model give `favourite` after anything."""
    with torch.no_grad():
        model.transformer.ln_f.weight.zero_()
        model.transformer.ln_f.bias.copy_(50 * model.transformer.wte.weight[favourite])


def count_calls(writer: Writer, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """A list that grows whenever the model computes."""
    model, calls = writer.engine.model, list[int]()
    forward = model.forward
    monkeypatch.setattr(model, "forward", lambda *args, **kwargs: calls.append(1) or forward(*args, **kwargs))
    return calls


@pytest.mark.parametrize("prompt", PROMPTS)
def test_any_prompt_is_continued(writer: Writer, prompt: str) -> None:
    texts = writer.generate(prompt, max_new_tokens=8, num_return_sequences=2, seed=3)
    assert len(texts) == 2
    assert all(isinstance(text, str) and "<|" not in text for text in texts)


def test_same_seed_same_text_and_another_seed_another_text(writer: Writer) -> None:
    first = writer.generate("Vlak", seed=5, max_new_tokens=20, num_return_sequences=3)
    assert writer.generate("Vlak", seed=5, max_new_tokens=20, num_return_sequences=3) == first
    assert writer.generate("Vlak", seed=6, max_new_tokens=20, num_return_sequences=3) != first
    assert writer.generate("Vlak", max_new_tokens=20) != writer.generate("Vlak", max_new_tokens=20)


@pytest.mark.parametrize(
    "options", [{}, {"no_repeat_ngram_size": 3}, {"no_repeat_ngram_size": 1}, {"repetition_penalty": 1.3}]
)
def test_likeliest_text_is_that_of_transformers_own_generate(writer: Writer, options: dict[str, Any]) -> None:
    ids = [0, *encode_text(writer.tokenizer, "Vlak do Brna")]
    outputs = writer.engine.model.generate(
        torch.tensor([ids]), **options, do_sample=False, max_new_tokens=30, suppress_tokens=[1, 2, 3], eos_token_id=0,
        pad_token_id=0,
    )  # fmt: skip
    expected = [text_of(row[len(ids) :], writer._bytes) for row in outputs.tolist()]
    assert writer.generate("Vlak do Brna", **options, do_sample=False, max_new_tokens=30) == expected
    assert writer.generate("Vlak do Brna", **options, top_k=1, max_new_tokens=30) == expected


def test_the_first_of_several_texts_is_the_only_one_of_one(writer: Writer) -> None:
    three = writer.generate("Vlak", seed=5, max_new_tokens=20, num_return_sequences=3)
    assert writer.generate("Vlak", seed=5, max_new_tokens=20) == three[:1]
    assert len(set(three)) == 3


def test_texts_that_end_early_leave_the_others_as_they_are(writer: Writer) -> None:
    three = writer.generate("Vlak", seed=5, max_new_tokens=20, num_return_sequences=3)
    stop = three[1][3:5]
    expected = [text.partition(stop)[0] for text in three]
    assert expected[1] != three[1]
    assert writer.generate("Vlak", seed=5, max_new_tokens=20, num_return_sequences=3, stop=stop) == expected


def test_a_text_may_outgrow_the_context(writer: Writer) -> None:
    text = writer.generate("Vlak", seed=5, max_new_tokens=200)[0]
    ids = encode_text(writer.tokenizer, text)
    assert len(ids) > 3 * writer.context / 2
    assert text.startswith(writer.generate("Vlak", seed=5, max_new_tokens=40)[0])
    assert len(writer.generate("Vlak " * 100, seed=5, max_new_tokens=1000, num_return_sequences=2)) == 2


def test_after_a_slide_the_latest_half_of_the_context_is_read(writer: Writer) -> None:
    config = GenerateConfig(do_sample=False)
    prompt = [0, *range(5, 5 + 63)]
    drawn = [token for ((_, token),) in token_steps(writer.engine, prompt, config=config, new_tokens=3, banned=[0])]
    text = [*prompt, drawn[0]]
    expected = writer.engine.next_tokens(text[-32:])
    expected[0] = -np.inf
    assert drawn[1] == expected.argmax()
    expected = writer.engine.next_tokens([*text[-32:], drawn[1]])
    expected[0] = -np.inf
    assert drawn[2] == expected.argmax()


def test_a_megabyte_of_prompt_is_continued(writer: Writer) -> None:
    assert writer.generate("Ráno svítilo. " * 60_000, seed=1, max_new_tokens=2, do_sample=False)


def test_async_stream_gives_the_text_of_generate_and_lets_others_run(writer: Writer) -> None:
    async def read() -> tuple[str, int]:
        turns = 0

        async def others() -> None:
            nonlocal turns
            while True:
                turns += 1
                await asyncio.sleep(0)

        task = asyncio.create_task(others())
        text = "".join([piece async for piece in writer.astream("Сутринта", seed=4, max_new_tokens=25)])
        task.cancel()
        return text, turns

    text, turns = asyncio.run(read())
    assert text == writer.generate("Сутринта", seed=4, max_new_tokens=25)[0]
    assert turns > 1


def test_leaving_an_async_stream_stops_the_model(writer: Writer, monkeypatch: pytest.MonkeyPatch) -> None:
    calls = count_calls(writer, monkeypatch)

    async def read() -> None:
        stream = writer.astream("Vlak", seed=1, max_new_tokens=40)
        await anext(stream)
        await stream.aclose()

    asyncio.run(read())
    assert len(calls) < 10


def test_habits_of_the_folder_do_not_change_a_text(tiny_checkpoint: Path) -> None:
    plain = load(tiny_checkpoint).generate("Vlak", seed=1, max_new_tokens=30)
    habits = {"repetition_penalty": 9.0, "min_p": 0.2, "do_sample": True, "max_length": 7, "top_k": 3}
    (tiny_checkpoint / "generation_config.json").write_text(json.dumps(habits))
    assert load(tiny_checkpoint).generate("Vlak", seed=1, max_new_tokens=30) == plain


def test_drawing_leaves_the_callers_random_numbers_alone(writer: Writer) -> None:
    torch.manual_seed(1)
    expected = torch.rand(3)
    torch.manual_seed(1)
    writer.generate("Vlak", seed=2, max_new_tokens=5)
    assert torch.equal(torch.rand(3), expected)


def test_stream_gives_the_text_of_generate(writer: Writer) -> None:
    pieces = list(writer.stream("Сутринта", seed=4, max_new_tokens=25))
    assert "".join(pieces) == writer.generate("Сутринта", seed=4, max_new_tokens=25)[0]
    assert all(pieces)


def test_closing_the_stream_stops_the_model(writer: Writer, monkeypatch: pytest.MonkeyPatch) -> None:
    calls = count_calls(writer, monkeypatch)
    stream = writer.stream("Vlak", seed=1, max_new_tokens=40)
    next(stream)
    stream.close()
    after = len(calls)
    assert after < 10
    assert list(stream) == []
    assert len(calls) == after


def test_two_streams_and_the_callers_gradients_do_not_disturb_each_other(writer: Writer) -> None:
    alone = writer.generate("Vlak", seed=1, max_new_tokens=10)[0]
    one, two = writer.stream("Vlak", seed=1, max_new_tokens=10), writer.stream("Vlak", seed=2, max_new_tokens=10)
    text = ""
    for piece in one:
        assert torch.is_grad_enabled()
        next(two, "")
        text += piece
    assert text == alone


def test_stream_of_several_texts_is_refused_at_once(writer: Writer) -> None:
    with pytest.raises(ConfigError, match="one stream"):
        writer.stream("Vlak", num_return_sequences=2)


def test_text_ends_with_the_document(tiny_model: GPT2LMHeadModel, writer: Writer) -> None:
    next_token_bias(writer.engine.model, favourite=0)
    assert writer.generate("Vlak", do_sample=False) == [""]


def test_reserved_tokens_are_never_written(writer: Writer) -> None:
    next_token_bias(writer.engine.model, favourite=2)
    assert writer.generate("Vlak", seed=1, max_new_tokens=20)[0]
    assert writer.next_tokens("Vlak", k=400)[-1].probability > 0
    assert not {1, 2, 3} & {token.id for token in writer.next_tokens("Vlak", k=400)}


def test_text_ends_before_a_stop_string_that_spans_tokens(writer: Writer) -> None:
    whole = writer.generate("Vlak", seed=8, max_new_tokens=40)[0]
    stop = whole[len(whole) // 2 : len(whole) // 2 + 3]
    expected = whole[: whole.index(stop)]
    assert writer.generate("Vlak", seed=8, max_new_tokens=40, stop=stop)[0] == expected
    assert "".join(writer.stream("Vlak", seed=8, max_new_tokens=40, stop=["never", stop])) == expected


def test_max_length_counts_the_prompt_but_not_the_token_before_it(writer: Writer) -> None:
    length = len(encode_text(writer.tokenizer, "Vlak do Brna"))
    by_length = writer.generate("Vlak do Brna", seed=1, max_length=length + 7)
    assert by_length == writer.generate("Vlak do Brna", seed=1, max_new_tokens=7)
    with pytest.raises(
        ConfigError, match=f"the prompt has {length} tokens already.*max_length of at least {length + 1}"
    ):
        writer.generate("Vlak do Brna", max_length=length)


def test_long_prompt_loses_its_beginning_which_is_said_once(writer: Writer, capsys: pytest.CaptureFixture[str]) -> None:
    be_quiet(False)
    prompt = "Ráno svítilo slunce. " * 40
    text = writer.generate(prompt, seed=1, max_new_tokens=10)[0]
    ids = encode_text(writer.tokenizer, prompt)
    note = capsys.readouterr().err
    assert f"its first {len(ids) - 54} tokens are left out" in note
    assert writer.generate("other beginning " * 9 + prompt, seed=1, max_new_tokens=10) == [text]
    writer.next_words(prompt)
    assert capsys.readouterr().err == ""


def test_prompt_is_read_as_the_corpus_was(writer: Writer) -> None:
    composed = writer.generate("c\u030ctvrtek\r\n", seed=1)
    assert composed == writer.generate("čtvrtek\n", seed=1)
    assert composed != writer.generate("čtvrtek", seed=1)


def test_lone_surrogate_is_a_clear_error(writer: Writer) -> None:
    for ask in (writer.generate, writer.next_words, writer.next_tokens, writer.stream):
        with pytest.raises(ConfigError, match=r"lone surrogate, U\+D83D, at character 4"):
            ask("abc\ud83d")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"temperature": 0}, "do_sample = false"),
        ({"temperature": -1.0}, "outside 0..100"),
        ({"temperature": float("nan")}, "outside"),
        ({"top_p": 0.0}, "do_sample = false"),
        ({"top_p": 1.2}, "outside 0..1"),
        ({"top_k": -1}, "outside 0"),
        ({"max_new_tokens": 0}, "outside 1"),
        ({"typical_p": 0.0}, "do_sample = false"),
        ({"repetition_penalty": 0.0}, r"outside 0\.01\.\.100"),
        ({"min_p": 1.5}, "outside 0..1"),
        ({"max_new_tokens": 5, "max_length": 9}, "Give one"),
        ({"no_repeat_ngram_size": 1.5}, "must be of type int"),
        ({"num_return_sequences": 0}, "outside 1..1000"),
        ({"num_return_sequences": 2, "do_sample": False}, "all be the same"),
        ({"seed": -1}, "outside 0"),
        ({"stop": ""}, "end every text at once"),
        ({"temprature": 0.5}, 'Did you mean "temperature"'),
    ],
)
def test_wrong_option_is_refused_with_its_cure(writer: Writer, options: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        writer.generate("Vlak", **options)
    with pytest.raises(ConfigError, match=message):
        writer.stream("Vlak", **options)


def test_damaged_weights_are_named_as_the_cause(writer: Writer) -> None:
    with torch.no_grad():
        writer.engine.model.transformer.ln_f.weight.fill_(float("nan"))
    with pytest.raises(CheckpointError, match="no numbers"):
        writer.generate("Vlak")
    with pytest.raises(CheckpointError, match="no numbers"):
        writer.next_words("Vlak")


def test_options_that_leave_no_token_are_refused(writer: Writer) -> None:
    with pytest.raises(ConfigError, match="leave no token"):
        next_token_bias(writer.engine.model, favourite=5)
        writer._banned = list(range(320))
        writer.generate("Vlak", do_sample=False)


def test_llama_writes_as_well(tmp_path: Path, writer: Writer) -> None:
    from transformers import LlamaConfig, LlamaForCausalLM

    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=384, hidden_size=16, intermediate_size=32, num_hidden_layers=2, num_attention_heads=2,
        num_key_value_heads=1, max_position_embeddings=48,
    )  # fmt: skip
    llama = Writer(TorchEngine(LlamaForCausalLM(config).eval(), writer.tokenizer), tmp_path)
    assert llama.context == 48
    assert llama.generate("Vlak " * 100, seed=1, num_return_sequences=2) == llama.generate(
        "Vlak " * 100, seed=1, num_return_sequences=2
    )
    assert len(llama.next_words("Vlak", k=5)) == 5
