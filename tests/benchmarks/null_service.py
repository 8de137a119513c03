"""The null service beside the measured one, in a process of its own."""

import sys
from pathlib import Path
from types import TracebackType
from typing import Self

from process import Process

from osis_document_client import Client, ClientConfig


class NullService:
    """A running ``null_server.py``, from ``__enter__`` to ``__exit__``; ``content`` is the file that it sends."""

    def __init__(self, folder: Path, *, content: Path | None = None) -> None:
        self._folder = folder
        self._content = content
        self.config = ClientConfig(target="unknown")

    def __enter__(self) -> Self:
        script = Path(__file__).with_name("null_server.py")
        content = [self._content] if self._content is not None else []
        self._process = Process([sys.executable, script, *content], folder=self._folder)
        try:
            self.config = ClientConfig(target=f"127.0.0.1:{self._process.read_line()}", api_key="null")
        except BaseException:
            self._process.stop()
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._process.stop()

    def client(self) -> Client:
        """A client with a connection of its own."""
        return Client(self.config)
