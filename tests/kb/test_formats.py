"""PDF, Word, CSV, JSON and XML: what is kept, where it stands, and what is refused."""

import pytest

from services.kb.extraction import docx as word_reader
from services.kb.extraction.formats import suffix_for
from services.kernel.errors import Unprocessable
from tests.kb import documents
from tests.kb.reading import chunks_of, read


def shown(content: bytes, source: str) -> list[tuple[str, str]]:
    return [(block.kind, block.text) for block in read(content, source).blocks if block.text]


def test_a_pdf_gives_paragraphs_under_its_outline_with_the_page_as_anchor() -> None:
    pages = ["The pot stands on three legs of\niron. It is hot.\nA short one.", "Second page."]
    found = read(documents.pdf(pages, outline=["The trivet", "More"]), "a.pdf")
    assert found.about.metadata == {"pages": 2}
    chunks = chunks_of(found.blocks)
    assert [(chunk.heading_path, chunk.anchor) for chunk in chunks] == [
        (("The trivet",), "page=1"),
        (("More",), "page=2"),
    ]
    assert chunks[0].text.startswith("The pot stands on three legs of iron.")


def test_a_pdf_with_a_password_is_refused() -> None:
    with pytest.raises(Unprocessable, match="protected by a password"):
        read(documents.pdf(["secret"], password="sesame"), "a.pdf")


@pytest.mark.parametrize("content", [b"%PDF-1.7", b"%PDF-1.7\n" + b"\x00" * 5000])
def test_a_broken_pdf_is_refused(content: bytes) -> None:
    with pytest.raises(Unprocessable, match=r"broken|no text"):
        read(content, "a.pdf")


def test_a_pdf_without_text_says_so() -> None:
    with pytest.raises(Unprocessable, match="holds no text"):
        read(documents.pdf([""]), "scan.pdf")


def test_a_word_file_gives_headings_lists_and_tables() -> None:
    found = read(documents.word(), "a.docx")
    assert found.about.title == "Handbook"
    assert [(block.kind, block.level, block.text) for block in found.blocks] == [
        ("heading", 1, "备份"),
        ("paragraph", 0, "先停止，再复制。"),
        ("heading", 2, "How often"),
        ("paragraph", 0, "Once a day is usual."),
        ("list", 0, "- stop\n- copy"),
        ("table", 0, "what | where\ntexts | SQLite"),
    ]


def test_a_word_file_that_unpacks_to_too_much_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(word_reader, "MAX_UNPACKED_BYTES", 2 * 1024**2)
    with pytest.raises(Unprocessable, match="unpacks to more than 2 MiB"):
        read(documents.bomb(3 * 1024**2), "bomb.docx")


def test_a_zip_that_is_no_word_file_is_refused() -> None:
    with pytest.raises(Unprocessable, match=r"broken, or is no \.docx"):
        read(b"PK\x03\x04 something", "a.docx")


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_a_csv_gives_a_record_a_row_with_its_columns_names(delimiter: str) -> None:
    rows = ["name|price", "Trivet|12", "|", '"Pot; big, red"|30']
    text = "\n".join(rows).replace("|", delimiter)
    found = read(text.encode(), "a.csv")
    assert [block.anchor for block in found.blocks if block.kind == "place"] == ["row=2", "row=4"]
    records = [block.text for block in found.blocks if block.kind == "record"]
    assert records == ["name: Trivet\nprice: 12", "name: Pot; big, red\nprice: 30"]


def test_a_csv_with_an_open_quote_is_refused() -> None:
    with pytest.raises(Unprocessable, match="CSV cannot be read from line"):
        read(b'a,b\n1,"open', "a.csv")


def test_json_gives_records_under_the_names_of_what_holds_them() -> None:
    text = """{"title": "FAQ", "lang": "zh", "items": [
        {"q": "备份？", "a": "先停止。", "tags": ["x", "y"]}, {"q": "Why?", "n": 1, "ok": true}
    ]}"""
    found = read(text.encode(), "a.json")
    assert (found.about.title, found.about.lang) == ("FAQ", "zh")
    chunks = chunks_of(found.blocks, 16)
    assert [(chunk.heading_path, chunk.anchor, chunk.text) for chunk in chunks[1:]] == [
        (("items",), "/items/0", "q: 备份？\na: 先停止。\ntags: x, y"),
        (("items",), "/items/1", "q: Why?\nn: 1\nok: true"),
    ]


def test_broken_json_is_refused_with_its_line() -> None:
    with pytest.raises(Unprocessable, match=r"not valid JSON \(line 2\)"):
        read(b'{\n"a": }', "a.json")


SECTIONS = """<?xml version="1.0" encoding="UTF-8"?>
<knowledge_base xml:lang="zh">
  <title>知识库</title>
  <section id="use"><title>使用</title>
    <subsection id="use-start"><title>如何开始</title>
      <content>先安装，
        再启动。</content>
      <solution>make run</solution><url>https://example.com/start</url>
    </subsection>
    <subsection name="Stop"><content>make stop</content></subsection>
  </section>
  <section id="about"><title>关于</title>纯文本</section>
</knowledge_base>"""


def test_xml_sections_become_headings_with_their_ids() -> None:
    found = read(SECTIONS.encode(), "kb.xml")
    assert (found.about.title, found.about.lang) == ("知识库", "zh")
    chunks = chunks_of(found.blocks)
    assert [(chunk.heading_path, chunk.anchor) for chunk in chunks] == [
        (("使用", "如何开始"), "use-start"),
        (("使用", "Stop"), "stop"),
        (("关于",), "about"),
    ]
    assert chunks[0].text == (
        "先安装，\n再启动。\n\nsolution: make run\nurl: https://example.com/start"
    )


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ('<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>', "document type"),
        ('<!DOCTYPE a SYSTEM "file:///etc/passwd"><a>x</a>', "document type"),
        ("<a><b></a>", "not well-formed XML"),
        ("<a>" * 200 + "x" + "</a>" * 200, "nested deeper"),
    ],
)
def test_xml_that_is_hostile_or_broken_is_refused(content: str, words: str) -> None:
    with pytest.raises(Unprocessable, match=words):
        read(content.encode(), "a.xml")


@pytest.mark.parametrize(
    ("source", "content", "words"),
    [
        ("a.md", documents.pdf(["text"]), "The file is PDF, although its name says otherwise"),
        ("a.pdf", b"# Markdown", "The file is not PDF"),
        ("a.docx", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 99, "old Word file"),
        ("a.txt", b"PK\x03\x04zip", "The file is Word"),
    ],
)
def test_a_wrong_suffix_is_told(source: str, content: bytes, words: str) -> None:
    with pytest.raises(Unprocessable, match=words):
        read(content, source)


def test_a_long_markdown_file_is_read_in_parts_as_it_is_whole() -> None:
    section = "## Part\n\n" + "some words\n" * 400 + "\n```\n# no heading\n```\n\n- a\n- b\n\n"
    blocks = read((section * 50).encode(), "long.md").blocks
    assert [block.kind for block in blocks] == ["heading", "paragraph", "code", "list"] * 50


def test_a_media_type_has_a_suffix() -> None:
    assert suffix_for("text/html; charset=gbk") == ".html"
    assert suffix_for("application/pdf") == ".pdf"
    assert suffix_for("image/png") == ""
