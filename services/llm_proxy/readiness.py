"""Whether llm_proxy can work: its two files, its outbox, kb, and the model that answers by default.

Nothing here is critical: without kb direct chats go on, without analytics events wait on disk.
"""

from __future__ import annotations

from collections.abc import Mapping

from services.kernel.errors import Overloaded, TrivetError
from services.kernel.health import Check
from services.llm_proxy.providers.base import Provider
from services.llm_proxy.resilience.report import health_of
from services.llm_proxy.state import State
from services.llm_proxy.upstream import Request, Timeouts, parse_url

PROBE_SECONDS = 2.0


async def readiness(state: State) -> Mapping[str, Check]:
    """The checks of `/readyz`."""
    return {
        "models": state.catalog.check(),
        "assistants": _assistants(state),
        "workflows": state.workflows.library.check(),
        "keys": state.keyring.book.check(),
        "default_model": await _default_model(state),
        "outbox": state.outbox.check(),
        "kb": await _kb(state),
    }


def _assistants(state: State) -> Check:
    """Whether their file is good and the models that they name can be called."""
    check = state.assistants.check()
    if not check.ok:
        return check
    problems = []
    for assistant in state.assistants.current.all:
        for model in filter(None, (assistant.config.model, assistant.config.rewrite_model)):
            try:
                state.catalog.current.resolve(model, trusted=True).provider.require_key()
            except TrivetError as error:
                problems.append(f"{assistant.model_name}: {error.message}")
    return Check(not problems, " ".join(problems), critical=False)


async def _default_model(state: State) -> Check:
    """Whether a chat without a model's name has somewhere to go; only a local model is asked."""
    try:
        target = state.catalog.current.resolve(None)
        if target.provider.config.adapter == "local":
            await _ask_for_models(state, target.provider)
    except TrivetError as error:
        return Check(False, error.message, critical=False)
    health = health_of(state.dispatcher.fleet, target.provider.name)
    if health.reachable is False:
        detail = f"the last call to {target.provider.name} failed: {health.last_error}"
        return Check(False, detail, critical=False)
    return Check(True, f"{target.provider.name}/{target.model}", critical=False)


async def _ask_for_models(state: State, provider: Provider) -> None:
    origin, base = parse_url(provider.config.base_url)
    request = Request.build("GET", origin, f"{base}/models", [])
    patience = Timeouts(PROBE_SECONDS, PROBE_SECONDS, PROBE_SECONDS, PROBE_SECONDS)
    exchange = await state.client.open(request, patience)
    try:
        if await exchange.head() >= 300:
            raise Overloaded(f"{provider.name} is not ready.")
        while await exchange.read() is not None:
            pass
    finally:
        exchange.abort()


async def _kb(state: State) -> Check:
    """Whether assistants can search."""
    try:
        await state.kb.request("GET", "/livez", timeout_seconds=PROBE_SECONDS)
    except TrivetError as error:
        return Check(False, f"assistants cannot search: {error.message}", critical=False)
    return Check(True, critical=False)
