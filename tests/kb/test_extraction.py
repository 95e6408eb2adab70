"""Files → text: what is kept, what is left out, what is refused and in which words."""

import pytest

from services.kernel.errors import Unprocessable
from tests.kb.reading import read

PAGE = """<!doctype html><html lang="zh-CN"><head><title>Title of it</title>
<style>p{color:red}</style></head><body><nav>Menu</nav><main><h1 id="top">Head</h1>
loose <b>bold</b> text<p>One <a href="/x">link</a>.</p><div><ul><li>a</li><li>b</li></ul>
<table><tr><th>k</th><td>v</td></tr></table><pre>x = 1
y = 2</pre></div><script>steal()</script></main><footer>Imprint</footer></body></html>"""


def test_a_page_gives_its_text_without_what_is_around_it() -> None:
    page = read(PAGE.encode(), "page.html")
    assert (page.about.title, page.about.lang) == ("Title of it", "zh-CN")
    assert [(block.kind, block.text) for block in page.blocks] == [
        ("heading", "Head"),
        ("paragraph", "loose bold text"),
        ("paragraph", "One link."),
        ("list", "- a\n- b"),
        ("table", "k | v"),
        ("code", "x = 1\ny = 2"),
    ]
    assert page.blocks[0].anchor == "top"


def test_markdown_keeps_its_source_and_code_is_no_heading() -> None:
    text = "Setext\n======\n\npara `code`\n\n```sh\n# not a heading\n```\n\n| a |\n|---|\n| 1 |\n"
    blocks = read(text.encode(), "a.md").blocks
    assert [block.kind for block in blocks] == ["heading", "paragraph", "code", "table"]
    assert blocks[1].text == "para `code`"
    assert "# not a heading" in blocks[2].text


def test_front_matter_tells_title_address_language_and_the_rest() -> None:
    matter = "title: T\nurl: https://example.com/t\nlang: en\ntags: [a, b]\ndate: 2026-01-02"
    text = f"---\n{matter}\n---\n# H\n\nbody"
    found = read(text.encode(), "a.md")
    assert (found.about.title, found.about.url, found.about.lang) == (
        "T",
        "https://example.com/t",
        "en",
    )
    assert found.about.metadata == {"tags": ["a", "b"], "date": "2026-01-02"}


def test_two_rules_around_text_are_no_front_matter() -> None:
    found = read(b"---\njust: [text\n---\nmore", "a.md")
    assert "just" in " ".join(block.text for block in found.blocks)


def test_text_is_divided_at_empty_lines_and_a_mark_is_dropped() -> None:
    found = read("\ufeffone\r\ntwo\r\n\r\n三".encode(), "a.txt")
    assert [block.text for block in found.blocks] == ["one\ntwo", "三"]


@pytest.mark.parametrize(
    ("source", "content", "words"),
    [
        ("a.xls", b"x", "The format .xls is not supported: use Markdown (.md, .markdown)"),
        ("LICENSE", b"text", "(no suffix)"),
        ("a.md", b"", "empty"),
        ("a.txt", b" \n ", "empty"),
        ("a.txt", "文".encode("gb18030"), "UTF-8"),
        ("a.txt", b"MZ\x00\x01", "binary"),
        ("a.md", b"# Only a heading", "no text"),
        ("a.html", b"<html><script>x()</script></html>", "no text"),
    ],
)
def test_what_cannot_be_read_is_refused_with_the_reason(
    source: str, content: bytes, words: str
) -> None:
    with pytest.raises(Unprocessable) as refused:
        read(content, source)
    assert words in refused.value.message


def test_deeply_nested_html_is_read() -> None:
    found = read(("<div>" * 3000 + "deep" + "</div>" * 3000).encode(), "a.html")
    assert found.blocks[0].text == "deep"


def test_a_paragraph_that_is_a_picture_alone_is_no_passage() -> None:
    text = "# One\n\n![A picture](a.webp)\n\nWords with ![a picture](b.webp).\n\n![A](a) ![B](b)"
    blocks = read(text.encode(), "a.md").blocks
    assert [(block.kind, block.text) for block in blocks] == [
        ("heading", "One"),
        ("paragraph", "Words with ![a picture](b.webp)."),
    ]
