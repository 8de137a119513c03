"""The process in which an engine reads a user's file.

Run as a script through the launcher: `python -I -B child.py PACKAGE_ROOT REQUEST_FILE [wait]`. The request is one JSON object
(see `operations`), the answer one JSON object on standard output: empty, or `reason` and `message` of the failure.
With `wait` there is a request once a line comes to standard input; until then the libraries are loaded. If that is closed
without one, nobody had anything to do.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
import traceback
from pathlib import Path
from typing import Any

ENGINES = "osis_document_workers.engines"


def main(argv: list[str]) -> int:
    package_root, request_file = argv[1:3]
    # What libraries print must not get between the caller and the answer.
    answer_fd = os.dup(1)
    os.dup2(2, 1)
    # Behind everything else: of the checkout or site-packages folder only this package is meant.
    sys.path.append(package_root)
    answer: dict[str, Any] = {}
    try:
        if argv[3:] == ["wait"]:
            importlib.import_module(f"{ENGINES}.operations").load()
            if not os.read(0, 1):
                return 0
        with Path(request_file).open(encoding="utf-8") as stream:
            request: dict[str, Any] = json.load(stream)
        importlib.import_module(f"{ENGINES}.operations").perform(request)
    except MemoryError:
        answer = {"reason": "PROCESSING_TOO_LARGE", "message": ""}
    except BaseException as exc:  # noqa: BLE001 -- whatever it is, the caller wants to know
        # Recognised by name, as the import itself may be what failed.
        if type(exc).__name__ == "EngineError":
            answer = {
                "reason": getattr(exc, "reason", ""),
                "message": str(exc),
                "source": str(getattr(exc, "source", None) or ""),
            }
            if exc.__cause__ is not None:  # for the log; the message is for who uploaded the document
                sys.stderr.write(f"{type(exc.__cause__).__name__}: {str(exc.__cause__)[:500]}\n")
        else:
            traceback.print_exc()
            answer = {"reason": "ENGINE_CRASHED", "message": f"{type(exc).__name__}: {exc}"}
    with os.fdopen(answer_fd, "w", encoding="utf-8") as stream:
        json.dump(answer, stream)
    return 1 if answer else 0


if __name__ == "__main__":
    status = main(sys.argv)
    sys.stderr.flush()
    # Taking all modules and objects apart first, as `sys.exit` does, would take a tenth as long again as a merge of small files.
    os._exit(status)
