"""A worker on another host: in a network namespace of its own, from where it reaches the service and Redis and nothing else."""

import io
import os
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pypdf
import pytest

from tests.support import files, jobs
from tests.support.downloads import content_of
from tests.support.redis_server import RedisProcess
from tests.support.server import serving
from tests.support.uploads import store_all
from tests.support.worker import WorkerProcess

pytestmark = [pytest.mark.slow, pytest.mark.one_database, pytest.mark.needs_redis, pytest.mark.needs_libreoffice]


@dataclass
class Network:
    """Two hosts that are connected: this one, and a namespace."""

    here: str
    namespace: str


def ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True, capture_output=True, text=True)


@pytest.fixture
def network() -> Iterator[Network]:
    name = f"od{os.getpid()}"
    # RFC 2544 keeps these addresses for tests between networks.
    net = f"198.18.{os.getpid() % 256}"
    here, there = f"{name}a", f"{name}b"
    with ExitStack() as stack:
        try:
            ip("netns", "add", name)
            stack.callback(ip, "netns", "del", name)  # and with it both ends of the cable
            ip("link", "add", here, "type", "veth", "peer", "name", there, "netns", name)
            ip("address", "add", f"{net}.1/30", "dev", here)
            ip("link", "set", here, "up")
            ip("-netns", name, "address", "add", f"{net}.2/30", "dev", there)
            ip("-netns", name, "link", "set", there, "up")
        except (OSError, subprocess.CalledProcessError) as exc:
            pytest.skip(f"this host permits no network namespace: {getattr(exc, 'stderr', '') or exc}")
        yield Network(here=f"{net}.1", namespace=name)


def test_a_worker_needs_an_address_a_key_and_redis_and_nothing_else(network, tmp_path):
    with (
        RedisProcess(tmp_path / "redis", host=network.here) as redis,
        serving(tmp_path / "server", LISTEN=f"{network.here}:0", ALLOW_PLAINTEXT="true", BROKER_URL=redis.url()) as server,
        WorkerProcess(
            tmp_path / "elsewhere", server, broker_url=redis.url(), prefix=("ip", "netns", "exec", network.namespace)
        ) as worker,
    ):
        stubs = server.stubs()
        sources = store_all(stubs, [("letter.docx", files.docx("From afar")), ("page.pdf", files.pdf("a page"))])

        ended = jobs.finish(stubs, jobs.start(stubs, sources, jobs.CONVERT, jobs.MERGE).id)

        assert ended.state == jobs.DONE, ended.failure
        [record] = ended.actions[1].records
        pages = pypdf.PdfReader(io.BytesIO(content_of(stubs, record.output_document_ids[0]))).pages
        assert [page.extract_text().strip() for page in pages] == ["From afar", "a page"]
        namespaces = {Path(f"/proc/{pid}/ns/net").readlink() for pid in (os.getpid(), worker.pid)}
        assert len(namespaces) == 2, "the worker has another network than the server"
