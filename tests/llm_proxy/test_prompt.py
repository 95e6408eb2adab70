"""A prompt fits the model's context: oldest first, sources last."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.kernel.errors import InvalidRequest
from services.llm_proxy.prompt import MESSAGE_TOKENS, Turn, fitted, most_tokens


def turns(*texts: str) -> list[Turn]:
    roles = ("user", "assistant")
    return [{"role": roles[n % 2], "content": text} for n, text in enumerate(texts)]


@pytest.mark.parametrize(
    ("text", "tokens"), [("", 0), ("abc", 1), ("abcd", 2), ("备份", 2), ("备份 data", 4), ("🙂", 1)]
)
def test_tokens_are_estimated_for_both_languages(text: str, tokens: int) -> None:
    assert most_tokens(text) == tokens


def test_what_fits_is_left_alone() -> None:
    found = fitted(turns("a", "b"), ["source"], fixed_tokens=10, budget_tokens=100)
    assert (found.history, found.sources) == (turns("a", "b"), ["source"])
    assert not found.shortened


def test_the_oldest_goes_first_and_no_answer_stays_without_its_question() -> None:
    history = turns("x" * 300, "y" * 30, "z" * 30, "answer")
    found = fitted(history, ["s" * 30], fixed_tokens=0, budget_tokens=60)
    assert found.history == history[2:]
    assert found.sources == ["s" * 30]


def test_sources_go_last_and_the_best_of_them_last_of_all() -> None:
    sources = ["a" * 300, "b" * 300, "c" * 300]
    found = fitted(turns("x" * 300, "y"), sources, fixed_tokens=0, budget_tokens=250)
    assert (found.history, found.sources) == ([], sources[:2])
    found = fitted(turns("x"), sources, fixed_tokens=0, budget_tokens=51)
    assert (found.history, found.sources) == ([], ["a" * 150])
    assert found.shortened


def test_a_question_that_leaves_no_room_is_refused() -> None:
    for sources in ([], ["a" * 300]):
        with pytest.raises(InvalidRequest):
            fitted([], sources, fixed_tokens=90, budget_tokens=80)


TEXTS = st.text(alphabet="ab 备份🙂", max_size=60)


@settings(max_examples=60, deadline=None)
@given(
    history=st.lists(TEXTS, max_size=6),
    sources=st.lists(TEXTS, max_size=4),
    fixed=st.integers(0, 50),
    budget=st.integers(1, 200),
)
def test_whatever_is_asked_the_budget_holds(
    history: list[str], sources: list[str], fixed: int, budget: int
) -> None:
    try:
        found = fitted(turns(*history), sources, fixed_tokens=fixed, budget_tokens=budget)
    except InvalidRequest:
        return
    used = sum(MESSAGE_TOKENS + most_tokens(turn["content"]) for turn in found.history)
    used += sum(1 + most_tokens(source) for source in found.sources)
    assert fixed + used <= budget
    count = len(found.history)
    assert found.history == turns(*history)[len(history) - count :]
    assert len(found.sources) == len(sources) or not found.history
