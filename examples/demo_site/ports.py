"""Ports for the sites."""

import socket


def port_or_another(wanted: int) -> int:
    """Returns a port on loopback that nobody has: the one that is wanted, if it is free."""
    for port in (wanted, 0):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            found: int = probe.getsockname()[1]
            return found
    raise RuntimeError("there is no free port on 127.0.0.1")
