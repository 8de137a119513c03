"""A TCP proxy that does to connections what networks do to them."""

import select
import socket
import struct
import threading
import time
from collections import deque
from dataclasses import dataclass
from types import TracebackType
from typing import Self

_READ_BYTES = 1 << 16
_LOOK_SECONDS = 0.02


@dataclass(frozen=True)
class Cut:
    """Ends a connection after so many bytes, both ways together: politely, or with a reset.

    What the other side has not read by then, it never will: gRPC drops it. `seconds` holds every piece up, so that it keeps up.
    """

    after: int
    reset: bool = False
    seconds: float = 0.0


@dataclass(frozen=True)
class Swallow:
    """Passes nothing back any more once the client has sent so many bytes. What the client sends still arrives."""

    after: int


@dataclass(frozen=True)
class Delay:
    """Holds every piece of at most 64 KiB up for so long."""

    seconds: float


class Proxy:
    """Passes bytes on between clients and one server; a context manager.

    Attributes:
        plan: what is done to the next connections, one item for each (None: nothing); those beyond are left in peace.
        connections: how many there have been.
        sent: how many bytes clients have sent over each of them.
        received: how many bytes the server has sent back over each of them.
    """

    def __init__(self, target: str) -> None:
        host, _, port = target.rpartition(":")
        self._server = (host, int(port))
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._closing = threading.Event()
        self._threads: list[threading.Thread] = []
        self._cut_now: set[int] = set()
        self.plan: deque[Cut | Swallow | Delay | None] = deque()
        self.connections = 0
        self.sent: list[int] = []
        self.received: list[int] = []
        self._spawn(self._accept)

    @property
    def target(self) -> str:
        """The address that clients are to connect to."""
        return f"127.0.0.1:{self._listener.getsockname()[1]}"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def cut(self) -> None:
        """Ends, by a reset, every connection that there is now."""
        self._cut_now.update(range(self.connections))

    def close(self) -> None:
        """Ends everything and waits for the threads."""
        self._closing.set()
        self._listener.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(10)
        self._listener.close()

    def _spawn(self, target: object, *arguments: object) -> None:
        thread = threading.Thread(target=target, args=arguments, daemon=True)  # type: ignore[arg-type]
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while not self._closing.is_set():
            try:
                near, _ = self._listener.accept()
            except OSError:
                return
            try:
                far = socket.create_connection(self._server)
            except OSError:
                near.close()
                continue
            number = self.connections
            self.sent.append(0)
            self.received.append(0)
            self.connections += 1
            self._spawn(self._pump, number, near, far, self.plan.popleft() if self.plan else None)

    def _pump(self, number: int, near: socket.socket, far: socket.socket, harm: Cut | Swallow | Delay | None) -> None:
        """Passes the bytes of one connection, one piece after the other, so that what is done to them happens in its place."""
        passed = 0
        reset = False
        with near, far:
            try:
                while not self._closing.is_set():
                    if number in self._cut_now:
                        reset = True
                        break
                    for source in select.select([near, far], [], [], _LOOK_SECONDS)[0]:
                        data = source.recv(_READ_BYTES)
                        if not data:
                            return
                        if isinstance(harm, Delay | Cut):
                            time.sleep(harm.seconds)
                        if isinstance(harm, Cut) and passed + len(data) >= harm.after:
                            (far if source is near else near).sendall(data[: harm.after - passed])
                            reset = harm.reset
                            return
                        passed += len(data)
                        if source is near:
                            self.sent[number] += len(data)
                            far.sendall(data)
                        elif not (isinstance(harm, Swallow) and self.sent[number] >= harm.after):
                            self.received[number] += len(data)
                            near.sendall(data)
            except OSError:
                pass
            finally:
                if reset:
                    for each in (near, far):
                        each.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
