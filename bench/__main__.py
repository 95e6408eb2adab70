"""Measure what there is to measure: `python -m bench`, or `make bench`."""

import argparse
import shlex
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import orjson
from rich.console import Console

from bench.machine import examine
from bench.options import Options, Unavailable
from bench.peers import PEERS
from bench.report import Result, show, write
from bench.suites import SUITES

ROOT = Path(__file__).resolve().parent.parent
DOCUMENT = ROOT / "docs" / "benchmarks.md"


def parser() -> argparse.ArgumentParser:
    known = "\n".join(f"  {name:<10} {suite.summary}" for name, suite in SUITES.items())
    made = argparse.ArgumentParser(
        prog="python -m bench",
        description=f"Trivet's benchmarks. Suites:\n{known}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    made.add_argument(
        "--quick", action="store_true", help="three minutes; prints, and leaves the docs alone"
    )
    made.add_argument("--rounds", type=positive, help="how often each work is done (default 5)")
    made.add_argument("--events", type=positive, help="records of the analytics suite (10 million)")
    usual = tuple(name for name, suite in SUITES.items() if suite.by_default)
    made.add_argument("--only", type=names(SUITES), default=usual, metavar="SUITE,…")
    made.add_argument(
        "--peers",
        type=names(PEERS),
        default=(),
        metavar="PEER,…",
        help=f"measure these too, installing what is missing: {', '.join(PEERS)}",
    )
    made.add_argument(
        "--golden",
        type=lambda text: tuple(part for part in text.split(",") if part),
        default=(),
        metavar="FILE,…",
        help="SQuAD-shaped files, one a language, to measure kb's quality with",
    )
    return made


def positive(text: str) -> int:
    if (number := int(text)) < 1:
        raise argparse.ArgumentTypeError("must be 1 or more")
    return number


class names:  # noqa: N801 - used as a function, as argparse's types are
    """Words between commas, each of which must be known."""

    def __init__(self, known: object) -> None:
        self.known = list(known)  # type: ignore[call-overload]

    def __call__(self, text: str) -> tuple[str, ...]:
        given = tuple(word for word in text.split(",") if word)
        for word in given:
            if word not in self.known:
                raise argparse.ArgumentTypeError(f"{word} is none of {', '.join(self.known)}")
        return given


def main(arguments: Sequence[str]) -> int:
    """Run the suites; 0 when all that were asked for could be measured."""
    chosen = parser().parse_args(arguments)
    command = shlex.join(["python", "-m", "bench", *told(arguments)])
    machine = examine(command).sentence()
    folder = ROOT / "run" / "bench" / time.strftime("%Y%m%d-%H%M%S")
    folder.mkdir(parents=True)
    options = Options(
        folder=folder,
        console=Console(),
        quick=chosen.quick,
        rounds=chosen.rounds,
        peers=chosen.peers,
        golden=chosen.golden,
        events=chosen.events,
    )
    options.console.print(machine)
    lacking = 0
    for name in chosen.only:
        try:
            result = SUITES[name].run(options)
        except Unavailable as exc:
            options.console.print(f"[yellow]{name} was left out: {exc}[/yellow]")
            lacking += 1
            continue
        finish(result, machine, options)
    return 1 if lacking == len(chosen.only) else 0


def told(arguments: Sequence[str]) -> list[str]:
    """The arguments as the docs tell them: golden files by name, wherever they lay."""
    before = ["", *arguments]
    return [
        ",".join(Path(part).name for part in argument.split(","))
        if last == "--golden"
        else argument
        for last, argument in zip(before, arguments, strict=False)
    ]


def finish(result: Result, machine: str, options: Options) -> None:
    """Print the result, keep what was measured, and write the docs unless it was a quick look."""
    show(result, options.console)
    raw = options.folder / f"{result.suite}.json"
    raw.write_bytes(orjson.dumps({"machine": machine, "measured": result.raw}))
    options.console.print(f"Everything that was measured: {raw.relative_to(ROOT)}")
    if not options.quick:
        write(result, machine, DOCUMENT)
        options.console.print(f"Written: {DOCUMENT.relative_to(ROOT)}")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
