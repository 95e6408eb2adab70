"""Free ports of this machine's loopback."""

import random
import socket

_LASTING = range(20_000, 31_000)  # below the ports that the kernel hands to clients


def free_port() -> int:
    """A port on 127.0.0.1 that nothing holds now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def lasting_port() -> int:
    """A free port that no client's end of a connection takes while its server is away."""
    while True:
        port = random.choice(_LASTING)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        return port


def free_pair() -> tuple[int, int]:
    """A free port and the one of a second instance, 1000 above it, which is free as well."""
    for _ in range(1000):
        port = free_port()
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port + 1000))
            except (OSError, OverflowError):
                continue
            return port, port + 1000
    raise AssertionError("there are no two free ports 1000 apart")
