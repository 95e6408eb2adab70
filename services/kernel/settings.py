"""The environment, read in one place: a setting has a name, a type, a default and a help text.

A service's settings are a frozen dataclass whose fields are made by `setting`; `read_settings`
fills it from an environment and names every variable that is wrong at once. `table` lists the rows
for the docs and for `.env.example`.
"""

from __future__ import annotations

import os
import types
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

from dotenv import dotenv_values

from services.kernel.errors import ConfigurationError

S = TypeVar("S")
Source = Literal["file", "environment"]  # `.env`, or the process's own environment

_TRUE, _FALSE = {"1", "true", "yes", "on"}, {"0", "false", "no", "off"}


@dataclass(frozen=True)
class Setting:
    """One row of the table: what a variable of the environment means."""

    name: str
    default: Any
    help: str
    parse: Callable[[str], Any] | None = None
    minimum: float | None = None
    maximum: float | None = None
    choices: tuple[str, ...] = ()
    secret: bool = False
    private: bool = False  # no secret, but it says where one lies


def setting(
    name: str,
    default: Any,
    help: str,
    *,
    parse: Callable[[str], Any] | None = None,
    minimum: float | None = None,
    maximum: float | None = None,
    choices: tuple[str, ...] = (),
    secret: bool = False,
    private: bool = False,
) -> Any:
    """A dataclass field that is read from the variable `name`; `parse` raises ValueError."""
    row = Setting(name, default, help, parse, minimum, maximum, choices, secret, private)
    return field(default=default, metadata={"setting": row}, repr=not secret)


def table(settings_class: type) -> list[Setting]:
    """All settings of a class, inherited ones first, in the order in which they are written."""
    return [f.metadata["setting"] for f in fields(settings_class) if "setting" in f.metadata]


class Environ(dict[str, str]):
    """Variables, and which of them are the `.env` file's."""

    written: frozenset[str] = frozenset()


def load_environ(root: Path) -> Environ:
    """The process's environment over the `.env` file in `root`; an empty value counts as unset."""
    path = root / ".env"
    try:
        written = dotenv_values(path, encoding="utf-8") if path.is_file() else {}
    except (OSError, UnicodeDecodeError) as exc:
        raise ConfigurationError(".env cannot be read: it must be a text file in UTF-8") from exc
    merged = Environ({name: value for name, value in written.items() if value})
    given = {name: value for name, value in os.environ.items() if value}
    # PM2 hands on what `make run` was started with; a value that is the file's came from the file.
    merged.written = frozenset(
        name for name in merged if given.get(name, merged[name]) == merged[name]
    )
    merged.update(given)
    return merged


def read_settings(settings_class: type[S], environ: Mapping[str, str]) -> S:
    """Build `settings_class` from `environ`.

    Raises ConfigurationError with one line for each bad variable; a secret's value is never named.
    """
    hints = get_type_hints(settings_class)
    values: dict[str, Any] = {}
    problems: list[str] = []
    for item in fields(settings_class):  # type: ignore[arg-type]  # S is always a dataclass
        row: Setting | None = item.metadata.get("setting")
        if row is None or not environ.get(row.name):
            continue
        try:
            values[item.name] = _checked(row, _parsed(row, hints[item.name], environ[row.name]))
        except ValueError as exc:
            shown = "the value" if row.secret else repr(environ[row.name])
            problems.append(f"{row.name}: {shown} {exc}")
    if problems:
        raise ConfigurationError(*problems)
    settings = settings_class(**values)
    if isinstance(settings, CommonSettings):
        object.__setattr__(settings, "sources", _sources(settings_class, environ))
    return settings


def _sources(settings_class: type, environ: Mapping[str, str]) -> dict[str, Source]:
    written = environ.written if isinstance(environ, Environ) else frozenset()
    given = (row.name for row in table(settings_class) if environ.get(row.name))
    return {name: "file" if name in written else "environment" for name in given}


def _parsed(row: Setting, hint: Any, text: str) -> Any:
    if row.parse is not None:
        return row.parse(text)
    return _by_annotation(hint, text.strip())


def _by_annotation(hint: Any, text: str) -> Any:
    origin = get_origin(hint)
    if origin in (Union, types.UnionType):
        hint = next(arg for arg in get_args(hint) if arg is not type(None))
        origin = get_origin(hint)
    if origin is Literal:
        return _choice(get_args(hint), text)
    if origin is tuple:
        return tuple(part.strip() for part in text.split(",") if part.strip())
    if hint is bool:
        return _boolean(text)
    if hint in (int, float):
        return _number(hint, text)
    return hint(text)


def _choice(allowed: tuple[str, ...], text: str) -> str:
    if text not in allowed:
        raise ValueError(f"is none of {', '.join(allowed)}")
    return text


def _boolean(text: str) -> bool:
    word = text.lower()
    if word not in _TRUE | _FALSE:
        raise ValueError("is not a yes or no (true, false)")
    return word in _TRUE


def _number(kind: type[int] | type[float], text: str) -> int | float:
    try:
        return kind(text.replace("_", ""))
    except ValueError:
        raise ValueError("is not a whole number" if kind is int else "is not a number") from None


def _checked(row: Setting, value: Any) -> Any:
    if row.choices:
        _choice(row.choices, value)
    if row.minimum is not None and value < row.minimum:
        raise ValueError(f"is below {row.minimum:g}")
    if row.maximum is not None and value > row.maximum:
        raise ValueError(f"is above {row.maximum:g}")
    return value


