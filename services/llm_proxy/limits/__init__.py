"""How much anybody may use: calls and tokens a minute, calls at once, money a day and a month."""

from services.llm_proxy.limits.limit import Claim, Grant, Limits, Refusal, Room
from services.llm_proxy.limits.limiter import Limiter
from services.llm_proxy.limits.shared_memory import SharedMemoryLimiter

__all__ = [
    "Claim",
    "Grant",
    "Limiter",
    "Limits",
    "Refusal",
    "Room",
    "SharedMemoryLimiter",
]
