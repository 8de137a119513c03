"""The pool of warm LibreOffice instances, without the service around it."""

import os

from bench import Bench
from row import Bound, Measured, NotBuiltError, Row, Target

_MISSING = "a pool of warm LibreOffice instances in osis_document_workers.engines"


def _measure(bench: Bench) -> Measured:
    raise NotBuiltError(_MISSING)


OFFICE_POOL = Row(
    name="office-pool",
    what="warm office conversion, the pool alone ÷ cold soffice --convert-to",
    target=Target(bound=Bound.AT_MOST, limit=0.12),
    measure=_measure,
)

OFFICE_POOL_SLOTS = Row(
    name="office-pool-slots",
    what="the LibreOffice pool alone: N slots on N cores ÷ one slot",
    target=Target(bound=Bound.AT_LEAST, limit=0.8 * (os.cpu_count() or 1)),
    measure=_measure,
)
