"""The command line: what it takes and what it refuses."""

import pytest

from bench.__main__ import parser, told
from bench.suites import SUITES


def test_all_usual_suites_run_when_none_is_named() -> None:
    assert parser().parse_args([]).only == ("gateway", "kb", "stack")
    assert set(SUITES) > {"gateway", "kb", "stack"}


def test_suites_and_peers_are_named_with_commas() -> None:
    chosen = parser().parse_args(["--only", "gateway", "--peers", "litellm,portkey"])
    assert chosen.only == ("gateway",)
    assert chosen.peers == ("litellm", "portkey")


@pytest.mark.parametrize(
    "arguments", [["--only", "nothing"], ["--peers", "nginx,else"], ["--rounds", "0"]]
)
def test_unknown_names_and_no_rounds_are_refused(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        parser().parse_args(arguments)
    assert arguments[0] in capsys.readouterr().err


def test_the_docs_tell_golden_files_by_name() -> None:
    given = ["--only", "kb", "--golden", "/tmp/a/en.json,b/zh.json"]
    assert told(given) == ["--only", "kb", "--golden", "en.json,zh.json"]
