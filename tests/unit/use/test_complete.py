from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tokenizers import Tokenizer, models, normalizers

from mothertongue.errors import CheckpointError, ConfigError
from mothertongue.tokenizer.bytelevel import SPECIAL_TOKENS, encode_text
from mothertongue.use.complete import SENTENCE_ENDS, CompleteConfig, Completer, open_completer
from mothertongue.use.cursor import find_cursor
from mothertongue.use.personal import Personal
from mothertongue.use.reader import TakenBackError
from mothertongue.use.words import first_word


class Scripted:
    """A model that knows some sentences by heart: the next token of theirs is nearly sure."""

    def __init__(self, tokenizer: Tokenizer, *texts: str, context: int = 128) -> None:
        self.tokenizer, self.end_id, self.context = tokenizer, 0, context
        self.vocab_size, self.ids, self.read = tokenizer.get_vocab_size(), list[int](), 0
        self.known = [[0, *encode_text(tokenizer, text)] for text in texts]

    def session(self) -> Scripted:
        return self

    def extend(self, ids: list[int]) -> np.ndarray:
        self.ids = [*self.ids, *ids]
        self.read += len(ids)
        weights = np.full(self.vocab_size, 1e-9)
        weights[0] = 0.02
        for known in self.known:
            if len(known) > len(self.ids) and known[: len(self.ids)] == self.ids:
                weights[known[len(self.ids)]] += 0.98
        return np.log(weights / weights.sum()).astype(np.float32)

    def crop(self, length: int) -> None:
        self.ids = self.ids[:length]

    def close(self) -> None:
        self.ids = []


SENTENCE = "Vlak do Brna odjíždí v devět hodin, a to z prvního nástupiště."


@pytest.fixture
def scripted(tiny_tokenizer: Tokenizer) -> Scripted:
    return Scripted(tiny_tokenizer, SENTENCE)


@pytest.fixture
def completer(scripted: Scripted) -> Completer:
    return Completer(scripted)


@pytest.fixture(scope="module")
def random_completer(make_engine: Callable[..., Any]) -> Completer:
    return Completer(make_engine())


def test_the_word_is_found_from_every_place_inside_it(completer: Completer) -> None:
    start = SENTENCE.index(" odjíždí")
    for cut in range(start, start + len(" odjíždí")):
        best = completer.words(SENTENCE[:cut], k=1)[0]
        assert (best.word, SENTENCE[:cut] + best.text) == ("odjíždí", SENTENCE[: start + 8])
        assert best.probability > 0.7


def test_the_word_is_found_from_inside_a_letter(completer: Completer) -> None:
    data = SENTENCE.encode()
    cut = data.index("í".encode()) + 1
    best = completer.words(data[:cut], k=1)[0]
    assert (best.word, best.text) == ("odjíždí", "íždí")


def test_a_finished_word_is_followed_by_the_next(completer: Completer) -> None:
    assert completer.words("Vlak", k=1)[0].text == " do"
    assert completer.words("Vlak ", k=1)[0].text == "do"
    assert completer.words("Vlak do Brna odjíždí v devět hodin", k=1)[0].text == ","


def test_a_key_inside_a_word_costs_few_tokens(completer: Completer, scripted: Scripted) -> None:
    completer.words("Vlak do Brna odjí", k=3)
    before = scripted.read
    completer.words("Vlak do Brna odjíž", k=3)
    assert scripted.read - before <= 20
    before = scripted.read
    completer.words("Vlak do Brna odjíž", k=3)
    assert scripted.read == before


@pytest.mark.parametrize(
    ("until", "expected"),
    [("word", "ak"), ("clause", "ak do Brna odjíždí v devět hodin,"), ("sentence", SENTENCE[2:])],
)
def test_a_continuation_goes_as_far_as_it_is_asked_to(completer: Completer, until: str, expected: str) -> None:
    assert completer.continuations("Vl", until=until)[0].text == expected


def test_a_continuation_ends_before_it_is_too_unsure(completer: Completer) -> None:
    whole = completer.continuations("Vl")[0]
    sure = completer.continuations("Vl", confidence=0.5)[0]
    assert whole.text.startswith(sure.text)
    assert whole.probability < 0.5 <= sure.probability
    assert completer.continuations("Vl", confidence=1.0) == []
    assert sure.probability == pytest.approx(np.prod([word.probability for word in sure.words]))


def test_a_continuation_is_at_most_as_long_as_asked(completer: Completer) -> None:
    assert completer.continuations("Vl", max_words=3)[0].text == "ak do Brna"


def test_several_continuations_are_the_likeliest_of_different_ones(tiny_tokenizer: Tokenizer) -> None:
    model = Scripted(tiny_tokenizer, "Vlak jede. A", "Vlak jede domů. A", "Vlak stojí. A")
    found = Completer(model).continuations("Vlak ", k=3)
    assert {one.text for one in found} == {"jede.", "jede domů.", "stojí."}
    assert [one.probability for one in found] == sorted((one.probability for one in found), reverse=True)
    assert all(one.words[-1].word in SENTENCE_ENDS for one in found)


