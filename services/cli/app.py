"""The `trivet` command. Each command is a thin face over a module of its own name."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from services.cli.client import KbClient, plain_errors, read_common_settings, read_token
from services.cli.evaluate import Request as EvaluationRequest
from services.cli.evaluate import evaluate as run_evaluation
from services.cli.evaluation_table import tables as evaluation_tables
from services.cli.ingest import Outcome, Request
from services.cli.ingest import ingest as run_ingest
from services.cli.keys import keys_cli
from services.cli.plan import BadPath, paths_and_urls
from services.cli.poems import put_poems
from services.cli.rebuild import rebuild as run_rebuild
from services.cli.screen import screen
from services.cli.workflow import workflow_cli

Collection = Annotated[str, typer.Option(help="The collection in kb.")]
Url = Annotated[str, typer.Option(help="kb's base URL. Empty: this machine's, by its settings.")]


def create_cli() -> typer.Typer:
    """The command with all its subcommands."""
    cli = typer.Typer(no_args_is_help=True, add_completion=False, help="Trivet's command line.")
    kb = typer.Typer(no_args_is_help=True, help="The knowledge base.")
    cli.command()(ingest)
    cli.command()(search)
    cli.command()(evaluate)
    cli.command()(poems)
    kb.command()(rebuild)
    cli.add_typer(kb, name="kb")
    cli.add_typer(keys_cli(), name="keys")
    cli.add_typer(workflow_cli(), name="workflow")
    return cli


def ingest(
    paths: Annotated[list[str] | None, typer.Argument(help="Files, folders and URLs.")] = None,
    collection: Collection = "site",
    name: Annotated[str, typer.Option(help="Name of the folder in sources.")] = "",
    url_base: Annotated[str, typer.Option(help="Address under which the files are read.")] = "",
    urls: Annotated[
        Path | None, typer.Option(help="A file with a URL a line, which are ingested, too.")
    ] = None,
    replace: Annotated[bool, typer.Option(help="Allow that all old documents go.")] = False,
    timeout: Annotated[float, typer.Option(help="Seconds to wait; 0: do not.")] = 600.0,
    url: Url = "",
) -> None:
    """Puts files into the knowledge base; again: adds, changes and removes what differs."""
    with _client(url) as client, _bar("Ingesting") as bar:
        request = Request(
            *paths_and_urls(paths or [], urls),
            collection=collection,
            name=name,
            url_base=url_base,
            replace=replace,
            timeout_seconds=timeout,
            max_bytes=client.upload_max_bytes,
        )
        outcome = run_ingest(client, request, bar.show)
    _report(collection, outcome)


def search(
    query: str,
    collection: Collection = "site",
    top_k: Annotated[int, typer.Option(help="How many passages.")] = 3,
    mode: Annotated[str, typer.Option(help="hybrid, dense or lexical.")] = "hybrid",
    min_score: Annotated[float, typer.Option(help="Least relevance, 0 to 1.")] = 0.0,
    as_json: Annotated[bool, typer.Option("--json", help="Print the answer as JSON.")] = False,
    url: Url = "",
) -> None:
    """Finds passages."""
    params: dict[str, str | int | float] = {
        "q": query,
        "collection": collection,
        "top_k": top_k,
        "mode": mode,
        "min_score": min_score,
    }
    with _client(url) as client:
        found = client.call("GET", "/api/search", params=params)
    if as_json:
        typer.echo(json.dumps(found, ensure_ascii=False, indent=2))
        return
    console = Console()
    for result in found["results"]:
        console.print(f"{result['relevance_score']:.2f}  {result['source']}", style="bold")
        console.print(f"      {result['title']}\n      {result['snippet']}\n", markup=False)
    if not found["results"]:
        console.print("Nothing was found.")


def evaluate(
    files: Annotated[
        list[Path],
        typer.Argument(help="SQuAD-shaped JSON, one file a language; or JSONL of golden queries."),
    ],
    collection: Collection = "site",
    mode: Annotated[list[str] | None, typer.Option(help="hybrid, dense, lexical.")] = None,
    no_answer: Annotated[
        bool, typer.Option(help="Ask each question without its documents, too.")
    ] = False,
    url: Url = "",
) -> None:
    """Measures search with golden questions: recall, MRR and nDCG, beside the previous run."""
    modes = mode or ["hybrid", "dense", "lexical"]
    with _client(url) as client, _bar("Evaluating") as bar:
        request = EvaluationRequest(files, collection, modes, no_answer)
        measured = run_evaluation(client, request, bar.show)
    for table in evaluation_tables(measured):
        screen().print(table)


def poems(
    paths: Annotated[list[Path], typer.Argument(help="Files of one poem (YAML), and folders.")],
    url: Url = "",
) -> None:
    """Puts poems into the knowledge base; again: adds and changes what differs."""
    with _client(url) as client, _bar("Poems") as bar:
        outcome = put_poems(client, paths, bar.show)
    for file, reason in outcome.errors:
        typer.echo(f"error: {file}: {reason}", err=True)
    counts = f"{outcome.added} added, {outcome.changed} changed, {outcome.unchanged} unchanged"
    failed = f", {len(outcome.errors)} failed" if outcome.errors else ""
    typer.echo(f"poems and translations: {counts}{failed}")
    if outcome.errors:
        raise typer.Exit(1)


def rebuild(
    collection: Annotated[str, typer.Option(help="Empty: all of them.")] = "",
    url: Url = "",
) -> None:
    """Makes the indexes (vectors and words) anew from the database."""
    with _client(url) as client, _bar("Rebuilding") as bar:
        for name, chunks in run_rebuild(client, collection, bar.show):
            bar.console.print(f"{name}: {chunks} passages rebuilt")


def _report(collection: str, outcome: Outcome) -> None:
    for source, reason in outcome.errors:
        typer.echo(f"error: {source}: {reason}", err=True)
    fetched = f", {outcome.fetched} fetched" if outcome.fetched else ""
    failed = f", {len(outcome.errors)} failed" if outcome.errors else ""
    typer.echo(
        f"{collection}: {outcome.added} added, {outcome.changed} changed, "
        f"{outcome.unchanged} unchanged, {outcome.removed} removed{fetched}{failed}"
    )
    if outcome.errors:
        raise typer.Exit(1)


class _Bar:
    def __init__(self, progress: Progress, what: str) -> None:
        self.console = progress.console
        self._progress = progress
        self._task = progress.add_task(what, total=1.0, detail="")

    def show(self, share: float, detail: str) -> None:
        self._progress.update(self._task, completed=share, detail=detail)


@contextmanager
def _bar(what: str) -> Iterator[_Bar]:
    """A progress bar on stderr, so that what is printed can be piped."""
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f} %"),
        TimeElapsedColumn(),
        TextColumn("{task.fields[detail]}"),
    )
    with Progress(*columns, console=Console(stderr=True)) as progress:
        yield _Bar(progress, what)


@contextmanager
def _client(url: str) -> Iterator[KbClient]:
    """kb's client; what goes wrong becomes one line on stderr and exit code 1."""
    with plain_errors(BadPath):
        settings = read_common_settings()
        urls = (url.rstrip("/"),) if url else settings.kb_urls
        with closing(KbClient(urls, read_token(settings), settings.upload_max_bytes)) as client:
            yield client
