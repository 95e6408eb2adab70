"""Questions that lean on what was said before are searched with it."""

from dataclasses import dataclass
from typing import Any

import pytest

from services.llm_proxy.follow_up import (
    earlier_questions,
    in_context,
    leans_on_before,
    merged,
    queries,
)


@dataclass
class Hit:
    id: str


def users(*texts: str) -> list[dict[str, Any]]:
    return [{"role": "user", "content": text} for text in texts]


@pytest.mark.parametrize(
    "question",
    [
        "And how often?",
        "why?",
        "How long does it take?",
        "What about restoring?",
        "Can I change that in the settings later on?",
        "Is there another one that costs less money?",
        "那多少钱？",
        "它支持哪些模型？",
        "为什么？",
        "怎么恢复？",
        "这个需要多长时间才能完成？",
        "备份的文件放在哪里呢？",
        "还有其他办法可以做到吗？",
    ],
)
def test_a_question_that_leans_on_what_was_said_before(question: str) -> None:
    assert leans_on_before(question)


@pytest.mark.parametrize(
    "question",
    [
        "How do I back up the knowledge base?",
        "Which ports does Trivet use by default?",
        "如何备份知识库的数据？",
        "Trivet 默认使用哪些端口？",
        "怎样给网站配置 HTTPS 证书？",
        "为什么启动后的第一次检索比较慢？",
        "Why does the chat say that nothing was found?",
        "How do I check that everything works?",
    ],
)
def test_a_question_that_stands_alone(question: str) -> None:
    assert not leans_on_before(question)


def test_earlier_questions_go_back_to_one_that_stands_alone() -> None:
    standing = "How do I back up the knowledge base?"
    asked = users("Which ports does Trivet use by default?", standing, "And how often?", "Why?")
    assert earlier_questions(asked) == [standing, "And how often?"]
    assert earlier_questions(asked[:1]) == []
    assert earlier_questions([{"role": "assistant", "content": "Hello"}, *users("Why?")]) == []
    assert len(earlier_questions(users(*["why?"] * 9))) == 3
    parts = [{"type": "text", "text": standing}, {"type": "image_url", "image_url": {}}]
    assert earlier_questions([{"role": "user", "content": parts}, *users("Why?")]) == [standing]


def test_the_more_likely_meaning_is_searched_first() -> None:
    before = ["How do I back up the knowledge base?"]
    assert queries("Restoring?", []) == ["Restoring?"]
    assert queries("Restoring?", before) == ["Restoring?", f"{before[0]}\nRestoring?"]
    assert queries("Is it slow?", before) == [f"{before[0]}\nIs it slow?", "Is it slow?"]
    standing = "Which ports does Trivet use by default?"
    assert queries(standing, before) == [standing]


def test_a_query_in_context_ends_with_the_question_and_is_bounded() -> None:
    assert in_context("Why?", ["How?", "And then?"]) == "How?\nAnd then?\nWhy?"
    long = in_context("Why?", ["x" * 300] * 9)
    assert len(long) == 1000
    assert long.endswith("\nWhy?")


def test_lists_are_merged_by_rank_and_what_is_in_both_comes_first() -> None:
    first, second = [Hit("a"), Hit("b"), Hit("c")], [Hit("d"), Hit("c")]
    assert [hit.id for hit in merged([first, second], 9)] == ["c", "a", "d", "b"]
    assert [hit.id for hit in merged([first, second], 2)] == ["c", "a"]
    assert merged([[], []], 3) == []
