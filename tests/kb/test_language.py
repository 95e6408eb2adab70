"""Languages and scripts, as far as search needs them."""

import pytest

from services.kb.language import language_of, script_of, script_of_language


@pytest.mark.parametrize(
    ("text", "lang", "script"),
    [
        ("How do I back up the data of this thing?", "en", "other"),
        ("如何备份这些数据？", "zh", "cjk"),
        ("使用 Docker 部署 Trivet 时如何备份数据？", "zh", "cjk"),
        ("データをどうやってバックアップしますか", "ja", "cjk"),
        ("데이터를 어떻게 백업합니까", "ko", "cjk"),
        ("Как сделать резервную копию", "ru", "other"),
        ("Donaudampfschifffahrt Kapitän Mütze", "und", "other"),
        ("12 34", "und", "other"),
    ],
)
def test_language_and_script_of_a_text(text: str, lang: str, script: str) -> None:
    assert (language_of(text), script_of(text)) == (lang, script)
    assert script_of_language(lang) == script
