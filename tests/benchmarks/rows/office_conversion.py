"""Office conversion through the whole service, against a cold LibreOffice."""

import time
from functools import partial
from pathlib import Path

from against_cold import TIMEOUT_SECONDS, measure_against_cold, soffice
from bench import Bench
from office_documents import office_documents
from row import Bound, Measured, Row, Target

from osis_document_client import Client, OsisDocumentError, convert


def _through_the_service(client: Client, source: Path) -> float:
    """Converts a document that is there; from the request to the end of the job."""
    with source.open("rb") as file:
        [document] = client.confirm([client.upload(file, name=source.name)])
    started = time.perf_counter()
    client.wait(client.start([document.id], [convert()]).id, timeout=TIMEOUT_SECONDS)
    return time.perf_counter() - started


def _measure(bench: Bench) -> Measured:
    soffice()
    with bench.folder() as folder, bench.service() as service, service.client() as client:
        documents, origin = office_documents(folder)
        documents = documents[: bench.scale.office_documents or None]
        _through_the_service(client, documents[0])
        return measure_against_cold(
            bench,
            folder,
            documents,
            origin=origin,
            warm_seconds=partial(_through_the_service, client),
            refusals=(OsisDocumentError,),
        )


OFFICE_CONVERSION = Row(
    name="office-conversion",
    what="warm office conversion, end to end ÷ cold soffice --convert-to",
    target=Target(bound=Bound.AT_MOST, limit=0.25),
    measure=_measure,
)
