"""What a vendor's refusal means for the next attempt, as classes of the kernel's errors.

A caller sees no difference between them and their parents; `resilience` does.
"""

from __future__ import annotations

from services.kernel.errors import Overloaded, RateLimited, UpstreamError

QUOTA_SECONDS = 3600.0  # money or a hard cap: coming again soon does not help


class KeyRefused(UpstreamError):
    """401, 402 or 403: the key is no use here. `everywhere`: for no other model either."""

    def __init__(self, status: int, *, provider: str) -> None:
        super().__init__(f"the provider refused our account ({status}).", provider=provider)
        self.everywhere = status != 403  # 403 may be about the one model


class QuotaUsedUp(RateLimited):
    """A 429 that waiting does not mend."""

    def __init__(self, *, provider: str) -> None:
        super().__init__(
            "The provider's quota is used up.",
            retry_after_seconds=QUOTA_SECONDS,
            provider=provider,
            headers={"X-Should-Retry": "false"},  # obeyed by OpenAI's SDKs
        )


class Throttled(RateLimited):
    """A 429 that passes. `wait_seconds` as the vendor told it; None where it did not."""

    def __init__(self, wait_seconds: float | None, *, provider: str) -> None:
        super().__init__(
            "The provider limits the rate of calls.",
            retry_after_seconds=1.0 if wait_seconds is None else wait_seconds,
            provider=provider,
        )
        self.wait_seconds = wait_seconds


class VendorOverloaded(Overloaded):
    """503 or 529. `wait_seconds` as the vendor told it; None where it did not."""

    def __init__(self, wait_seconds: float | None, *, provider: str) -> None:
        super().__init__(
            "The provider is overloaded.",
            retry_after_seconds=1.0 if wait_seconds is None else wait_seconds,
            provider=provider,
        )
        self.wait_seconds = wait_seconds
