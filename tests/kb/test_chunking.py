"""Passages: nothing lost, nothing too long, each under its own headings."""

import re

from hypothesis import given, settings
from hypothesis import strategies as st

from services.kb.chunking import chunks_of, estimated_tokens, slug_of
from services.kb.extraction import Block, extract

ENGLISH = "The pot stands on three legs. It does not tip over! Is that not fine?  Yes, it is. "
CHINESE = "三足之鼎立于火上。它不会倾倒！这不是很好吗？是的，很好；真的很好。"

texts = st.text(alphabet="ab c.。！？；，鼎立火\n", min_size=1, max_size=400).filter(str.strip)
kinds = st.sampled_from(["paragraph", "list", "table", "code"])
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
    assert [chunk.position for chunk in chunks] == list(range(len(chunks)))
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
    chunks = chunks_of(extract(text.encode(), "a.md").blocks)
    assert [(chunk.heading_path, chunk.anchor) for chunk in chunks] == [
        (("Guide",), "guide"),
        (("Guide", "备份"), "备份"),
        (("Guide", "备份", "How? (really)"), "how-really"),
        (("Guide", "Other"), "other"),
    ]


def test_a_heading_that_comes_twice_has_two_anchors() -> None:
    chunks = chunks_of(extract(b"# A\n\nx\n\n# A\n\ny", "a.md").blocks)
    assert [chunk.anchor for chunk in chunks] == ["a", "a-1"]


def test_short_blocks_of_one_section_share_a_passage() -> None:
    chunks = chunks_of(extract(b"# A\n\none\n\n- two\n- three\n\n```\nfour\n```", "a.md").blocks)
    assert [chunk.text for chunk in chunks] == ["one\n\n- two\n- three\n\n```\nfour\n```"]


def test_a_long_table_is_cut_between_rows() -> None:
    rows = "\n".join(f"| {number} | value |" for number in range(60))
    chunks = chunks_of([Block("table", rows)], max_tokens=50)
    assert len(chunks) > 3
    assert all(chunk.text.startswith("|") and chunk.text.endswith("|") for chunk in chunks)


def test_a_slug_keeps_letters_of_every_script() -> None:
    assert slug_of("How do I: back up? 备份（一）") == "how-do-i-back-up-备份一"
