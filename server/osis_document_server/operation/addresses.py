"""Addresses to listen on: whether one can be had is found out before anything else is done."""

import errno
import os
import socket
import stat
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Self


class AddressUnavailableError(OSError):
    """The server cannot listen where it should."""


class Reservation:
    """An address that is free, and kept so from the constructor to ``__exit__``.

    Its sockets are bound and never listen: processes of the same user that ask for SO_REUSEPORT can listen on it together, and no
    other server can have it.

    Args:
        address: ``host:port`` (port 0: any free one) or ``unix:path``.

    Raises:
        AddressUnavailableError: another program listens there, or it is not this host's.
    """

    def __init__(self, address: str) -> None:
        self._sockets = ExitStack()
        #: The same, with the port that it got.
        self.address = address
        with self._sockets:  # those that were bound before one that could not be
            if address.startswith("unix:"):
                _require_unused(Path(address.removeprefix("unix:")))
            else:
                self._bind(address)
            self._sockets = self._sockets.pop_all()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, exc_type: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None) -> None:
        self._sockets.close()

    def _bind(self, address: str) -> None:
        host, _, text = address.rpartition(":")
        port, not_here = int(text), None
        try:
            places = socket.getaddrinfo(host.strip("[]"), port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        except socket.gaierror as exc:
            raise AddressUnavailableError(
                f"cannot listen on {address}: the host's name cannot be resolved ({exc.strerror})"
            ) from exc
        bound = False
        for family, kind, protocol, _, place in places:
            try:
                one = self._sockets.enter_context(socket.socket(family, kind, protocol))
                # All addresses of a name get the same port.
                one_port = _bind(one, str(place[0]), port)
            except OSError as exc:
                if exc.errno not in {errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT}:
                    raise _unavailable(address, exc) from exc
                not_here = exc  # a name may stand for addresses of which this host has some
            else:
                bound, port = True, one_port
        if not bound:
            raise _unavailable(address, not_here or OSError(errno.EADDRNOTAVAIL, os.strerror(errno.EADDRNOTAVAIL)))
        self.address = f"{host}:{port}"


def _bind(one: socket.socket, host: str, port: int) -> int:
    """Binds exclusively, then allows others to share; returns the port."""
    # Connections of a server that has just ended do not count; somebody who listens does.
    one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    one.bind((host, port))
    one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 0)
    one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    return int(one.getsockname()[1])


def _require_unused(path: Path) -> None:
    """Raises ``AddressUnavailableError`` if somebody answers on a socket file: gRPC would silently take it from them."""
    address = f"unix:{path}"
    if not path.parent.is_dir():
        raise AddressUnavailableError(f"cannot listen on {address}: there is no folder {path.parent}")
    try:
        is_socket = stat.S_ISSOCK(path.lstat().st_mode)
    except FileNotFoundError:
        return
    if not is_socket:
        raise AddressUnavailableError(f"cannot listen on {address}: there is a file which is no socket")
    try:
        with socket.socket(socket.AF_UNIX) as probe:
            probe.connect(str(path))
    except ConnectionRefusedError:
        return  # left behind by a server that was killed
    except OSError as exc:
        raise _unavailable(address, exc) from exc
    raise AddressUnavailableError(f"cannot listen on {address}: another program does")


def _unavailable(address: str, exc: OSError) -> AddressUnavailableError:
    why = {
        errno.EADDRINUSE: "another program does",
        errno.EADDRNOTAVAIL: "it is not this host's",
        errno.EACCES: "only root may",
    }.get(exc.errno or 0, (exc.strerror or str(exc)).lower())
    return AddressUnavailableError(f"cannot listen on {address}: {why}")
