"""Whether a page of a list costs the same however many documents there are."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from bench import Bench
from many_documents import EPOCH, fill_postgresql, fill_sqlite
from rounds import Rounds, interleaved
from row import Bound, Measured, Row, Target
from service import Service

from osis.document.v1.document_pb2 import DocumentStatus
from osis.document.v1.document_service_pb2 import DocumentOrder, ListDocumentsRequest
from osis_document_client import Client

sys.path.append(str(Path(__file__).resolve().parents[3]))  # for `tests.support`

from tests.support import postgres_server

_FEW = 1000
_PAGE = 25
_CALLS = 40

#: Makes the request for one page, given the number of documents.
_Request = Callable[[int], ListDocumentsRequest]


def _from_the_middle(rows: int) -> ListDocumentsRequest:
    request = ListDocumentsRequest(page_size=_PAGE)
    request.uploaded_before.FromDatetime(datetime.fromisoformat(EPOCH).replace(tzinfo=UTC) + timedelta(minutes=rows // 2))
    return request


_LISTS: dict[str, _Request] = {
    "newest first": lambda _: ListDocumentsRequest(page_size=_PAGE),
    "from the middle": _from_the_middle,
    "one status": lambda _: ListDocumentsRequest(page_size=_PAGE, statuses=[DocumentStatus.DOCUMENT_STATUS_UPLOADED]),
    "one folder by path": lambda _: ListDocumentsRequest(
        page_size=_PAGE, path_prefix="folder/7/", order=DocumentOrder.DOCUMENT_ORDER_PATH_ASC
    ),
}


@contextmanager
def _on_sqlite(bench: Bench, *, rows: int) -> Iterator[Service]:
    with bench.folder() as folder:
        with Service(folder):  # makes the tables
            pass
        fill_sqlite(folder / "var" / "osis-document.db", rows=rows)
        with Service(folder) as service:
            yield service


@contextmanager
def _on_postgresql(bench: Bench, server: postgres_server.PostgresServer, *, rows: int) -> Iterator[Service]:
    url = server.create(f"documents-{rows}")
    with bench.folder() as folder:
        with Service(folder, DATABASE_URL=url):
            pass
        fill_postgresql(url, rows=rows)
        with Service(folder, DATABASE_URL=url) as service:
            yield service


def _timed(client: Client, request: ListDocumentsRequest) -> float:
    """Returns the seconds for each page."""
    started = time.perf_counter()
    for _ in range(_CALLS):
        response = client.documents.ListDocuments(request)
        assert len(response.documents) == _PAGE
    return (time.perf_counter() - started) / _CALLS


def _compare(bench: Bench, name: str, few: Service, many: Service) -> dict[str, Rounds]:
    found = {}
    with few.client() as few_client, many.client() as many_client:
        for what, request in _LISTS.items():
            bench.say(f"{name}: {what}")
            found[f"{name}, {what}"] = interleaved(
                lambda request=request: _timed(many_client, request(bench.scale.list_rows)),
                lambda request=request: _timed(few_client, request(_FEW)),
                rounds=bench.scale.rounds,
                say=bench.say,
            )
    return found


def _measure(bench: Bench) -> Measured:
    found: dict[str, Rounds] = {}
    with _on_sqlite(bench, rows=_FEW) as few, _on_sqlite(bench, rows=bench.scale.list_rows) as many:
        found |= _compare(bench, "SQLite", few, many)
    left_out = ""
    if postgres_server.is_installed():
        with ExitStack() as stack:
            server = stack.enter_context(postgres_server.PostgresServer())
            few = stack.enter_context(_on_postgresql(bench, server, rows=_FEW))
            many = stack.enter_context(_on_postgresql(bench, server, rows=bench.scale.list_rows))
            found |= _compare(bench, "PostgreSQL", few, many)
    else:
        left_out = "; PostgreSQL is not installed"
    worst, rounds = max(found.items(), key=lambda each: each[1].measured_seconds / each[1].baseline_seconds)
    spread = (1 / rounds.speed_spread[1], 1 / rounds.speed_spread[0])
    return Measured(
        value=1 / rounds.speed,
        spread=spread,
        note=f"{worst}: {rounds.measured_seconds * 1000:.1f} ms, of {_FEW:,} {rounds.baseline_seconds * 1000:.1f} ms{left_out}",
        details={
            "documents": bench.scale.list_rows,
            "seconds_per_page": {name: {"many": each.measured, "few": each.baseline} for name, each in found.items()},
        },
    )


LIST_DOCUMENTS = Row(
    name="list-documents",
    what="page of 25 of 1,000,000 documents ÷ of 1,000, the worst of four lists on SQLite and PostgreSQL",
    target=Target(bound=Bound.AT_MOST, limit=2),
    measure=_measure,
)
