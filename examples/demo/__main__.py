"""`make demo`: three documents become one PDF, and everything about it is checked."""

import shutil
import signal
import sys
from pathlib import Path

from errors import DemoError
from make_documents import make_documents
from report import Report
from rich.filesize import decimal
from steps import fetch, make_one_pdf, upload
from verify import sha256_of, verify

from osis_document_client import Client, OsisDocumentError
from server import DemoServer

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "var" / "demo"
MERGED = FOLDER / "merged.pdf"


def run(server: DemoServer, report: Report) -> None:
    """The demo from its first file to its last check; ``server`` is started and stopped here."""
    sources = FOLDER / "sources"
    shutil.rmtree(sources, ignore_errors=True)
    sources.mkdir(parents=True)
    MERGED.unlink(missing_ok=True)
    with report.step("Make a docx, a photo and a text"):
        samples = make_documents(sources)
    report.line("Starting the server …")
    with server, Client(server.client_config()) as client:
        documents = upload(client, samples, report)
        merged = fetch(client, make_one_pdf(client, documents, report), MERGED, report)
        pages = verify(MERGED, samples)

    paths = [*(sample.path for sample in samples), MERGED]
    counts = [*(sample.pages for sample in samples), pages]
    rows = []
    for path, count, document in zip(paths, counts, [*documents, merged], strict=True):
        digest = sha256_of(path)
        if document.sha256 != digest:
            raise DemoError(
                f"{path.name} is not what the service has",
                why=f"its SHA-256 is {digest}, the service says {document.sha256}",
                remedy="run the demo again; if it stays, this is a fault of the service",
            )
        rows.append((path.name, document.id, decimal(document.size_bytes), str(count), report.digest(digest)))
    report.table("document", "id", "size", "pages", "sha256", rows=rows, right=("size", "pages"))
    report.table_of_steps()
    report.line(f"\nEverything is as expected: open {MERGED.relative_to(ROOT)}")


def _end(*_: object) -> None:
    """Makes SIGTERM leave through the `with` blocks, so that the server is stopped then, too."""
    raise KeyboardInterrupt


def main() -> int:
    signal.signal(signal.SIGTERM, _end)
    server = DemoServer(FOLDER / "server")
    try:
        run(server, Report())
    except DemoError as error:
        what, why, remedy = error.what, error.why, error.remedy
    except OsisDocumentError as error:
        what, why, remedy = "The service refused, or was not to be reached", str(error), "see the server's log"
    except KeyboardInterrupt:
        what, why, remedy = "The demo was stopped", "somebody asked for it", "run `make demo` again"
    else:
        return 0
    print(f"\n{what}: {why}\nWhat to do: {remedy}.\nThe server's log: {server.log.relative_to(ROOT)}", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
