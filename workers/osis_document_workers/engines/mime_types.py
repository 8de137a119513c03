"""The types of documents, as the service names them."""

from __future__ import annotations

PDF = "application/pdf"
DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
DOC = "application/msword"
ODT = "application/vnd.oasis.opendocument.text"
TEXT = "text/plain"
JPEG = "image/jpeg"
PNG = "image/png"
