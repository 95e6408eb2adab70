"""Passages: nothing lost, nothing too long, each under its own headings."""

import re

from hypothesis import given, settings
from hypothesis import strategies as st

from services.kb.chunking import (
    Sections,
    Window,
    estimated_tokens,
    packed,
    pieces_of,
    slug_of,
)
from services.kb.extraction.block import Block
from tests.kb.reading import chunks_of, read

ENGLISH = "The pot stands on three legs. It does not tip over! Is that not fine?  Yes, it is. "
CHINESE = "三足之鼎立于火上。它不会倾倒！这不是很好吗？是的，很好；真的很好。"

texts = st.text(alphabet="ab c.。！？；，鼎立火\n", min_size=1, max_size=400).filter(str.strip)
# A table says its header again in each passage: see below.
kinds = st.sampled_from(["paragraph", "list", "record", "code"])
blocks = st.lists(
    st.one_of(
        st.builds(Block, kind=kinds, text=texts),
        st.builds(
            Block,
            kind=st.just("heading"),
            text=st.sampled_from(["Alpha", "Beta", "三"]),
            level=st.integers(1, 6),
        ),
    ),
    max_size=8,
)


def squeezed(text: str) -> str:
    return re.sub(r"\s", "", text)


@settings(max_examples=150, deadline=None)
@given(blocks=blocks, max_tokens=st.integers(8, 60))
def test_every_character_is_in_exactly_one_passage_and_none_is_too_long(
    blocks: list[Block], max_tokens: int
) -> None:
    chunks = chunks_of(blocks, max_tokens)
    whole = "".join(block.text for block in blocks if block.kind != "heading")
    assert squeezed("".join(chunk.text for chunk in chunks)) == squeezed(whole)
    for chunk in chunks:
        assert chunk.text.strip()
        assert estimated_tokens(chunk.text) <= max_tokens


@settings(max_examples=50, deadline=None)
@given(blocks=blocks)
def test_anchors_are_unique_to_their_section(blocks: list[Block]) -> None:
    sections = {(chunk.anchor, chunk.heading_path) for chunk in chunks_of(blocks)}
    anchors = [anchor for anchor, _ in sections if anchor]
    assert len(anchors) == len(set(anchors))


def test_long_chinese_is_cut_at_sentence_ends() -> None:
    chunks = chunks_of([Block("paragraph", CHINESE * 20)], max_tokens=60)
    assert len(chunks) > 5
    assert all(chunk.text[-1] in "。！？；" for chunk in chunks)


def test_long_english_is_cut_at_sentence_ends() -> None:
    chunks = chunks_of([Block("paragraph", ENGLISH * 20)], max_tokens=40)
    assert len(chunks) > 5
    assert all(chunk.text[-1] in ".!?" for chunk in chunks)


def test_a_long_section_leaves_no_crumb_at_its_end() -> None:
    sizes = range(12, 40)
    for sentences in sizes:
        chunks = chunks_of([Block("paragraph", "鼎立于火上不会倾倒。" * sentences)], max_tokens=80)
        tokens = [chunk.tokens for chunk in chunks]
        assert min(tokens) * 2 > max(tokens), tokens


def test_a_passage_carries_its_headings_and_their_anchor() -> None:
    text = (
        "# Guide\n\nintro\n\n## 备份\n\n如何备份。\n\n### How? (really)\n\nstop it\n\n## Other\n\nx"
    )
    chunks = chunks_of(read(text.encode(), "a.md").blocks)
    assert [(chunk.heading_path, chunk.anchor) for chunk in chunks] == [
        (("Guide",), "guide"),
        (("Guide", "备份"), "备份"),
        (("Guide", "备份", "How? (really)"), "how-really"),
        (("Guide", "Other"), "other"),
    ]


def test_a_heading_that_comes_twice_has_two_anchors() -> None:
    chunks = chunks_of(read(b"# A\n\nx\n\n# A\n\ny", "a.md").blocks)
    assert [chunk.anchor for chunk in chunks] == ["a", "a-1"]


def test_short_blocks_of_one_section_share_a_passage() -> None:
    chunks = chunks_of(read(b"# A\n\none\n\n- two\n- three\n\n```\nfour\n```", "a.md").blocks)
    assert [chunk.text for chunk in chunks] == ["one\n\n- two\n- three\n\n```\nfour\n```"]


def test_a_long_table_is_cut_between_rows() -> None:
    rows = "\n".join(f"| {number} | value |" for number in range(60))
    chunks = chunks_of([Block("table", rows)], max_tokens=50)
    assert len(chunks) > 3
    assert all(chunk.text.startswith("|") and chunk.text.endswith("|") for chunk in chunks)


def test_each_passage_of_a_long_table_has_its_header() -> None:
    header = "| number | words |\n|---|---|"
    rows = "\n".join(f"| {number} | some value |" for number in range(60))
    chunks = chunks_of([Block("table", f"{header}\n{rows}")], max_tokens=80)
    assert len(chunks) > 3
    assert all(chunk.text.startswith(header) for chunk in chunks)
    assert all(chunk.text.count("number") == 1 for chunk in chunks)
    assert all(estimated_tokens(chunk.text) <= 80 for chunk in chunks)


def test_rows_of_data_are_few_in_a_passage() -> None:
    blocks = [Block("record", f"question: {n}? " + "some words " * 20) for n in range(9)]
    chunks = chunks_of(blocks)
    assert len(chunks) > 4


def test_a_place_is_the_anchor_of_the_passage_that_begins_there() -> None:
    pages = [
        block
        for number in range(1, 5)
        for block in (
            Block("place", "", anchor=f"page={number}"),
            Block("paragraph", f"Words of page {number}. " * 30),
        )
    ]
    chunks = chunks_of(pages, max_tokens=200)
    assert [chunk.anchor for chunk in chunks] == ["page=1", "page=2", "page=3", "page=4"]
    assert chunks[1].text.startswith("Words of page 2")


def test_a_section_without_end_is_worked_on_in_parts() -> None:
    sections = Sections()
    windows = list(sections.feed(Block("paragraph", "word " * 1000) for _ in range(100)))
    assert len(windows) >= 7
    assert all(window.characters < 70_000 for window in windows)


def test_a_piece_that_is_longer_than_estimated_is_cut() -> None:
    window = Window((), "", [(Block("paragraph", "word " * 100), "")])
    (piece,) = pieces_of(window, 400)
    chunks = list(packed(window, [piece], [1000], 400))
    assert len(chunks) >= 3
    assert all(chunk.tokens <= 400 for chunk in chunks)
    assert "".join(chunk.text for chunk in chunks).count("word") == 100


def test_a_slug_keeps_letters_of_every_script() -> None:
    assert slug_of("How do I: back up? 备份（一）") == "how-do-i-back-up-备份一"
