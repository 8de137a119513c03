"""A form with a file on its way to the gateway, piece by piece."""

from http.client import HTTPConnection, HTTPResponse
from pathlib import Path
from urllib.parse import urlsplit

from tests.support.gateway import GatewayProcess
from tests.support.server import ServerProcess
from tests.support.uploads import MEBIBYTE

BOUNDARY = b"xyxyxy"
END_OF_FORM = b"\r\n--" + BOUNDARY + b"--\r\n"


class SlowForm:
    """A form with a file on its way to the gateway, for as long as a test likes."""

    def __init__(self, gateway: GatewayProcess, content: bytes, *, name: str = "scan.pdf") -> None:
        self._where = urlsplit(gateway.url)
        self._head = form_head(name)
        self._connection = HTTPConnection(str(self._where.hostname), self._where.port, timeout=30)
        self._connection.putrequest("POST", f"{self._where.path}request-upload")
        self._connection.putheader("Content-Type", f"multipart/form-data; boundary={BOUNDARY.decode()}")
        self._connection.putheader("Content-Length", str(len(self._head) + len(content) + len(END_OF_FORM)))
        self._connection.endheaders(self._head)

    def send(self, data: bytes) -> None:
        """Sends some bytes of the file, or of what follows it."""
        self._connection.send(data)

    def answer(self) -> HTTPResponse:
        """What the gateway answers."""
        return self._connection.getresponse()

    def close(self) -> None:
        """Goes away."""
        self._connection.close()


def form_head(name: str) -> bytes:
    """How a form begins whose field `file` is a file of this name."""
    disposition = f'Content-Disposition: form-data; name="file"; filename="{name}"\r\n\r\n'
    return b"--" + BOUNDARY + b"\r\n" + disposition.encode()


def spooled(server: ServerProcess) -> list[Path]:
    """Files of uploads that are not finished."""
    return [path for name, path in server.blob_files().items() if "." in name]


def rest_of(form: SlowForm, rest: bytes) -> tuple[int, str]:
    """Sends the rest of a form as far as it is taken; answers the status and the text of the answer."""
    for start in range(0, len(rest), MEBIBYTE):
        try:
            form.send(rest[start : start + MEBIBYTE])
        except (BrokenPipeError, ConnectionResetError):
            break
    answer = form.answer()
    return answer.status, answer.read().decode()
