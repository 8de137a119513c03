"""Makes unary calls one after the other, over a connection of its own: ``python unary_client.py CALL DOCUMENT_IDS SECONDS``.

CALL is ``get-document``, ``batch-get-documents`` (all of the ids at once), ``create-token`` or ``upload-and-confirm`` (100 KB);
ids are comma-separated. Prints ``ready`` when it is warm, starts at a line on its standard input, and prints how many calls it
made.
"""

import os
import sys
import time
from collections.abc import Callable
from io import BytesIO

from osis.document.v1.document_pb2 import DocumentRef
from osis.document.v1.document_service_pb2 import BatchGetDocumentsRequest
from osis_document_client import Client, ClientConfig

_UPLOAD_BYTES = 100_000
_WARM_UP_CALLS = 50


def main(call: str, document_ids: list[str], seconds: float) -> None:
    """Calls as often as it can."""
    with Client(ClientConfig.from_environment()) as client:
        calls_by_name: dict[str, Callable[[str], object]] = {
            "get-document": client.get_document,
            "batch-get-documents": lambda _: client.documents.BatchGetDocuments(
                BatchGetDocumentsRequest(documents=[DocumentRef(document_id=document_id) for document_id in document_ids])
            ),
            "create-token": client.create_token,
            "upload-and-confirm": lambda _: _upload_and_confirm(client),
        }
        make = calls_by_name[call]
        for _ in range(_WARM_UP_CALLS):
            make(document_ids[0])
        print("ready", flush=True)
        sys.stdin.readline()
        calls = 0
        end = time.perf_counter() + seconds
        while time.perf_counter() < end:
            make(document_ids[0])
            calls += 1
        print(calls, flush=True)


def _upload_and_confirm(client: Client) -> None:
    # Random bytes behind a signature: no storage can make less of them.
    content = b"%PDF-1.7\n" + os.urandom(_UPLOAD_BYTES - 9)
    client.confirm([client.upload(BytesIO(content), name="file.pdf")], path="benchmark/")


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2].split(","), float(sys.argv[3]))
