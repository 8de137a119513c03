"""The words that callers of the app use; each member is equal to its own name."""

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy


class FileStatus(TextChoices):
    """Where a document is in its life."""

    REQUESTED = "REQUESTED", _("Requested")
    UPLOADED = "UPLOADED", _("Uploaded")
    DELETED = "DELETED", _("Deleted")
    INFECTED = "INFECTED", _("Infected")


class TokenAccess(TextChoices):
    """What a token allows."""

    READ = "READ", _("Read")
    WRITE = "WRITE", _("Write")


class DocumentError(TextChoices):
    """The codes of refusals, as `{"error": {"code": …}}` has them."""

    INFECTED = "INFECTED", _("The file was declared infected")
    HASH_MISMATCH = "HASH_MISMATCH", _("The file is damaged")
    MIME_MISMATCH = "MIME_MISMATCH", _("The content of the file does not match its extension")
    TOKEN_NOT_FOUND = "TOKEN_NOT_FOUND", _("The token is not valid, or not any more")
    UPLOAD_NOT_FOUND = "UPLOAD_NOT_FOUND", _("There is no such file")


class PostProcessingType(TextChoices):
    """What a post-processing does with files."""

    CONVERT = "CONVERT", _("Convert to PDF")
    MERGE = "MERGE", _("Merge")


class PostProcessingWanted(TextChoices):
    """Which result of a post-processing is wanted; none of these: the last one."""

    CONVERT = "CONVERT", _("The converted file")
    MERGE = "MERGE", _("The merged file")
    ORIGINAL = "ORIGINAL", _("The original file")


class PostProcessingStatus(TextChoices):
    """How a post-processing, or one of its actions, stands."""

    PENDING = "PENDING", _("Pending")
    FAILED = "FAILED", _("Failed")
    DONE = "DONE", _("Done")


class PageFormatEnums(TextChoices):
    """The page sizes that merged files can be fitted to."""

    A0 = "A0", "A0"
    A1 = "A1", "A1"
    A2 = "A2", "A2"
    A3 = "A3", "A3"
    A4 = "A4", "A4"
    A5 = "A5", "A5"
    A6 = "A6", "A6"
    A7 = "A7", "A7"
    A8 = "A8", "A8"
    C4 = "C4", "C4"
    LETTER = "LETTER", pgettext_lazy("page size", "Letter")
    LEGAL = "LEGAL", pgettext_lazy("page size", "Legal")


class DocumentExpirationPolicy(TextChoices):
    """How long a document is kept."""

    NO_EXPIRATION = "NO_EXPIRATION", _("Until it is deleted")
    EXPORT_EXPIRATION_POLICY = "EXPORT_EXPIRATION_POLICY", _("As a generated export, for some days")
