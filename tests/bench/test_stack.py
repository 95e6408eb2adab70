"""What the stack and setup suites read out of answers and of `make run`."""

from bench.setup import steps
from bench.stack import has_text

SAID = """\
▸ Python packages (412 MB)
  … uv is still at it (15 s)
  done in 31.4 s
▸ nginx
  done in 0.2 s
Chat: http://127.0.0.1:8740/
"""


def test_the_steps_of_make_run_are_read_with_their_seconds() -> None:
    assert steps(SAID) == [("Python packages (412 MB)", 31.4), ("nginx", 0.2)]


def test_text_is_told_from_other_chunks() -> None:
    assert has_text({"choices": [{"delta": {"content": "a"}}]})
    assert not has_text({"choices": [{"delta": {"role": "assistant", "content": ""}}]})
    assert not has_text({"choices": [], "usage": {}})
