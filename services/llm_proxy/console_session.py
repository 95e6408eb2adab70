"""The console's session: the administrator's token once, then a signed cookie."""

from __future__ import annotations

from starlette.responses import Response

from services.kernel.auth import CHALLENGE, SESSION_COOKIE, SESSION_MAX_AGE_SECONDS
from services.kernel.errors import Unauthenticated
from services.kernel.rendering import json_response
from services.kernel.routing import Call
from services.llm_proxy.schemas import SessionBody, SessionInfo
from services.llm_proxy.settings import Settings
from services.llm_proxy.state import State


async def log_in(call: Call[State], body: SessionBody) -> Response:
    """Log in with the administrator's token; sets the session cookie"""
    await call.state.gate.admit_login(call.context)
    if not call.state.authenticator.is_admin_token(body.token):
        raise Unauthenticated("The token is not the administrator's.", headers=CHALLENGE)
    response = json_response(SessionInfo(role="administrator"))
    settings = call.state.settings
    response.set_cookie(
        SESSION_COOKIE,
        call.state.authenticator.sessions.issue(),
        max_age=SESSION_MAX_AGE_SECONDS,
        path=settings.prefix,
        secure=settings.secure_cookies,
        httponly=True,
        samesite="strict",
    )
    return response


async def show_session(call: Call[State]) -> SessionInfo:
    """Who is logged in; 401 when nobody is"""
    if call.caller.kind != "administrator":
        raise Unauthenticated("Nobody is logged in.", headers=CHALLENGE)
    return SessionInfo(role="administrator")


async def log_out(call: Call[State]) -> Response:
    """End the session"""
    response = Response(status_code=204)
    settings: Settings = call.state.settings
    response.delete_cookie(
        SESSION_COOKIE,
        path=settings.prefix,
        secure=settings.secure_cookies,
        httponly=True,
        samesite="strict",
    )
    return response
