"""llm_proxy, put together: everything that calls a language model."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import partial

from prometheus_client import CollectorRegistry

from services.kernel.app import Application, build_app
from services.kernel.auth import ensure_token
from services.kernel.background import background
from services.kernel.http_client import NeighbourClient
from services.kernel.outbox import DiskOutbox
from services.llm_proxy.access import Gate
from services.llm_proxy.app_sessions import AppSessions
from services.llm_proxy.assistants import Assistants, parse_assistants
from services.llm_proxy.catalog import Catalog, parse_catalog
from services.llm_proxy.company import Company
from services.llm_proxy.keys.book import Book
from services.llm_proxy.keys.credentials import Credentials
from services.llm_proxy.keys.keyring import Keyring, open_keyring
from services.llm_proxy.keys.vault import open_vault
from services.llm_proxy.keys.visitor import VisitorTokens
from services.llm_proxy.limits import Limiter, SharedMemoryLimiter
from services.llm_proxy.metering import Metering
from services.llm_proxy.meters import Meters
from services.llm_proxy.readiness import readiness
from services.llm_proxy.relay import Relay
from services.llm_proxy.resilience.dispatcher import Dispatcher
from services.llm_proxy.resilience.fleet import Fleet
from services.llm_proxy.resilience.meters import FleetMeters
from services.llm_proxy.routes import operations
from services.llm_proxy.settings import Settings
from services.llm_proxy.state import State
from services.llm_proxy.upstream import Client
from services.llm_proxy.watched_file import WatchedFile
from services.llm_proxy.workflows.library import Library
from services.llm_proxy.workflows.workshop import Workflows, open_library, open_workflows

SERVICE = "llm_proxy"
LOGINS_PER_MINUTE = 10


def create_app(settings: Settings, environ: Mapping[str, str]) -> Application:
    """The service. `environ` fills the `${…}` of the two configuration files.

    Raises ConfigurationError when one of them is missing or broken.
    """
    parts = _Parts.made(settings, environ)
    app = build_app(
        SERVICE,
        settings,
        operations(),
        lambda: parts.live(app),
        readiness,
        registry=parts.registry,
        application=Credentials(parts.book, parts.visitor_tokens),
        is_origin=parts.book.is_origin,
    )
    return app


@dataclass(frozen=True)
class _Parts:
    """What is there before anything runs."""

    settings: Settings
    registry: CollectorRegistry
    catalog: WatchedFile[Catalog]
    assistants: WatchedFile[Assistants]
    library: Library
    book: Book
    visitor_tokens: VisitorTokens

    @classmethod
    def made(cls, settings: Settings, environ: Mapping[str, str]) -> _Parts:
        book = Book(open_vault(settings.fernet_key))
        catalog = partial(
            parse_catalog,
            environ=environ,
            user_agent=settings.user_agent,
            stored_keys=book.provider_keys,
        )
        assistants = partial(parse_assistants, environ=environ)
        interval_seconds = settings.reload_seconds
        models = WatchedFile(settings.models_file, catalog, interval_seconds=interval_seconds)
        return cls(
            settings,
            CollectorRegistry(),
            models,
            WatchedFile(settings.assistants_file, assistants, interval_seconds=interval_seconds),
            open_library(settings, environ, lambda: models.current),
            book,
            VisitorTokens(
                ensure_token(settings.service_token_path),
                max_age_seconds=settings.visitor_token_seconds,
            ),
        )

    @asynccontextmanager
    async def live(self, app: Application) -> AsyncIterator[State]:
        settings, fleet, meters = self.settings, Fleet(), Meters(self.registry)
        self.registry.register(FleetMeters(fleet))
        async with AsyncExitStack() as stack:
            outbox = await stack.enter_async_context(
                DiskOutbox(SERVICE, settings, registry=self.registry)
            )
            limiter = stack.enter_context(SharedMemoryLimiter(settings.limits_dir))
            keyring = await stack.enter_async_context(self._keyring(limiter))
            metering = Metering(outbox, meters, limiter, keyring.ledger)
            stack.callback(metering.flush)
            client = Client(max_connections=settings.max_connections)
            stack.push_async_callback(client.aclose)
            kb = _kb(settings)
            stack.push_async_callback(kb.aclose)
            for watched in (self.catalog, self.assistants):
                await stack.enter_async_context(background(watched.watch(), "watch"))
            yield State(
                settings=settings,
                authenticator=app.authenticator,
                catalog=self.catalog,
                assistants=self.assistants,
                gate=_gate(settings, limiter, self.book),
                app_sessions=AppSessions(settings.app_sessions_path),
                keyring=keyring,
                counts=limiter.table,
                client=client,
                dispatcher=Dispatcher(Relay(client), fleet),
                kb=kb,
                company=Company(kb),
                outbox=outbox,
                meters=meters,
                metering=metering,
                workflows=await stack.enter_async_context(self._workflows(app, kb, outbox)),
            )

    def _workflows(
        self, app: Application, kb: NeighbourClient, outbox: DiskOutbox
    ) -> AbstractAsyncContextManager[Workflows]:
        return open_workflows(
            self.settings,
            self.library,
            kb,
            outbox,
            lambda: self.catalog.current,
            is_stopping=lambda: app.draining,
            registry=self.registry,
        )

    def _keyring(self, limiter: SharedMemoryLimiter) -> AbstractAsyncContextManager[Keyring]:
        return open_keyring(
            self.settings.database_path,
            self.settings.migration_lock_path,
            self.book,
            self.visitor_tokens,
            limiter,
            limiter.table,
            self.catalog.reload,
        )


def _kb(settings: Settings) -> NeighbourClient:
    token = ensure_token(settings.service_token_path)
    timeout_seconds = settings.kb_timeout_seconds
    return NeighbourClient("kb", settings.kb_urls, token, timeout_seconds=timeout_seconds)


def _gate(settings: Settings, limiter: Limiter, book: Book) -> Gate:
    return Gate(
        limiter,
        book,
        settings.anonymous_access,
        chats_per_minute=settings.anonymous_chats_per_minute,
        logins_per_minute=LOGINS_PER_MINUTE,
    )
