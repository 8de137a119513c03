"""An upload that is under way for as long as a test likes."""

from threading import Event

from tests.support.server import ServerProcess
from tests.support.uploads import messages, spec
from tests.support.waiting import wait_until


class SlowUpload:
    """Waits before its last message until it is told to go on. Bytes have arrived when the constructor returns."""

    def __init__(self, server: ServerProcess, content: bytes) -> None:
        self.spec = spec("scan.pdf")
        self.go_on = Event()
        [*first, last] = messages(self.spec, content)

        def send():  # type: ignore[no-untyped-def]
            yield from first
            self.go_on.wait(90)
            yield last

        self.call = server.stubs().uploads.WriteUpload.future(send())
        wait_until(
            lambda: any(path.stat().st_size for name, path in server.blob_files().items() if "." in name),
            "bytes have arrived",
            seconds=30,
        )
