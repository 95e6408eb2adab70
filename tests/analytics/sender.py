"""A process that records events until it is killed: `python -m tests.analytics.sender FOLDER RUN`.

After each flush it writes into the ledger how many of this run are on disk for sure.
"""

import asyncio
import itertools
import os
import sys
from pathlib import Path

from services.kernel.outbox import DiskOutbox
from services.kernel.settings import CommonSettings, load_environ, read_settings

_BATCH = 40


async def send(folder: Path, run: str) -> None:
    settings = read_settings(CommonSettings, load_environ(folder))
    ledger = os.open(folder / "ledger", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    async with DiskOutbox("llm_proxy", settings) as outbox:
        for first in itertools.count(0, _BATCH):
            for number in range(first, first + _BATCH):
                name = f"{run}-{number}"
                outbox.record("workflow", {"n": name}, request_id=name)
            await outbox.flush()
            os.write(ledger, f"{run} {first + _BATCH}\n".encode())


if __name__ == "__main__":
    asyncio.run(send(Path(sys.argv[1]), sys.argv[2]))
