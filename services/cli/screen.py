"""Where tables are shown."""

from rich.console import Console

_PIPE_WIDTH = 200  # a table that is piped is not cut: no line has to fit a screen


def screen() -> Console:
    """The terminal, or what stands in its place."""
    console = Console()
    return console if console.is_terminal else Console(width=_PIPE_WIDTH)