def test_exact_words_have_the_probability_of_all_cuttings(make_engine: Callable[..., Any]) -> None:
    engine = make_engine(sharpness=1.0)
    quick, exact = Completer(engine), Completer(engine, exact=True)
    for word in exact.words("Vlak do Br", k=3):
        assert word.probability == pytest.approx(exact.probability("Vlak do Br", word.text), rel=1e-6)
    rough = {word.word: word.probability for word in quick.words("Vlak do Br", k=3)}
    assert all(p <= exact.probability("Vlak do Br", word[2:]) * 1.3 for word, p in rough.items() if word[:2] == "Br")


@pytest.mark.parametrize(
    "prompt", ["", " ", "\n\n", "\x00\x07", "\u200b", "<|endoftext|>", "🦄", "=" * 500, "a" * 3000]
)
def test_any_prompt_has_words(random_completer: Completer, prompt: str) -> None:
    assert len(random_completer.words(prompt, k=2)) == 2


def test_a_long_word_has_exact_words_too(make_engine: Callable[..., Any]) -> None:
    engine = make_engine()
    prompt = "Nejneobhospodařovávatelněj"
    quick, exact = Completer(engine), Completer(engine, exact=True)
    assert {word.word for word in exact.words(prompt, k=3)} == {word.word for word in quick.words(prompt, k=3)}


def test_a_vocabulary_that_writes_a_space_before_every_text_is_cut_as_the_whole_text() -> None:
    words = ["▁V", "la", "ak", "▁Vla", "▁Vlak", "▁d", "▁do", "▁j", "▁ja"]
    vocabulary = [*SPECIAL_TOKENS, *"▁Vlakdoj", *words]
    merges = [("▁", "V"), ("l", "a"), ("▁V", "la"), ("▁Vla", "k"), ("▁", "d"), ("▁d", "o"), ("▁", "j"), ("▁j", "a")]
    tokenizer = Tokenizer(models.BPE({token: i for i, token in enumerate(vocabulary)}, merges))
    tokenizer.normalizer = normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
    tokenizer.add_special_tokens(list(SPECIAL_TOKENS))
    scripted = Scripted(tokenizer, "Vlak do jaka")
    completer = Completer(scripted)
    for typed in ("Vlak do jak", "Vlak do ja", "Vlak do j", "Vlak do "):
        assert completer.words(typed, k=1)[0].word == "jaka"
    for typed in ("Vl", "V", ""):
        assert completer.words(typed, k=1)[0].word == "Vlak"


def test_a_megabyte_is_read_to_its_end_only(random_completer: Completer) -> None:
    text = "Vlak do Brna jede. " * 55_000
    began = time.process_time()
    found = random_completer.words(text + "Vla", k=2)
    assert time.process_time() - began < 2
    assert len(found) == 2


def test_the_window_of_a_long_text_stays_while_one_types(
    random_completer: Completer, tiny_tokenizer: Tokenizer
) -> None:
    text = "Ráno svítilo slunce a nad řekou ležela mlha. " * 20
    table = random_completer._table
    starts = {
        find_cursor(tiny_tokenizer, table, text[:end], start_id=0, room=100, back=4).text[:20]
        for end in range(600, 640)
    }
    assert len(starts) <= 2
    for end in range(0, len(text), 37):
        cursor = find_cursor(tiny_tokenizer, table, text[:end], start_id=0, room=100, back=4)
        assert len(cursor.whole) <= 100
        assert text[:end].rstrip().endswith(cursor.text.rstrip())


def test_exact_words_after_a_finished_one_are_those_under_that_condition(make_engine: Callable[..., Any]) -> None:
    completer = Completer(make_engine(sharpness=1.0), exact=True)
    finished = completer.probability("Vlak", "")
    for word in completer.words("Vlak", k=3, which="next"):
        ends = word.word[-1].isalnum()
        assert word.probability * finished == pytest.approx(completer.probability("Vlak", word.text, ends=ends))


@pytest.mark.parametrize("context", [8, 20])
def test_a_tiny_context_is_no_end(make_engine: Callable[..., Any], context: int) -> None:
    completer = Completer(make_engine(context=context))
    for prompt in ("", "Vlak do Brna odjíždí v devět", "nejneobhospodařovávatelnějšími", "🦄🦄🦄🦄"):
        assert completer.words(prompt, k=2)


def test_lone_surrogates_and_broken_bytes_are_clear_errors(random_completer: Completer) -> None:
    with pytest.raises(ConfigError, match=r"lone surrogate, U\+D83D, at character 4"):
        random_completer.words("abc\ud83d")
    with pytest.raises(ConfigError, match="no UTF-8"):
        random_completer.words(b"ab\xffcd")


