"""A way to a server that can be shut, and opened again."""

import socket
import threading
from contextlib import suppress
from types import TracebackType
from typing import Self

#: HTTP/2 answers pings, settings and full windows beside the calls, with up to 17 bytes each (RFC 9113, section 6), some at once.
#: No answer to a call, nor one of HTTP/1.1, is so short.
_HOUSEKEEPING_BYTES = 64


class Gate:
    """Listens on a port of its own and passes every connection on to another port of this host, while it is open."""

    def __init__(self, port: int) -> None:
        self._server_port = port
        self._lock = threading.Lock()
        self._sockets: set[socket.socket] = set()
        self._listener: socket.socket | None = None
        self._answers = range(0)
        self._answer = 0
        self.port = 0
        self.open()

    def open(self) -> None:
        """Accepts connections, always on the same port."""
        self._listener = socket.create_server(("127.0.0.1", self.port), backlog=128)
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, args=(self._listener,), daemon=True).start()

    def shut(self) -> None:
        """Refuses new connections and cuts those that there are."""
        if self._listener is not None:
            self._listener.shutdown(socket.SHUT_RDWR)
            self._listener.close()
            self._listener = None
        self.cut()

    def cut(self) -> None:
        """Cuts the connections that there are; new ones are accepted."""
        with self._lock:
            cut, self._sockets = self._sockets, set()
        for each in cut:
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)

    def lose_answers(self, count: int, *, after: int = 0) -> None:
        """Cuts connections at the moment when the server answers: the request was heard, the answer is not.

        Args:
            count: how many answers in a row.
            after: how many get through before that.
        """
        with self._lock:
            self._answers, self._answer = range(after, after + count), 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.shut()

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                near, _ = listener.accept()
            except OSError:
                return
            try:
                far = socket.create_connection(("127.0.0.1", self._server_port))
            except OSError:
                near.close()
                continue
            with self._lock:
                self._sockets |= {near, far}
            ended = threading.Semaphore(0)
            for source, target, is_answer in ((near, far, False), (far, near, True)):
                threading.Thread(target=self._pass_on, args=(source, target, is_answer, ended), daemon=True).start()
            threading.Thread(target=self._bury, args=(near, far, ended), daemon=True).start()

    def _pass_on(self, source: socket.socket, target: socket.socket, is_answer: bool, ended: threading.Semaphore) -> None:
        with suppress(OSError):
            while data := source.recv(65536):
                if is_answer and len(data) > _HOUSEKEEPING_BYTES and self._is_to_be_lost():
                    break
                target.sendall(data)
        for each in (source, target):
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
        ended.release()

    def _is_to_be_lost(self) -> bool:
        with self._lock:
            self._answer += 1
            return self._answer - 1 in self._answers

    def _bury(self, near: socket.socket, far: socket.socket, ended: threading.Semaphore) -> None:
        for _ in range(2):
            ended.acquire()
        with self._lock:
            self._sockets -= {near, far}
        near.close()
        far.close()
