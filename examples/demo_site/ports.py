"""Ports for the sites."""

import socket

_LOOPBACK = "127.0.0.1"


def listen_on(wanted: int) -> socket.socket:
    """Returns a socket that listens on loopback: on the port that is wanted, or on another where somebody has that one.

    The port is held from here on: a site that starts at the same time cannot choose the same.
    """
    for port in (wanted, 0):
        found = socket.socket()
        found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            found.bind((_LOOPBACK, port))
            found.listen(socket.SOMAXCONN)
        except OSError:
            found.close()
        else:
            return found
    raise RuntimeError(f"there is no free port on {_LOOPBACK}")


def address_of(listening: socket.socket) -> str:
    """Where browsers find the site that serves on a socket."""
    return f"http://{_LOOPBACK}:{listening.getsockname()[1]}/"
