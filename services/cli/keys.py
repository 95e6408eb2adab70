"""`trivet keys`: virtual keys and providers' keys, over the gateway's `/api/llm/keys`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Annotated, Any

import typer
from rich.table import Table

from services.cli.client import LlmProxyClient, plain_errors, read_common_settings, read_token
from services.cli.screen import screen

_PATH = "/api/llm/keys"
Url = Annotated[
    str, typer.Option(help="llm_proxy's base URL. Empty: this machine's, by its settings.")
]
KeyId = Annotated[str, typer.Argument(help="The key's id, as `trivet keys list` shows it.")]
Models = Annotated[
    list[str] | None,
    typer.Option("--model", help="provider/model, provider/*, assistant/NAME; none: all."),
]
Origins = Annotated[
    list[str] | None, typer.Option("--origin", help="A page's origin: https://www.example.org")
]
Count = Annotated[int | None, typer.Option(min=1)]
Usd = Annotated[float | None, typer.Option(min=0)]


def keys_cli() -> typer.Typer:
    """The commands."""
    cli = typer.Typer(no_args_is_help=True, help="Keys of callers and of providers.")
    cli.command()(create)
    cli.command("list")(list_keys)
    cli.command()(rotate)
    cli.command()(revoke)
    cli.command()(rotate_encryption)
    return cli


def create(
    name: Annotated[str, typer.Argument(help="Whose key it is, for the list.")],
    model: Models = None,
    origin: Origins = None,
    assistant: Annotated[str, typer.Option(help="With --origin: whom pages may talk to.")] = "",
    provider: Annotated[
        str, typer.Option(help="Store this provider's own key, which is asked for.")
    ] = "",
    requests_per_minute: Count = None,
    tokens_per_minute: Count = None,
    concurrent: Count = None,
    daily_budget_usd: Usd = None,
    monthly_budget_usd: Usd = None,
    visitor_requests_per_minute: Count = None,
    expires_at: Annotated[str, typer.Option(help="2027-01-31T00:00:00Z")] = "",
    url: Url = "",
) -> None:
    """Makes a key: for programs; with --origin for pages; with --provider stores a provider's."""
    body: dict[str, Any] = {
        "name": name,
        "kind": "provider" if provider else "publishable" if origin else "application",
        "models": model,
        "origins": origin,
        "assistant": assistant,
        "provider": provider,
        "requests_per_minute": requests_per_minute,
        "tokens_per_minute": tokens_per_minute,
        "concurrent": concurrent,
        "daily_budget_usd": daily_budget_usd,
        "monthly_budget_usd": monthly_budget_usd,
        "visitor_requests_per_minute": visitor_requests_per_minute,
        "expires_at": expires_at,
        "value": _ask_for_value() if provider else None,
    }
    given = {field: value for field, value in body.items() if value not in (None, "", [])}
    with _client(url) as client:
        _show(client.call("POST", _PATH, json=given))


def list_keys(url: Url = "") -> None:
    """Shows all keys, their limits and what they have spent; never a secret."""
    with _client(url) as client:
        items = client.call("GET", _PATH)["items"]
    table = Table("id", "kind", "name", "key", "for", "limits", "today", "month", "last used")
    for item in items:
        table.add_row(*_row(item))
    screen().print(table)


def rotate(
    key_id: KeyId,
    grace_seconds: Annotated[
        int, typer.Option(min=0, help="How long the old secret works on.")
    ] = 0,
    url: Url = "",
) -> None:
    """Gives a key a new secret; a provider's new key is asked for."""
    with _client(url) as client:
        old = client.call("GET", f"{_PATH}/{key_id}")
        body: dict[str, Any] = {"grace_seconds": grace_seconds}
        if old["kind"] == "provider":
            body = {"value": _ask_for_value()}
        _show(client.call("POST", f"{_PATH}/{key_id}/rotate", json=body))


def revoke(key_id: KeyId, url: Url = "") -> None:
    """Ends a key for good."""
    with _client(url) as client:
        client.call("DELETE", f"{_PATH}/{key_id}")
    typer.echo(f"{key_id} is revoked")


def rotate_encryption(url: Url = "") -> None:
    """Encrypts the stored keys of providers under the first key of FERNET_KEY."""
    with _client(url) as client:
        done = client.call("POST", f"{_PATH}/encryption")
    typer.echo(f"{done['renewed']} keys are encrypted anew")
    if done["unreadable"]:
        typer.echo(f"error: {done['unreadable']} keys fit no key of FERNET_KEY", err=True)
        raise typer.Exit(1)


def _ask_for_value() -> str:
    """Asked for, not an argument: arguments are seen in the list of processes."""
    return str(typer.prompt("The provider's key", hide_input=True, err=True)).strip()


def _show(key: dict[str, Any]) -> None:
    """The secret alone on stdout, so that it can be piped; the rest beside it."""
    if "key" not in key:
        typer.echo(f"{key['id']}: the key of {key['provider']} is stored ({key['hint']})")
        return
    typer.echo(f"{key['id']}: this secret is shown once, keep it now:", err=True)
    typer.echo(key["key"])


def _row(item: dict[str, Any]) -> tuple[str, ...]:
    reach = item["provider"] or item["assistant"] or ", ".join(item["models"]) or "all models"
    where = f" on {', '.join(item['origins'])}" if item["origins"] else ""
    return (
        item["id"],
        "revoked" if item["revoked_at"] else item["kind"],
        item["name"],
        item["hint"],
        reach + where,
        _limits(item),
        f"${item['spent_today_usd']:.4f}",
        f"${item['spent_this_month_usd']:.4f}",
        (item["last_used_at"] or "never")[:16],
    )


def _limits(item: dict[str, Any]) -> str:
    words = {
        "requests_per_minute": "{}/min",
        "tokens_per_minute": "{} tokens/min",
        "concurrent": "{} at once",
        "daily_budget_usd": "${:g}/day",
        "monthly_budget_usd": "${:g}/month",
        "visitor_requests_per_minute": "{}/min a visitor",
    }
    parts = [text.format(item[name]) for name, text in words.items() if item[name] is not None]
    if item["expires_at"]:
        parts.append(f"until {item['expires_at'][:16]}")
    return ", ".join(parts) or "none"


@contextmanager
def _client(url: str) -> Iterator[LlmProxyClient]:
    with plain_errors():
        settings = read_common_settings()
        urls = (url.rstrip("/"),) if url else settings.llm_proxy_urls
        with closing(LlmProxyClient(urls, read_token(settings))) as client:
            yield client