def prefix_path(text: str) -> str:
    """A URL prefix that begins and ends with a slash: `/` or `/~temp/mogine_agent/`."""
    allowed = set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~/")
    if set(text) - allowed or ".." in text or "//" in text:
        raise ValueError("is not a path of letters, digits and - . _ ~ /")
    return f"/{text.strip('/')}/" if text.strip("/") else "/"


def _port(name: str, default: int, what: str) -> Any:
    return setting(name, default, f"Port of {what}, on 127.0.0.1.", minimum=1, maximum=65535)


@dataclass(frozen=True, kw_only=True)
class CommonSettings:
    """What every service reads. Paths are relative to the working directory."""

    data_dir: Path = setting(
        "TRIVET_DATA_DIR", Path("data"), "Folder of all state: databases, index, outbox, tokens."
    )
    run_dir: Path = setting(
        "TRIVET_RUN_DIR", Path("run"), "Folder of rendered configuration, pids and logs."
    )
    instance: int = setting(
        "TRIVET_INSTANCE",
        0,
        "Number of this instance (PM2 sets it); it listens on its port + 1000 × number.",
        minimum=0,
        maximum=9,
    )
    instances: int = setting(
        "TRIVET_INSTANCES", 2, "Instances of each service.", minimum=1, maximum=10
    )
    prefix: str = setting(
        "TRIVET_PREFIX", "/", "Path under which nginx shows everything.", parse=prefix_path
    )
    domain: str = setting(
        "DOMAIN", "", "Host name of the site; once set, nginx serves HTTPS only. Empty: a trial."
    )
    tls_certificate: str = setting(
        "TRIVET_TLS_CERTIFICATE",
        "",
        "Certificate chain (PEM) for DOMAIN. Empty: self-signed.",
        private=True,
    )
    tls_key: str = setting(
        "TRIVET_TLS_KEY", "", "Path of the private key (PEM) of the certificate.", private=True
    )
    log_level: Literal["debug", "info", "warning", "error"] = setting(
        "TRIVET_LOG_LEVEL", "info", "How much is logged: debug, info, warning or error."
    )
    allowed_origins: tuple[str, ...] = setting(
        "TRIVET_ALLOWED_ORIGINS",
        (),
        "Origins of other sites whose pages may call (CORS), separated by commas.",
    )
    http_port: int = setting(
        "TRIVET_HTTP_PORT", 8740, "Port of nginx on a trial machine.", minimum=1, maximum=65535
    )
    llm_proxy_port: int = _port("LLM_PROXY_PORT", 8741, "llm_proxy")
    kb_port: int = _port("KB_PORT", 8739, "kb")
    analytics_port: int = _port("ANALYTICS_PORT", 8742, "analytics")
    chroma_port: int = _port("TRIVET_CHROMA_PORT", 8738, "the Chroma server")
    embedder_port: int = _port("KB_EMBEDDER_PORT", 8744, "the embedder")
    local_model_port: int = _port("LLM_PROXY_LOCAL_MODEL_PORT", 8743, "the local model")
    llm_proxy_urls: tuple[str, ...] = setting(
        "TRIVET_LLM_PROXY_URLS", (), "Base URLs of llm_proxy's instances. Empty: by the ports."
    )
    kb_urls: tuple[str, ...] = setting(
        "TRIVET_KB_URLS", (), "Base URLs of kb's instances. Empty: by the ports."
    )
    analytics_urls: tuple[str, ...] = setting(
        "TRIVET_ANALYTICS_URLS", (), "Base URLs of analytics' instances. Empty: by the ports."
    )
    outbox_max_bytes: int = setting(
        "TRIVET_OUTBOX_MAX_BYTES",
        1024**3,
        "Most bytes of events that wait on disk for analytics, per instance; then new ones drop.",
        minimum=1024**2,
    )
    json_body_max_bytes: int = setting(
        "TRIVET_JSON_BODY_MAX_BYTES", 20 * 1024**2, "Largest JSON body.", minimum=1024
    )
    upload_max_bytes: int = setting(
        "TRIVET_UPLOAD_MAX_BYTES", 100 * 1024**2, "Largest upload.", minimum=1024
    )
    store_answers: bool = setting(
        "TRIVET_STORE_ANSWERS",
        False,
        "Whether the text of answers is kept, redacted as questions are, so that the console shows "
        "conversations whole. Off: only their tokens, times and cost.",
    )
    # Where what is not a default was read, by the variable's name; `read_settings` says so.
    sources: Mapping[str, Source] = field(default_factory=dict, repr=False, compare=False)

    def __post_init__(self) -> None:
        for name in ("llm_proxy", "kb", "analytics"):
            if getattr(self, f"{name}_urls") == ():
                urls = self._instance_urls(getattr(self, f"{name}_port"))
                object.__setattr__(self, f"{name}_urls", urls)

    def _instance_urls(self, port: int) -> tuple[str, ...]:
        return tuple(f"http://127.0.0.1:{port + 1000 * n}" for n in range(self.instances))

    @property
    def admin_token_path(self) -> Path:
        return self.data_dir / "admin-token"

    @property
    def service_token_path(self) -> Path:
        return self.data_dir / "service-token"

    @property
    def secure_cookies(self) -> bool:
        """Whether the site is reached over HTTPS, so that cookies must be Secure."""
        return bool(self.domain)


def instance_port(settings: CommonSettings, base_port: int) -> int:
    """The port on which this instance of a service listens."""
    return base_port + 1000 * settings.instance
