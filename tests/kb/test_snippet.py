"""Snippets show the sentences with the query's words, without Markdown's marks."""

from services.kb.search_terms import query_terms
from services.kb.snippet import MAX_CHARACTERS, Snippet, snippet_of

FILLER = "This sentence says nothing that was asked for at all. "


def test_a_short_passage_is_shown_whole_without_marks() -> None:
    text = "Run `make run`, see [the guide](guide.md).\n\n- **now**"
    assert snippet_of(text, []).text == "Run make run, see the guide. now"


def test_the_window_lies_on_the_words_that_were_asked_for() -> None:
    text = FILLER * 10 + "The needle is here. " + FILLER * 10
    shown = snippet_of(text, query_terms("needle")).text
    assert "needle" in shown
    assert shown.startswith("…")
    assert shown.endswith("…")
    assert len(shown) <= MAX_CHARACTERS + 2


def test_chinese_windows_begin_at_a_sentence() -> None:
    text = (
        "这里没有要找的内容，只是一些别的话。" * 20 + "备份要先停止服务。" + "后面还有一些话。" * 30
    )
    assert (
        snippet_of(text, query_terms("备份 停止")).text.lstrip("…").startswith("备份要先停止服务。")
    )


def marked(shown: Snippet) -> list[str]:
    return [shown.text[start:end] for start, end in shown.highlights]


def test_the_querys_words_are_marked_as_they_stand_in_the_text() -> None:
    text = "Backups are made by 備份 tools; a Backup takes **one** minute. 数据备份完成。"
    shown = snippet_of(text, query_terms("backup 数据备份"))
    assert marked(shown) == ["Backups", "備份", "Backup", "数据备份"]


def test_one_character_is_marked_wherever_it_stands() -> None:
    assert marked(snippet_of("修剪枝条，剪。", query_terms("剪"))) == ["剪", "剪"]


def test_nothing_is_marked_where_no_word_is_found() -> None:
    assert marked(snippet_of("Nothing here.", query_terms("zeppelin"))) == []
