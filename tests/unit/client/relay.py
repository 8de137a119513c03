"""A wire that can be cut."""

from __future__ import annotations

import socket
import threading
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from typing import Any


class Relay:
    """Passes bytes between a client and the server, and cuts the wire after so many bytes if it is told to."""

    def __init__(self, port: int) -> None:
        self._server_port = port
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._threads: list[threading.Thread] = []
        self.port: int = self._listener.getsockname()[1]
        self.cuts: deque[int] = deque()
        self.connections = 0
        self._sockets: list[socket.socket] = []
        self._spawn(self._accept)

    def _spawn(self, target: Callable[..., None], *args: Any) -> None:
        thread = threading.Thread(target=target, args=args, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            far = socket.create_connection(("127.0.0.1", self._server_port))
            self._sockets += [near, far]
            passed = [0]  # in both directions together
            cut_after = self.cuts.popleft() if self.cuts else None
            self._spawn(self._pump, near, far, passed, cut_after)
            self._spawn(self._pump, far, near, passed, cut_after)

    def _pump(self, source: socket.socket, target: socket.socket, passed: list[int], cut_after: int | None) -> None:
        try:
            while data := source.recv(65536):
                passed[0] += len(data)
                if cut_after is not None and passed[0] > cut_after:
                    break
                target.sendall(data)
        except OSError:
            pass
        for each in (source, target):
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Cuts everything and waits for the threads."""
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for each in self._sockets:
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(5)
        for each in self._sockets:
            each.close()
