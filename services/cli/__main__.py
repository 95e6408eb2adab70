"""`python -m services.cli`: the `trivet` command."""

from __future__ import annotations

from services.cli.app import create_cli


def main() -> None:
    """Runs the command line."""
    create_cli()(prog_name="trivet")


if __name__ == "__main__":
    main()
