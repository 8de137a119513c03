"""All rows, in the order in which they are printed: those with a target, then figures for scale."""

from row import Row
from rows.batch_tokens import BATCH_TOKENS
from rows.clients import CLIENTS
from rows.download_stream import DOWNLOAD_STREAM
from rows.gateway import GATEWAY_DOWNLOAD, GATEWAY_UPLOAD
from rows.list_documents import LIST_DOCUMENTS
from rows.merge import MERGE
from rows.merge_memory import MERGE_MEMORY
from rows.office_conversion import OFFICE_CONVERSION
from rows.office_pool import OFFICE_POOL, OFFICE_POOL_SLOTS
from rows.page_calls import PAGE_CALLS
from rows.queue_latency import QUEUE_LATENCY
from rows.slow_uploads import SLOW_UPLOADS
from rows.start_up import START_UP
from rows.transfer_memory import TRANSFER_MEMORY
from rows.unary_rate import BATCH_GET_DOCUMENTS, CREATE_TOKEN, GET_DOCUMENT, SMALL_UPLOADS
from rows.upload_stream import UPLOAD_STREAM

ROWS: tuple[Row, ...] = (
    UPLOAD_STREAM,
    DOWNLOAD_STREAM,
    TRANSFER_MEMORY,
    SLOW_UPLOADS,
    BATCH_TOKENS,
    LIST_DOCUMENTS,
    OFFICE_POOL,
    OFFICE_CONVERSION,
    OFFICE_POOL_SLOTS,
    MERGE,
    GATEWAY_UPLOAD,
    PAGE_CALLS,
    GATEWAY_DOWNLOAD,
    GET_DOCUMENT,
    BATCH_GET_DOCUMENTS,
    CREATE_TOKEN,
    SMALL_UPLOADS,
    QUEUE_LATENCY,
    MERGE_MEMORY,
    START_UP,
    *CLIENTS,
)
