"""Snippets show the sentences with the query's words, without Markdown's marks."""

from services.kb.snippet import MAX_CHARACTERS, snippet_of

FILLER = "This sentence says nothing that was asked for at all. "


def test_a_short_passage_is_shown_whole_without_marks() -> None:
    text = "Run `make run`, see [the guide](guide.md).\n\n- **now**"
    assert snippet_of(text, set()) == "Run make run, see the guide. now"


def test_the_window_lies_on_the_words_that_were_asked_for() -> None:
    text = FILLER * 10 + "The needle is here. " + FILLER * 10
    shown = snippet_of(text, {"needle"})
    assert "needle" in shown
    assert shown.startswith("…")
    assert shown.endswith("…")
    assert len(shown) <= MAX_CHARACTERS + 2


def test_chinese_windows_begin_at_a_sentence() -> None:
    text = (
        "这里没有要找的内容，只是一些别的话。" * 20 + "备份要先停止服务。" + "后面还有一些话。" * 30
    )
    assert snippet_of(text, {"备份", "停止"}).lstrip("…").startswith("备份要先停止服务。")
