"""Several processes that serve on one address, and the one that looks after them.

The kernel spreads connections over them (SO_REUSEPORT). Each is a fresh program, not a fork: gRPC does not survive one.
"""

import os
import selectors
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field

import structlog

from osis_document_server.operation.addresses import Reservation
from osis_document_server.operation.orders import HURRY, STOP
from osis_document_server.operation.stopping import StopRequest
from osis_document_server.settings import PREFIX, Settings

_log = structlog.get_logger(__name__)

_PROGRAM = "osis_document_server.operation.process"
#: How long a process may take to end beyond the grace of its calls.
_STOP_MARGIN_SECONDS = 20.0
#: Seconds before a process that died is started again: none the first time, then this, doubled each time …
_BACK_OFF_SECONDS = 1.0
#: … up to this.
_LONGEST_BACK_OFF_SECONDS = 30.0
#: Who has served for so long before it died, is not taken for one that cannot live.
_SOUND_SECONDS = 60.0


@dataclass
class _Child:
    number: int
    process: "subprocess.Popen[bytes]"
    control: socket.socket
    healthy: bool = False
    started: float = field(default_factory=time.monotonic)


class Supervisor:
    """Starts the processes, starts again what dies, stops them all.

    Args:
        settings: with how many there are to be.
        stop: who wants all to end.
        announce: told the address once all serve.
    """

    def __init__(self, settings: Settings, stop: StopRequest, *, announce: Callable[[str], None]) -> None:
        self._settings = settings
        self._stop = stop
        self._announce = announce
        self._address = ""
        self._announced = False
        self._selector = selectors.DefaultSelector()
        self._children: dict[int, _Child] = {}
        #: When processes that died are to be started again, and how often in a row each has died, by number.
        self._due: dict[int, float] = {}
        self._deaths: dict[int, int] = {}
        #: When processes that have not ended are killed; None: nobody is to end.
        self._deadline: float | None = None
        self._failed = False

    def run(self) -> bool:
        """Serves until told to stop; returns whether everything was as it should be.

        Raises:
            AddressUnavailableError: another program listens there, or the address is not this host's.
        """
        with Reservation(self._settings.listen) as reservation, self._selector:
            self._address = reservation.address
            self._selector.register(self._stop, selectors.EVENT_READ)
            for number in range(1, self._settings.processes + 1):
                self._start(number)
            while self._children or (self._due and self._deadline is None):
                self._look()
        return not self._failed

    def _look(self) -> None:
        """Waits until something happens, and does what is due."""
        moments = [*self._due.values(), *([self._deadline] if self._deadline is not None else [])]
        timeout = max(0.0, min(moments) - time.monotonic()) if moments else None
        for key, _ in self._selector.select(timeout):
            if key.fileobj is self._stop:
                self._stop.wait()
                self._stop_all(HURRY if self._stop.is_hurried() else STOP)
            else:
                self._hear(key.data)
        now = time.monotonic()
        if self._deadline is None:
            for number in [number for number, due in self._due.items() if due <= now]:
                del self._due[number]
                self._start(number)
        elif now >= self._deadline:
            for child in self._children.values():
                _log.error("process killed: it did not end in time", number=child.number, pid=child.process.pid)
                child.process.kill()
            self._deadline = now + _STOP_MARGIN_SECONDS

    def _start(self, number: int) -> None:
        ours, theirs = socket.socketpair()
        # What is wrong with a setting is wrong for all of them; one says so.
        speaks = self._announced or number == 1
        with theirs:
            process = subprocess.Popen(
                # -P: what lies in the folder it is started in is none of its modules.
                [sys.executable, "-P", "-m", _PROGRAM, str(number), str(theirs.fileno()), str(int(speaks))],
                env=_environment(self._address),
                stdin=subprocess.DEVNULL,
                pass_fds=(theirs.fileno(),),
                # Ctrl-C goes to the whole foreground group; they are to be told once, by this process.
                process_group=0,
            )
        child = self._children[number] = _Child(number, process, ours)
        self._selector.register(ours, selectors.EVENT_READ, child)
        _log.info("process started", number=number, pid=process.pid)

    def _hear(self, child: _Child) -> None:
        try:
            said = child.control.recv(1)
        except OSError:
            said = b""
        if not said:
            self._bury(child)
            return
        child.healthy = True
        stopping = self._deadline is not None
        if not self._announced and not stopping and all(one.healthy for one in self._children.values()):
            self._announced = True
            self._announce(self._address)

    def _bury(self, child: _Child) -> None:
        self._selector.unregister(child.control)
        child.control.close()
        try:
            code = child.process.wait(_STOP_MARGIN_SECONDS)
        except subprocess.TimeoutExpired:  # it has let go of the socket and hangs
            child.process.kill()
            code = child.process.wait()
        del self._children[child.number]
        if self._deadline is not None:
            self._failed |= code != 0
        elif not self._announced:
            # The others would fail in the same way, or not be what was asked for.
            _log.error("process ended before it served", number=child.number, pid=child.process.pid, how=_how(code))
            self._failed = True
            self._stop_all(HURRY)
        else:
            self._start_again(child, code)

    def _start_again(self, child: _Child, code: int) -> None:
        lived = time.monotonic() - child.started
        sound = child.healthy and lived >= _SOUND_SECONDS
        deaths = self._deaths[child.number] = 1 if sound else self._deaths.get(child.number, 0) + 1
        pause = min(_LONGEST_BACK_OFF_SECONDS, _BACK_OFF_SECONDS * 2 ** (deaths - 2)) if deaths > 1 else 0.0
        self._due[child.number] = time.monotonic() + pause
        _log.error(
            "process ended and is started again",
            number=child.number,
            pid=child.process.pid,
            how=_how(code),
            pause_seconds=pause,
        )

    def _stop_all(self, order: bytes) -> None:
        grace_seconds = self._settings.stop_grace_seconds if order == STOP else 0.0
        self._deadline = time.monotonic() + grace_seconds + _STOP_MARGIN_SECONDS
        for child in self._children.values():
            with suppress(OSError):  # it has just ended
                child.control.sendall(order)


def _how(code: int) -> str:
    return signal.Signals(-code).name if code < 0 else f"exit code {code}"


def _environment(address: str) -> dict[str, str]:
    """Returns this process's environment, for one that serves alone on an address that is decided."""
    decided = {f"{PREFIX}LISTEN": address, f"{PREFIX}PROCESSES": "1"}
    return {name: value for name, value in os.environ.items() if name.upper() not in decided} | decided
