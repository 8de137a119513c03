"""What the service allows: sizes, extensions, ages. One value, made from the settings."""

from dataclasses import dataclass
from datetime import timedelta

from osis_document_server.errors import ArgumentInvalid, BatchTooLarge, ExtensionNotAllowed, MetadataInvalid

#: Most items in a batch.
BATCH_LIMIT = 1000
#: Most bytes of a document's own metadata, as JSON.
METADATA_LIMIT_BYTES = 64 * 1024


@dataclass(frozen=True, kw_only=True)
class Limits:
    """The limits in force."""

    token_max_age: timedelta
    token_max_ttl: timedelta
    temp_upload_max_age: timedelta
    export_max_age: timedelta
    #: How long deleted documents can be brought back.
    deleted_max_age: timedelta
    #: How long bytes stay that nothing refers to any more: longer than a read takes from the row to the bytes.
    blob_grace: timedelta
    job_max_age: timedelta
    #: How long a lease lasts from each extension. Workers extend it every third of that, so two extensions may get lost.
    lease_duration: timedelta
    #: How long a message may lie in the queue before another one is sent for the same task.
    resend_after: timedelta
    #: Bytes; None = any size.
    max_upload_size: int | None
    allowed_extensions: tuple[str, ...]
    validate_types: bool

    def require_extension(self, extension: str, *, field: str) -> None:
        """Raises ``ExtensionNotAllowed`` unless documents may have ``extension``; ``field`` is where the name came from."""
        if extension not in self.allowed_extensions:
            allowed = " ".join(self.allowed_extensions)
            what = f"files with the extension .{extension}" if extension else "files without an extension"
            raise ExtensionNotAllowed(
                f"The service does not accept {what}. It accepts: {allowed}.",
                field=field,
                extension=extension,
                allowed=allowed,
            )

    def token_ttl(self, asked: timedelta | None) -> timedelta:
        """Returns how long a token is good for.

        Raises:
            ArgumentInvalid: ``asked`` is not positive or longer than the cap.
        """
        if asked is None:
            return self.token_max_age
        if not timedelta(0) < asked <= self.token_max_ttl:
            raise ArgumentInvalid(
                f"ttl is {asked.total_seconds():g} s; it must be above 0 and at most {self.token_max_ttl.total_seconds():g} s.",
                field="ttl",
                value=f"{asked.total_seconds():g}s",
            )
        return asked


def require_batch(count: int, *, field: str) -> None:
    """Raises ``BatchTooLarge`` unless a batch has 1 to 1,000 items."""
    if not 1 <= count <= BATCH_LIMIT:
        raise BatchTooLarge(
            f"{field} has {count} items; send 1 to {BATCH_LIMIT} in one call.", field=field, count=count, limit=BATCH_LIMIT
        )


def require_metadata_size(size_bytes: int, *, field: str) -> None:
    """Raises ``MetadataInvalid`` when a document's own metadata is larger than 64 KiB."""
    if size_bytes > METADATA_LIMIT_BYTES:
        raise MetadataInvalid(
            f"{field} takes {size_bytes} bytes as JSON; at most {METADATA_LIMIT_BYTES} are kept with a document.",
            field=field,
            size_bytes=size_bytes,
            limit_bytes=METADATA_LIMIT_BYTES,
        )
