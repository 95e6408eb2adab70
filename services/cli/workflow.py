"""`trivet workflow`: definitions are checked on this machine, and run by the gateway."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import quote

import orjson
import typer
from rich.table import Table

from services.cli.client import (
    CallFailed,
    LlmProxyClient,
    plain_errors,
    read_common_settings,
    read_token,
)
from services.cli.screen import screen
from services.kernel.errors import ConfigurationError
from services.kernel.settings import load_environ
from services.llm_proxy.catalog import parse_catalog
from services.llm_proxy.settings import Settings
from services.llm_proxy.workflows.library import read_folder
from services.llm_proxy.workflows.workshop import model_problem

_PATH = "/api/v1/workflow"
_MANUAL = "/api/v1/manual/sessions"
Url = Annotated[
    str, typer.Option(help="llm_proxy's base URL. Empty: this machine's, by its settings.")
]


def workflow_cli() -> typer.Typer:
    """The commands."""
    cli = typer.Typer(no_args_is_help=True, help="Work in steps: check, list and run workflows.")
    cli.command()(check)
    cli.command("list")(list_workflows)
    cli.command()(run)
    cli.command()(retry)
    return cli


def check(
    folder: Annotated[
        Path | None, typer.Argument(help="The definitions. Empty: as the settings say.")
    ] = None,
) -> None:
    """Finds every mistake in definitions, prompts and models' names, before a run does."""
    with plain_errors():
        environ = load_environ(Path.cwd())
        settings = Settings.from_env(environ)
        where = folder or settings.workflows_dir
        if not where.is_dir():
            raise CallFailed(f"{where} is no folder")
        reading = read_folder(where, environ, _model_problem(settings, environ))
    for name in reading.workflows:
        typer.echo(f"{name}: good")
    lines = [line for lines in reading.problems.values() for line in lines]
    for line in lines:
        typer.echo(f"error: {line}", err=True)
    if lines:
        raise typer.Exit(1)


def _model_problem(
    settings: Settings, environ: Mapping[str, str]
) -> Callable[[str], str | None] | None:
    """Looks models up in models.yaml. A broken one is an error of its own; then none is checked."""
    try:
        text = settings.models_file.read_text(encoding="utf-8")
        catalog = parse_catalog(text, environ=environ, user_agent=settings.user_agent)
    except (OSError, UnicodeDecodeError, ConfigurationError):
        typer.echo("models.yaml cannot be used: models' names are not checked", err=True)
        return None
    return model_problem(lambda: catalog)


def list_workflows(url: Url = "") -> None:
    """Lists the workflows that the gateway runs, with their inputs and modes."""
    with _client(url) as client:
        items = client.call("GET", f"{_PATH}/definitions")["items"]
    table = Table("workflow", "inputs", "modes", "steps")
    for item in items:
        inputs = [entry["name"] + ("" if entry["required"] else "?") for entry in item["inputs"]]
        poem = ["--poem"] if item["needs_poem"] else []
        columns = ([*poem, *inputs], item["modes"], item["steps"])
        table.add_row(item["name"], *(", ".join(column) for column in columns))
    screen().print(table)


def run(
    name: Annotated[str, typer.Argument(help="The workflow, as its file is named.")],
    inputs: Annotated[
        list[str] | None,
        typer.Option("--input", "-i", help="NAME=VALUE, or NAME=@FILE for a file's text."),
    ] = None,
    mode: Annotated[str, typer.Option(help="Who does the steps. Empty: the default.")] = "",
    poem: Annotated[str, typer.Option(help="Id of the poem, where it works on one.")] = "",
    quiet: Annotated[bool, typer.Option(help="Print the result alone.")] = False,
    url: Url = "",
) -> None:
    """Runs a workflow and shows what its steps write; the result, as JSON, goes to stdout."""
    with _client(url) as client:
        body = {"workflow": name, "inputs": dict(map(_given, inputs or []))}
        body |= {key: value for key, value in {"mode": mode, "poem_id": poem}.items() if value}
        task_id = client.call("POST", f"{_PATH}/tasks", json=body)["task_id"]
        result = _followed(client, task_id, quiet=quiet)
    typer.echo(json.dumps(result, ensure_ascii=False, indent=2))


def retry(
    task_id: Annotated[str, typer.Argument(help="A task that failed or was cancelled.")],
    quiet: Annotated[bool, typer.Option(help="Print the result alone.")] = False,
    url: Url = "",
) -> None:
    """Starts a task again, from its last finished step; the result, as JSON, goes to stdout."""
    with _client(url) as client:
        client.call("POST", f"{_PATH}/tasks/{quote(task_id, safe='')}/retry")
        result = _followed(client, task_id, quiet=quiet)
    typer.echo(json.dumps(result, ensure_ascii=False, indent=2))


def _followed(client: LlmProxyClient, task_id: str, *, quiet: bool) -> Any:
    """The task's result. Raises CallFailed where it comes to none."""
    shown: tuple[str | None, int] = (None, 0)
    for event in client.events(f"{_PATH}/tasks/{task_id}/stream"):
        task = orjson.loads(event.data)
        if event.event == "completed":
            return task["result"]
        if event.event in ("failed", "cancelled"):
            message = (task["error"] or {}).get("message") or f"the task was {event.event}"
            raise CallFailed(f"{message} (to go on: trivet workflow retry {task_id})")
        if task["status"] == "waiting_for_person" and _waits(client, task_id):
            raise CallFailed(f"a person is to go on: GET {_MANUAL}/{task_id}")
        if event.event == "token" and not quiet:
            place = (task["step"], task["attempt"])
            head = "" if place == shown else f"\n── {task['step']}\n"
            typer.echo(head + task["text"], nl=False, err=True)
            shown = place
    raise CallFailed("the stream ended before the task did")


def _waits(client: LlmProxyClient, task_id: str) -> bool:
    """Whether it waits now: a stream begins with what was before."""
    task = client.call("GET", f"{_PATH}/tasks/{task_id}")
    return bool(task["status"] == "waiting_for_person")


def _given(text: str) -> tuple[str, str]:
    """NAME=VALUE or NAME=@FILE. Raises CallFailed."""
    name, equals, value = text.partition("=")
    if not equals:
        raise CallFailed(f"--input {text}: write NAME=VALUE or NAME=@FILE")
    if not value.startswith("@"):
        return name, value
    try:
        return name, Path(value[1:]).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as exc:
        raise CallFailed(f"{value[1:]}: cannot be read as text in UTF-8") from exc


@contextmanager
def _client(url: str) -> Iterator[LlmProxyClient]:
    with plain_errors():
        settings = read_common_settings()
        urls = (url.rstrip("/"),) if url else settings.llm_proxy_urls
        with closing(LlmProxyClient(urls, read_token(settings))) as client:
            yield client
