"""How many unary calls are answered per second."""

import sys
from contextlib import ExitStack
from io import BytesIO
from pathlib import Path

from bench import PDF_SIGNATURE, Bench
from process import Process
from row import Measured, Row

from osis_document_client import ClientConfig

_SCRIPT = Path(__file__).parent.parent / "unary_client.py"
_MANY = 8


def _rate(bench: Bench, config: ClientConfig, *, call: str, documents: str, clients: int) -> float:
    environment = {"OSIS_DOCUMENT_TARGET": config.target, "OSIS_DOCUMENT_API_KEY": config.api_key}
    seconds = bench.scale.unary_seconds
    with bench.folder() as folder, ExitStack() as stack:
        processes = []
        for _ in range(clients):
            process = Process([sys.executable, _SCRIPT, call, documents, str(seconds)], folder=folder, environment=environment)
            stack.callback(process.stop)
            processes.append(process)
        for process in processes:
            process.read_line()
        for process in processes:
            process.write_line("start")
        rate = sum(int(process.read_line()) for process in processes) / seconds
    bench.say(f"{call}, {clients} clients: {rate:,.0f}/s")
    return rate


def _measure(bench: Bench, *, call: str, count: int = 1) -> Measured:
    with bench.service() as service, service.client() as client, bench.null_service() as null:
        content = PDF_SIGNATURE + bytes(1024)
        documents = ",".join(client.upload(BytesIO(content), name="probe.pdf").document.id for _ in range(count))
        one = _rate(bench, service.config, call=call, documents=documents, clients=1)
        many = _rate(bench, service.config, call=call, documents=documents, clients=_MANY)
        empty = _rate(bench, null.config, call="get-document", documents=documents, clients=1)
    return Measured(
        value=one,
        note=f"{many:,.0f}/s by {_MANY} clients; an empty handler {empty:,.0f}/s by one",
        details={"one_client": one, "clients": _MANY, "many_clients": many, "empty_handler": empty},
    )


GET_DOCUMENT = Row(
    name="get-document",
    what="GetDocument by id, one connection, one after the other",
    target=None,
    unit="/s",
    digits=0,
    measure=lambda bench: _measure(bench, call="get-document"),
)

CREATE_TOKEN = Row(
    name="create-token",
    what="CreateToken, one connection, one after the other",
    target=None,
    unit="/s",
    digits=0,
    measure=lambda bench: _measure(bench, call="create-token"),
)

BATCH_GET_DOCUMENTS = Row(
    name="batch-get-documents",
    what="BatchGetDocuments of 100 (one query), one connection, one after the other",
    target=None,
    unit="/s",
    digits=0,
    measure=lambda bench: _measure(bench, call="batch-get-documents", count=100),
)

SMALL_UPLOADS = Row(
    name="small-uploads",
    what="upload and confirm of 100 KB, one client, one after the other",
    target=None,
    unit="/s",
    digits=0,
    measure=lambda bench: _measure(bench, call="upload-and-confirm"),
)
