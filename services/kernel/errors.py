"""The one error tree. A foreign error is translated into it once, where it is met (`from exc`).

    TrivetError
    ├── InvalidRequest        400  invalid_request_error
    ├── Unauthenticated       401  authentication_error
    ├── PermissionDenied      403  permission_error
    ├── NotFound              404  not_found_error
    ├── MethodNotAllowed      405  invalid_request_error
    ├── Conflict              409  conflict_error
    ├── PayloadTooLarge       413  payload_too_large
    ├── Unprocessable         422  invalid_request_error
    ├── RateLimited           429  rate_limit_error
    ├── InternalError         500  internal_error
    ├── UpstreamError         502  proxy_error
    ├── Overloaded            503  overloaded_error
    └── UpstreamTimeout       504  timeout_error
    ConfigurationError             ends a process at start-up with exit code 78 (EX_CONFIG)

A message is written for the caller: it holds no exception's text, no key, no path of the disk.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import ClassVar


class TrivetError(Exception):
    """An error of the HTTP contract: `status` and `type` by class, the words for the caller."""

    status: ClassVar[int] = 500
    type: ClassVar[str] = "internal_error"
    prefix: ClassVar[str] = ""  # how the contract has every message of a class begin

    def __init__(
        self,
        message: str,
        *,
        param: str | None = None,
        provider: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        text = message if message.startswith(self.prefix) else self.prefix + message
        super().__init__(text)
        self.message = text
        self.param = param
        self.provider = provider
        self.headers: dict[str, str] = dict(headers or {})


class _Retryable(TrivetError):
    """An error after which the caller may come again: carries `Retry-After` in whole seconds."""

    def __init__(
        self,
        message: str,
        *,
        retry_after_seconds: float = 1.0,
        param: str | None = None,
        provider: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message, param=param, provider=provider, headers=headers)
        self.headers.setdefault("Retry-After", str(max(1, math.ceil(retry_after_seconds))))


class InvalidRequest(TrivetError):
    status, type = 400, "invalid_request_error"


class Unauthenticated(TrivetError):
    status, type = 401, "authentication_error"


class PermissionDenied(TrivetError):
    status, type = 403, "permission_error"


class NotFound(TrivetError):
    status, type = 404, "not_found_error"


class MethodNotAllowed(TrivetError):
    status, type = 405, "invalid_request_error"


class Conflict(TrivetError):
    status, type = 409, "conflict_error"


class PayloadTooLarge(TrivetError):
    status, type = 413, "payload_too_large"


class Unprocessable(TrivetError):
    status, type = 422, "invalid_request_error"


class RateLimited(_Retryable):
    status, type = 429, "rate_limit_error"


class InternalError(TrivetError):
    status, type = 500, "internal_error"


class UpstreamError(TrivetError):
    """An upstream refused or broke. The contract fixes how its message begins."""

    status, type = 502, "proxy_error"
    prefix = "API proxy error: "


class Overloaded(_Retryable):
    status, type = 503, "overloaded_error"


class UpstreamTimeout(TrivetError):
    status, type = 504, "timeout_error"


class ConfigurationError(Exception):
    """A setting or a configuration file that cannot be used; one line for each problem.

    Raised at start-up only. The process prints it and exits with 78, which PM2 does not restart.
    """

    def __init__(self, *problems: str) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems
