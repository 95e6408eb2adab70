"""Free ports of this machine's loopback."""

import socket


def free_port() -> int:
    """A port on 127.0.0.1 that nothing holds now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
