"""A way to an HTTP server on which single requests get lost."""

from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from types import TracebackType
from typing import Self

import requests


class Relay:
    """Passes POST requests on to a server, but answers some of them with 503 itself.

    Attributes:
        refused: which requests are to be answered so, counted from 0.
        paths: what was asked for, in order.
    """

    def __init__(self, url: str, *, refused: set[int]) -> None:
        self.refused = refused
        self.paths: list[str] = []
        relay = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                relay.paths.append(self.path)
                if len(relay.paths) - 1 in relay.refused:
                    self._answer(503, b"")
                    return
                headers = {name: self.headers[name] for name in ("Content-Type", "X-Api-Key")}
                answer = requests.post(url + self.path, data=body, headers=headers, timeout=30)
                self._answer(answer.status_code, answer.content)

            def _answer(self, status: int, content: bytes) -> None:
                self.send_response(status)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *arguments: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Self:
        Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._server.shutdown()
        self._server.server_close()
