"""What a scenario finds around it: servers, files, certificates, and everything else that it names in braces."""

import hashlib
import re
import shutil
import uuid
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from tests.conformance.languages import LANGUAGES
from tests.conformance.scripted import ScriptedServer
from tests.support import files
from tests.support.certificates import Authority, Issued
from tests.support.ports import free_port
from tests.support.proxy import Proxy
from tests.support.server import KEYS, ServerProcess

_NAME = re.compile(r"\{([a-z][\w.]*)\}")


class Places:
    """The servers that all scenarios of a language share; each is started when it is first asked for."""

    def __init__(self, start: Callable[..., ServerProcess], authorities: Mapping[str, Authority]) -> None:
        self._start = start
        self._running: dict[str, ServerProcess] = {}
        self.authorities = authorities

    @property
    def server(self) -> ServerProcess:
        """The one that most scenarios use."""
        return self._get("server")

    @property
    def strict(self) -> ServerProcess:
        """One that lets in little."""
        own = ",".join(f"{name}:{name}" for language in LANGUAGES for name in (language, f"{language}-2"))
        return self._get("strict", MAX_UPLOAD_SIZE="1000", CLIENT_UPLOAD_LIMIT="3/hour", API_SHARED_SECRET=own)

    @property
    def tls(self) -> ServerProcess:
        """One that takes encrypted connections alone."""
        return self._get("tls", TLS_CERTIFICATE=str(self._issued.certificate), TLS_KEY=str(self._issued.key))

    @cached_property
    def _issued(self) -> Issued:
        return self.authorities["trusted"].issue("server")

    def _get(self, name: str, **settings: str) -> ServerProcess:
        if name not in self._running:
            self._running[name] = self._start(name, **settings)
        return self._running[name]


class World:
    """The things of one scenario; a context manager. `values` are what its steps name: files, ids, what they saved."""

    def __init__(self, places: Places, folder: Path, *, language: str) -> None:
        self.places = places
        self.folder = folder
        self._ending = ExitStack()
        self.values: dict[str, Any] = {
            "folder": str(folder),
            "none": None,
            "longest_name": "é" * 251 + ".txt",
            "language": language,
        }
        for number in range(1, 5):
            self.values[f"id{number}"] = str(uuid.uuid4())

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._ending.close()
        shutil.rmtree(self.folder)  # pytest would keep it, and some files are large

    @cached_property
    def proxy(self) -> Proxy:
        """A way to the server that loses connections."""
        return self._ending.enter_context(Proxy(self.places.server.target))

    @cached_property
    def scripted(self) -> ScriptedServer:
        """A way to the server on which single calls go wrong."""
        return self._ending.enter_context(ScriptedServer(self.places.server.target))

    def add_file(self, name: str, *, kind: str = "text", size: int = 0, text: str | None = None, pages: int = 1) -> None:
        """Makes a file; steps name it as `{name.path}`, `{name.sha256}` and `{name.size}`."""
        seed = uuid.uuid4().int  # each server has each content once
        if text is not None:
            content = text.encode()
        elif kind == "pages":
            content = files.pdf(*(f"page {number} of {name}" for number in range(1, pages + 1)))
        elif kind == "photo":
            content = files.turned_jpeg()
        elif kind == "pdf":
            content = files.pdf_of_size(size, seed=seed)
        else:
            content = files.text_of_size(size, seed=seed)
        path = self.folder / f"source-{name}"
        path.write_bytes(content)
        self.values[name] = {"path": str(path), "size": str(size or len(content)), "sha256": hashlib.sha256(content).hexdigest()}

    def target(self, via: str) -> str:
        """Where a client is to connect to."""
        match via:
            case "proxy":
                return self.proxy.target
            case "scripted":
                return self.scripted.target
            case "nowhere":
                return f"127.0.0.1:{free_port()}"
            case "tls-by-another-name":
                return self.places.tls.target.replace("127.0.0.1", "127.0.0.2")
            case _:
                server: ServerProcess = getattr(self.places, via)
                return server.target

    def key(self, name: str) -> str:
        """The secret of a caller; another text stands for itself."""
        return KEYS.get(name, name)

    def filled(self, value: Any) -> Any:
        """A value of a step with the things that it names. A text that is one name alone becomes that thing itself."""
        if isinstance(value, str):
            whole = _NAME.fullmatch(value)
            if whole:
                return self.look_up(whole[1])
            return _NAME.sub(lambda found: str(self.look_up(found[1])), value)
        if isinstance(value, Mapping):
            return {name: self.filled(each) for name, each in value.items()}
        if isinstance(value, list):
            return [self.filled(each) for each in value]
        return value

    def look_up(self, name: str) -> Any:
        """What a name in braces stands for."""
        return at(self.values, name)


ABSENT = object()


def at(value: Any, path: str) -> Any:
    """What is at a place of an answer (`documents.0.name`); `ABSENT` if there is nothing."""
    for step in path.split("."):
        if isinstance(value, list):
            value = value[int(step)] if -len(value) <= int(step) < len(value) else ABSENT
        elif isinstance(value, Mapping):
            value = value.get(step, ABSENT)
        else:
            return ABSENT
    return value