def test_damaged_weights_are_named_as_the_cause(scripted: Scripted, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scripted, "extend", lambda ids: np.full(scripted.vocab_size, np.nan, np.float32))
    with pytest.raises(CheckpointError, match="no numbers"):
        Completer(scripted).words("Vlak")


def test_a_model_that_sees_nothing_but_special_tokens_offers_words_of_no_weight(
    scripted: Scripted, monkeypatch: pytest.MonkeyPatch
) -> None:
    logs = np.full(scripted.vocab_size, -np.inf, np.float32)
    logs[2] = 0.0
    monkeypatch.setattr(scripted, "extend", lambda ids: logs)
    assert all(word.probability <= 1 for word in Completer(scripted).words("Vlak"))


def test_a_question_can_be_taken_back(completer: Completer) -> None:
    with pytest.raises(TakenBackError):
        completer.words("Vlak", cancel=lambda: True)
    assert completer.words("Vlak")


@pytest.mark.parametrize("k", [0, -1, 5000])
def test_a_count_out_of_range_is_refused(completer: Completer, k: int) -> None:
    for ask in (completer.words, completer.continuations):
        with pytest.raises(ConfigError, match=r"1\.\.1000"):
            ask("Vlak", k=k)  # type: ignore[operator]
    with pytest.raises(ConfigError, match="until = 'chapter' is not one of word, clause, sentence"):
        completer.continuations("Vlak", until="chapter")


@pytest.mark.parametrize("settings", [{"personal": math.nan}, {"personal": 2.0}, {"personal": -1.0}])
def test_a_weight_out_of_range_is_refused(scripted: Scripted, settings: dict[str, float]) -> None:
    with pytest.raises(ConfigError, match="personal"):
        Completer(scripted, **settings)  # type: ignore[arg-type]


@pytest.mark.parametrize("settings", [{"confidence": math.nan}, {"max_words": 0}])
def test_a_continuation_out_of_range_is_refused(completer: Completer, settings: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match=next(iter(settings))):
        completer.continuations("Vlak", **settings)


def test_a_rest_is_text_in_the_form_of_the_corpus(random_completer: Completer) -> None:
    whole, taken_apart = (random_completer.probability("Vlak", form) for form in (" č", " c\u030c"))
    assert whole == taken_apart > 0
    with pytest.raises(ConfigError, match="lone surrogate"):
        random_completer.probability("Vlak", "\ud83d")


def test_a_model_without_room_is_refused(make_engine: Callable[..., Any]) -> None:
    with pytest.raises(CheckpointError, match="reads 8 tokens at once; this one reads 7"):
        Completer(make_engine(context=7))


def test_a_completer_is_closed_behind_the_question_that_is_asked(scripted: Scripted) -> None:
    completer, order = Completer(scripted), list[str]()
    asked, may_go_on = threading.Event(), threading.Event()

    def cancel() -> bool:
        asked.set()
        may_go_on.wait(10)
        return False

    def ask() -> None:
        completer.words("Vlak", cancel=cancel)
        order.append("answered")

    def close() -> None:
        completer.close()
        order.append("closed")

    threads = [threading.Thread(target=ask), threading.Thread(target=close)]
    threads[0].start()
    asked.wait(10)
    threads[1].start()
    may_go_on.set()
    for thread in threads:
        thread.join()
    assert order == ["answered", "closed"]


def test_words_of_a_script_with_combining_marks_come_back_whole(scripted: Scripted) -> None:
    own = Personal(0.5)
    own.read("हिन्दी भाषा, हिन्दी ")
    assert [word.word for word in own.mix([], stem="हि", k=3)] == ["हिन्दी"]
    assert first_word(" हिन्दी भाषा") == " हिन्दी"


def test_words_of_the_text_at_hand_come_back_when_asked_to(scripted: Scripted) -> None:
    text = "Xilofonista Brzobohatý hrál. Brzobohatý pak šel. Potom Brz"
    plain, own = Completer(scripted), Completer(scripted, personal=0.5)
    assert "Brzobohatý" not in [word.word for word in plain.words(text, k=3)]
    best = own.words(text, k=3)[0]
    assert (best.word, best.text) == ("Brzobohatý", "obohatý")
    assert sum(word.probability for word in own.words(text, k=10)) <= 1 + 1e-6
    own.know("Krakonoš a Krakonoš. ")
    assert own.words("Krak", k=1)[0].word == "Krakonoš"


def test_a_folder_is_opened_and_completed(tiny_checkpoint: Path) -> None:
    completer = open_completer(tiny_checkpoint)
    assert completer.words("Vla", k=3)
    assert completer.words("Vlak do", k=3) == open_completer(tiny_checkpoint).words("Vlak do", k=3)
    completer.close()


def test_settings_name_the_wrong_value() -> None:
    with pytest.raises(ConfigError, match="confidence"):
        CompleteConfig(confidence=2.0)
