"""Events on their way to analytics: recorded in microseconds, kept on disk, sent at least once.

`DiskOutbox` is the real one, `NullOutbox` the one that keeps nothing; both are an `Outbox`.
"""

from services.kernel.outbox.disk import DiskOutbox
from services.kernel.outbox.face import NullOutbox, Outbox

__all__ = ["DiskOutbox", "NullOutbox", "Outbox"]
