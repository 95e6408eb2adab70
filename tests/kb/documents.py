"""Small files of each format, made when they are needed."""

import io
import zipfile
from collections.abc import Sequence

import docx
from pypdf import PdfWriter
from pypdf.generic import DecodedStreamObject, DictionaryObject, NameObject


def pdf(pages: Sequence[str], *, password: str = "", outline: Sequence[str] = ()) -> bytes:
    """A PDF with a line of text for each line of a page (ASCII alone)."""
    writer = PdfWriter()
    font = writer._add_object(
        DictionaryObject(
            {
                NameObject("/Type"): NameObject("/Font"),
                NameObject("/Subtype"): NameObject("/Type1"),
                NameObject("/BaseFont"): NameObject("/Helvetica"),
            }
        )
    )
    for text in pages:
        page = writer.add_blank_page(612, 792)
        fonts = DictionaryObject({NameObject("/F1"): font})
        page[NameObject("/Resources")] = DictionaryObject({NameObject("/Font"): fonts})
        lines = "".join(f"({line}) Tj 0 -14 Td " for line in text.split("\n"))
        stream = DecodedStreamObject()
        stream.set_data(f"BT /F1 12 Tf 72 720 Td {lines}ET".encode("ascii"))
        page[NameObject("/Contents")] = writer._add_object(stream)
    for number, title in enumerate(outline):
        writer.add_outline_item(title=title, page_number=number)
    if password:
        writer.encrypt(password, algorithm="AES-256")
    return _written(writer)


def _written(writer: PdfWriter) -> bytes:
    output = io.BytesIO()
    writer.write(output)
    return output.getvalue()


def word() -> bytes:
    """A Word file with a title, headings, a list and a table, in Chinese and English."""
    document = docx.Document()
    document.core_properties.title = "Handbook"
    document.add_heading("备份", 1)
    document.add_paragraph("先停止，再复制。")
    document.add_heading("How often", 2)
    document.add_paragraph("Once a day is usual.")
    document.add_paragraph("stop", style="List Bullet")
    document.add_paragraph("copy", style="List Bullet")
    table = document.add_table(rows=2, cols=2)
    for cell, text in zip(table._cells, ("what", "where", "texts", "SQLite"), strict=True):
        cell.text = text
    output = io.BytesIO()
    document.save(output)
    return output.getvalue()


def bomb(size_bytes: int) -> bytes:
    """A Word file whose text unpacks to so many spaces."""
    output = io.BytesIO()
    original = zipfile.ZipFile(io.BytesIO(word()))
    with original, zipfile.ZipFile(output, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for entry in original.infolist():
            if entry.filename != "word/document.xml":
                archive.writestr(entry, original.read(entry))
        with archive.open("word/document.xml", "w") as file:
            for _ in range(size_bytes // 1024**2):
                file.write(b" " * 1024**2)
    return output.getvalue()
