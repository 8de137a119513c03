"""What the server says while it runs: structured lines on standard error, never a token or a key."""

import logging
import sys

import structlog
from structlog.typing import EventDict, Processor


def configure_logs(log_format: str, *, process: int = 0) -> None:
    """Sets up ``structlog`` for the process, and has what libraries log come out in the same form.

    Args:
        log_format: ``console`` for people, ``json`` for machines.
        process: the number of this process where several serve; each line has it then. 0: there is one.
    """

    def add_process(_logger: object, _name: str, event: EventDict) -> EventDict:
        event["process"] = process
        return event

    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.StackInfoRenderer(),
        *([add_process] if process else []),
    ]
    last: list[Processor]
    if log_format == "json":
        last = [structlog.processors.format_exc_info, structlog.processors.JSONRenderer()]
    else:
        # Plain tracebacks: the pretty ones print local variables, requests with tokens among them.
        colours = sys.stderr.isatty()
        plain = structlog.dev.plain_traceback
        last = [structlog.dev.ConsoleRenderer(colors=colours, exception_formatter=plain, sort_keys=False)]
    structlog.configure(
        processors=[*shared, *last],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        # Each line in one piece, so that those of several processes and threads do not mix.
        logger_factory=structlog.WriteLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[*shared, structlog.stdlib.ExtraAdder(allow=()), structlog.stdlib.add_logger_name],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *last],
        )
    )
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)
