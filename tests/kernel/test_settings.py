"""The environment is read in one place and every mistake is named at once."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import pytest

from services.kernel.errors import ConfigurationError
from services.kernel.settings import (
    CommonSettings,
    instance_port,
    load_environ,
    prefix_path,
    read_settings,
    setting,
    table,
)


@dataclass(frozen=True, kw_only=True)
class Sample(CommonSettings):
    ratio: float = setting("SAMPLE_RATIO", 0.5, "A ratio.", minimum=0, maximum=1)
    on: bool = setting("SAMPLE_ON", True, "A switch.")
    mode: Literal["a", "b"] = setting("SAMPLE_MODE", "a", "A choice.")
    names: tuple[str, ...] = setting("SAMPLE_NAMES", (), "A list.")
    key: str = setting("SAMPLE_KEY", "", "A secret.", secret=True, choices=("", "good"))


def test_defaults_hold_where_nothing_is_set() -> None:
    sample = read_settings(Sample, {"SAMPLE_RATIO": ""})
    assert (sample.ratio, sample.on, sample.mode, sample.kb_port) == (0.5, True, "a", 8739)


def test_values_are_parsed_by_their_types() -> None:
    environ = {"SAMPLE_ON": "off", "SAMPLE_NAMES": "x, y,", "TRIVET_OUTBOX_MAX_BYTES": "2_000_000"}
    sample = read_settings(Sample, {**environ, "TRIVET_DATA_DIR": "elsewhere"})
    assert sample.names == ("x", "y")
    assert sample.on is False
    assert sample.outbox_max_bytes == 2_000_000
    assert sample.data_dir == Path("elsewhere")


def test_every_bad_variable_is_named_and_no_secret_shown() -> None:
    environ = {
        "SAMPLE_RATIO": "2",
        "SAMPLE_ON": "perhaps",
        "SAMPLE_MODE": "c",
        "KB_PORT": "many",
        "TRIVET_PREFIX": "/a b/",
        "SAMPLE_KEY": "canary-not-a-key",
    }
    with pytest.raises(ConfigurationError) as caught:
        read_settings(Sample, environ)
    assert len(caught.value.problems) == len(environ)
    for name in environ:
        assert name in str(caught.value)
    assert "canary" not in str(caught.value)
    assert "canary" not in repr(read_settings(Sample, {}))


def test_a_secret_is_not_part_of_the_repr() -> None:
    assert "good" not in repr(read_settings(Sample, {"SAMPLE_KEY": "good"}))


@pytest.mark.parametrize(
    ("text", "path"),
    [("", "/"), ("/", "/"), ("~temp/mogine_agent", "/~temp/mogine_agent/"), ("/a/", "/a/")],
)
def test_a_prefix_begins_and_ends_with_a_slash(text: str, path: str) -> None:
    assert prefix_path(text) == path


@pytest.mark.parametrize("text", ["/a b", "/../x", "//x", "/x;y", "/中"])
def test_a_bad_prefix_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is not a path"):
        prefix_path(text)


def test_neighbours_are_found_by_ports_and_instances() -> None:
    settings = read_settings(Sample, {"KB_PORT": "5000", "TRIVET_INSTANCE": "1"})
    assert settings.kb_urls == ("http://127.0.0.1:5000", "http://127.0.0.1:6000")
    assert instance_port(settings, settings.kb_port) == 6000
    settings = read_settings(Sample, {"TRIVET_KB_URLS": "http://kb.example"})
    assert settings.kb_urls == ("http://kb.example",)


def test_the_environment_wins_over_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / ".env").write_text("TRIVET_A=file\nTRIVET_B='from file'\nTRIVET_C=\n")
    monkeypatch.setenv("TRIVET_A", "process")
    environ = load_environ(tmp_path)
    assert (environ["TRIVET_A"], environ["TRIVET_B"]) == ("process", "from file")
    assert "TRIVET_C" not in environ


def test_a_broken_file_is_one_clear_line(tmp_path: Path) -> None:
    (tmp_path / ".env").write_bytes(b"\xff\xfe\x00A=1")
    with pytest.raises(ConfigurationError, match=r"\.env cannot be read"):
        load_environ(tmp_path)


def test_each_setting_has_a_help_text_and_its_own_name() -> None:
    rows = table(Sample)
    assert all(row.help for row in rows)
    assert len({row.name for row in rows}) == len(rows)
