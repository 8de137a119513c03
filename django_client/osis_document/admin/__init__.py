"""Documents and post-processings in Django's admin, read from the service page by page.

A project with a site of its own registers `DocumentAdmin` and `PostProcessingAdmin` there.
"""

from django.contrib import admin

from ..models import Document, PostProcessing
from .documents import DocumentAdmin
from .post_processings import PostProcessingAdmin

__all__ = ["DocumentAdmin", "PostProcessingAdmin"]

admin.site.register(Document, DocumentAdmin)
admin.site.register(PostProcessing, PostProcessingAdmin)
