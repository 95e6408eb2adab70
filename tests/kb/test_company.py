"""The company's file: validated, read again when it is edited, the last good one kept."""

from pathlib import Path

import pytest

from services.kb.company import CompanyFile
from services.kernel.errors import NotFound

SAMPLE = Path(__file__).parents[2] / "library" / "company.yaml"


def test_the_sample_is_valid_in_both_languages() -> None:
    company = CompanyFile(SAMPLE).read()
    assert company.company_info.website == "https://example.com"
    assert company.company_info.name_cn
    assert company.company_info.name_en
    assert company.assistant_info.full_name


def test_an_edit_is_taken_at_once(tmp_path: Path) -> None:
    path = tmp_path / "company.yaml"
    path.write_text(SAMPLE.read_text(encoding="utf-8"), encoding="utf-8")
    file = CompanyFile(path)
    file.read()
    edited = path.read_text(encoding="utf-8").replace("name_en: Trivet Sample", "name_en: Changed")
    path.write_text(edited, encoding="utf-8")
    assert file.read().company_info.name_en == "Changed"
    assert file.check().ok


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ("company_info: [", "not valid YAML"),
        ("a: 1", "company_info"),
        ("company_info: {name_cn: x}\nassistant_info: {name: x, full_name: y}", "website"),
    ],
)
def test_a_bad_edit_is_shown_and_the_last_good_one_serves(
    tmp_path: Path, content: str, problem: str
) -> None:
    path = tmp_path / "company.yaml"
    path.write_text(SAMPLE.read_text(encoding="utf-8"), encoding="utf-8")
    file = CompanyFile(path)
    before = file.read()
    path.write_text(content, encoding="utf-8")
    assert file.read() == before
    assert problem in file.check().detail
    assert not file.check().critical


def test_without_a_file_the_answer_says_which_setting_names_it(tmp_path: Path) -> None:
    file = CompanyFile(tmp_path / "none.yaml")
    with pytest.raises(NotFound, match="KB_COMPANY_FILE"):
        file.read()
    assert not file.check().ok
