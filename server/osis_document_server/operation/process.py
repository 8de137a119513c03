"""One of several processes that serve on one address: ``python -m osis_document_server.operation.process NUMBER CONTROL SPEAKS``.

Started by ``processes.py`` with a socket, CONTROL, over which it says that it is healthy and is told to stop. When the socket
closes, its parent is gone, and it ends too. SPEAKS is 1 if it is to say why it cannot start, 0 if another one does.
"""

import os
import socket
import sys
import threading
import time
from contextlib import suppress

from osis_document_server import app
from osis_document_server.operation.addresses import AddressUnavailableError
from osis_document_server.operation.failing import fail
from osis_document_server.operation.logs import configure_logs
from osis_document_server.operation.memory import keep_freed_memory
from osis_document_server.operation.open_files import allow_many_open_files
from osis_document_server.operation.orders import HEALTHY, HURRY
from osis_document_server.operation.stopping import StopRequest
from osis_document_server.settings import Settings, SettingsError

#: How long it may take to end after its parent has gone.
_ORPHAN_SECONDS = 5.0


def main() -> None:
    """Serves until told to stop."""
    number, control, speaks = int(sys.argv[1]), socket.socket(fileno=int(sys.argv[2])), sys.argv[3] == "1"
    control.set_inheritable(False)
    stop = StopRequest()
    # Once or many times: a service manager may send it to every process, and the parent tells what it means.
    stop.obey_signals(only_ask=True)
    try:
        settings = Settings.load()
        configure_logs(settings.log_format, process=number)
        allow_many_open_files()
        keep_freed_memory()
        threading.Thread(target=_obey, args=(control, stop), name="control", daemon=True).start()
        with app.Server(settings, shares_port=True, is_hurried=stop.is_hurried):
            with suppress(OSError):  # the parent is gone; `stop` is told
                control.sendall(HEALTHY)
            stop.wait()
    except (AddressUnavailableError, SettingsError) as exc:
        if speaks:
            fail(exc)
        sys.exit(1)


def _obey(control: socket.socket, stop: StopRequest) -> None:
    with suppress(OSError):
        while order := control.recv(1):
            if order == HURRY:
                stop.hurry()
            else:
                stop.ask()
    stop.hurry()
    time.sleep(_ORPHAN_SECONDS)
    os._exit(1)


if __name__ == "__main__":
    main()
