"""An upload through the Django gateway."""

from bench import Bench
from row import Bound, Measured, NotBuiltError, Row, Target


def _measure(bench: Bench) -> Measured:
    raise NotBuiltError("the HTTP gateway of the Django app (osis_document.urls), and its measurement here")


GATEWAY_UPLOAD = Row(
    name="gateway-upload",
    what="upload of 100 MB through the Django gateway ÷ direct gRPC upload",
    target=Target(bound=Bound.AT_LEAST, limit=0.5),
    measure=_measure,
)
