"""llm_proxy, put together: everything that calls a language model."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial

from prometheus_client import CollectorRegistry

from services.kernel.app import Application, build_app
from services.kernel.auth import ensure_token
from services.kernel.background import background
from services.kernel.http_client import NeighbourClient
from services.kernel.outbox import DiskOutbox
from services.llm_proxy.access import Gate
from services.llm_proxy.assistants import parse_assistants
from services.llm_proxy.catalog import parse_catalog
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

SERVICE = "llm_proxy"
LOGINS_PER_MINUTE = 10


def create_app(settings: Settings, environ: Mapping[str, str]) -> Application:
    """The service. `environ` fills the `${…}` of the two configuration files.

    Raises ConfigurationError when one of them is missing or broken.
    """
    registry = CollectorRegistry()
    catalog = WatchedFile(
        settings.models_file,
        partial(parse_catalog, environ=environ, user_agent=settings.user_agent),
        interval_seconds=settings.reload_seconds,
    )
    assistants = WatchedFile(
        settings.assistants_file,
        partial(parse_assistants, environ=environ),
        interval_seconds=settings.reload_seconds,
    )
    meters = Meters(registry)
    fleet = Fleet()
    registry.register(FleetMeters(fleet))

    @asynccontextmanager
    async def lifespan() -> AsyncIterator[State]:
        async with AsyncExitStack() as stack:
            outbox = await stack.enter_async_context(
                DiskOutbox(SERVICE, settings, registry=registry)
            )
            metering = Metering(outbox, meters)
            stack.callback(metering.flush)
            client = Client(max_connections=settings.max_connections)
            stack.push_async_callback(client.aclose)
            kb = _kb(settings)
            stack.push_async_callback(kb.aclose)
            for watched in (catalog, assistants):
                await stack.enter_async_context(background(watched.watch(), "watch"))
            yield State(
                settings=settings,
                authenticator=app.authenticator,
                catalog=catalog,
                assistants=assistants,
                gate=_gate(settings),
                client=client,
                dispatcher=Dispatcher(Relay(client), fleet),
                kb=kb,
                outbox=outbox,
                meters=meters,
                metering=metering,
            )

    app = build_app(SERVICE, settings, operations(), lifespan, readiness, registry=registry)
    return app


def _kb(settings: Settings) -> NeighbourClient:
    token = ensure_token(settings.service_token_path)
    timeout_seconds = settings.kb_timeout_seconds
    return NeighbourClient("kb", settings.kb_urls, token, timeout_seconds=timeout_seconds)


def _gate(settings: Settings) -> Gate:
    return Gate(
        settings.anonymous_access,
        chats_per_minute=settings.anonymous_chats_per_minute,
        logins_per_minute=LOGINS_PER_MINUTE,
    )
