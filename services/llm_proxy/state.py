"""What the handlers share, made by the lifespan."""

from __future__ import annotations

from dataclasses import dataclass

from services.kernel.auth import Authenticator
from services.kernel.http_client import NeighbourClient
from services.kernel.outbox import Outbox
from services.llm_proxy.access import Gate
from services.llm_proxy.app_sessions import AppSessions
from services.llm_proxy.assistants import Assistants
from services.llm_proxy.catalog import Catalog
from services.llm_proxy.company import Company
from services.llm_proxy.keys.keyring import Keyring
from services.llm_proxy.limits.table import Table
from services.llm_proxy.metering import Metering
from services.llm_proxy.meters import Meters
from services.llm_proxy.resilience.dispatcher import Dispatcher
from services.llm_proxy.settings import Settings
from services.llm_proxy.upstream import Client
from services.llm_proxy.watched_file import WatchedFile
from services.llm_proxy.workflows.workshop import Workflows


@dataclass(frozen=True, slots=True)
class State:
    """The parts of a running llm_proxy."""

    settings: Settings
    authenticator: Authenticator
    catalog: WatchedFile[Catalog]
    assistants: WatchedFile[Assistants]
    gate: Gate
    app_sessions: AppSessions
    keyring: Keyring
    counts: Table
    client: Client
    dispatcher: Dispatcher
    kb: NeighbourClient
    company: Company
    outbox: Outbox
    meters: Meters
    metering: Metering
    workflows: Workflows
