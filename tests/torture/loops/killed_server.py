"""A server killed with SIGKILL again and again while clients upload: what it has acknowledged is there, and nothing else."""

import threading
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from pathlib import Path

from osis_document_client import Client, ClientConfig
from tests.support.leftovers import FORGETFUL, require_nothing_beside
from tests.support.restarting import RestartingServer
from tests.support.seeds import chance
from tests.support.server import KEYS
from tests.support.stubs import Stubs
from tests.torture.ledger import Entry
from tests.torture.progress import Progress

_CLIENTS = 8
#: At most so long it serves between two kills.
_LIFE_SECONDS = 1.5
#: What becomes of an upload, as often as it is named.
_FATES = ("confirmed",) * 6 + ("unconfirmed", "unfinished", "cancelled")


def kill_server(folder: Path, progress: Progress, *, seed: int) -> None:
    """Goes on until the goals `uploads` and `kills` are reached, then reads everything back, then has the rest swept away.

    Raises:
        AssertionError: something acknowledged is missing or other than it was, or something else stays.
    """
    with RestartingServer(folder, TEMP_UPLOAD_MAX_AGE="3600", SWEEP_SECONDS="1") as server:
        entries = _storm(server, progress, seed=seed)
        progress.say(f"{progress}; now reading everything back")
        with ThreadPoolExecutor(_CLIENTS) as pool:
            stubs = server.stubs()
            list(pool.map(lambda entry: entry.check(stubs), entries))
            server.start(**FORGETFUL)
            kept = [entry for entry in entries if entry.confirmed is not None]
            require_nothing_beside(server.process, [entry.spec.upload_id for entry in kept])
            list(pool.map(lambda entry: entry.check(stubs), kept))
        progress.add("documents read", len(kept))


def _storm(server: RestartingServer, progress: Progress, *, seed: int) -> list[Entry]:
    entries: list[Entry] = []
    numbers, over = count(), threading.Event()

    def upload() -> None:
        stubs = server.stubs()
        with Client(ClientConfig(target=server.target, api_key=KEYS["alpha"])) as client:
            while not over.is_set():
                number = next(numbers)
                entry = Entry(chance(seed, "upload", number), number)
                entries.append(entry)
                _carry_out(entry, stubs, client, fate=chance(seed, "fate", number).choice(_FATES))
                progress.add("uploads")

    def kill() -> None:
        luck = chance(seed, "kills")
        while not (progress.reached("kills") and progress.reached("uploads")):
            if over.wait(luck.uniform(0, _LIFE_SECONDS)):
                return
            server.kill()
            progress.add("kills")
            server.start()

    with ThreadPoolExecutor(_CLIENTS + 1) as pool:
        clients = [pool.submit(upload) for _ in range(_CLIENTS)]
        for client in clients:
            client.add_done_callback(lambda _: over.set())  # one that has failed ends it for all
        killer = pool.submit(kill)
        killer.add_done_callback(lambda _: over.set())
        for thread in (*clients, killer):
            thread.result()
    return entries


def _carry_out(entry: Entry, stubs: Stubs, client: Client, *, fate: str) -> None:
    entry.send_pieces(stubs)
    if fate == "unfinished":
        return
    if fate == "cancelled" and entry.number % 2:
        entry.cancel(stubs)
        return
    if entry.number % 3:
        entry.finish(stubs)
    else:
        entry.finish_by_library(client)
    if fate == "confirmed":
        entry.confirm(stubs)
    elif fate == "cancelled":
        entry.cancel(stubs)
