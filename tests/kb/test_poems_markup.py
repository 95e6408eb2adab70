"""Tags go, and every other byte stays."""

import re

import nh3
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.kb.poems.markup import without_tags

# What tags are made of, and what a careless undoing of a parser's escapes would change.
PIECES = st.sampled_from(
    ["<", ">", "a", "b", "script", "/", " ", "=", '"', "'", "!", "--", "?", "3", "<b>", "</b>",
     "<!-- ", "&", "&amp;", "&lt;", "&lt;b&gt;", "&#60;", "\r\n", "\r", "\t", "\x00", "\u00a0",
     "月"]
)  # fmt: skip
TANGLES = st.lists(PIECES, max_size=30).map("".join)
TAG = re.compile(r"</?[A-Za-z][^>]*>")


@given(st.text(max_size=200).filter(lambda text: "<" not in text or ">" not in text))
@settings(max_examples=100, deadline=None)
def test_a_text_without_tags_stays_byte_for_byte(text: str) -> None:
    assert without_tags(text) == text


@given(TANGLES)
@settings(max_examples=150, deadline=None)
def test_no_tag_is_left_of_any_tangle_and_nothing_is_added(text: str) -> None:
    clean = without_tags(text)
    assert not TAG.search(clean)
    assert "<!--" not in clean or ">" not in clean.partition("<!--")[2]
    assert without_tags(clean) == clean
    rest = iter(text)
    assert all(character in rest for character in clean), "a subsequence of what came in"


@given(st.lists(st.text("静夜 \r\n\t&;<3>=\u00a0", min_size=1, max_size=9), min_size=1, max_size=6))
@settings(max_examples=100, deadline=None)
def test_what_stands_between_tags_stays_byte_for_byte(parts: list[str]) -> None:
    text = "<p class='a > b'>" + "<br/>".join(parts) + "</p>"
    assert without_tags(text) == "".join(parts)


@given(TANGLES)
@settings(max_examples=100, deadline=None)
def test_the_parser_sees_no_element_in_what_is_left(text: str) -> None:
    """The text is closed first, since the parser drops what follows an unclosed tag; and what it
    takes for a faulty comment (`</3`) is not what it is asked about."""
    clean = re.sub("<[/!?]", "  ", without_tags(text + ">"))
    seen = nh3.clean(clean.replace("&", "&amp;"), tags=set())
    assert seen.count("&lt;") == clean.count("<")


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("<b>bold</b> & <i>thin</i>", "bold & thin"),
        ("<script>alert(1)</script>月", "alert(1)月"),
        ("1 < 2 && 3 > 2", "1 < 2 && 3 > 2"),
        ("I <3 you", "I <3 you"),
        ("I </3 you -> me", "I </3 you -> me"),
        ("x<y", "x<y"),
        ("&amp; &lt;b&gt; &copy; &nbsp;", "&amp; &lt;b&gt; &copy; &nbsp;"),
        ("  one\r\n\ttwo\r  three\n", "  one\r\n\ttwo\r  three\n"),
        ('<img alt="a > b" src=x onerror=alert(1)>moon', "moon"),
        ('<img alt="a > b', ' b'),
        ("<<b>script>alert(1)<</b>/script>", "alert(1)"),
        ("<scr<script>ipt>x", "ipt>x"),
        ("<title><b>x</b></title><table>y", "xy"),
        ("<template>kept</template>", "kept"),
        ("a<!-- b > c -->d<!-- e > f", "ad f"),
        ("<!DOCTYPE html><?xml version='1.0'?>x", "x"),
        ("", ""),
    ],
)  # fmt: skip
def test_examples(text: str, left: str) -> None:
    assert without_tags(text) == left


@pytest.mark.parametrize("piece", ["<", "<b>", '<a b="', "<!-- -", "<a ", "</", "<3>"])
def test_a_long_tangle_is_worked_through_once(piece: str) -> None:
    text = piece * (50_000 // len(piece)) + "b>" * 100
    assert not TAG.search(without_tags(text))
