"""Which kinds of files there are, and what their extensions are."""

PDF = "application/pdf"
DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
DOC = "application/msword"
ODT = "application/vnd.oasis.opendocument.text"
TEXT = "text/plain"
JPEG = "image/jpeg"
PNG = "image/png"

#: What is told of files that are none of these.
HTML = "text/html"
ZIP = "application/zip"
OLE = "application/x-ole-storage"
UNKNOWN = "application/octet-stream"

#: What can be rotated.
IMAGES = frozenset({JPEG, PNG})

#: What every worker can make a PDF of; others can be added by a setting. A PDF passes through unless more is asked for.
CONVERTIBLE = frozenset({DOCX, DOC, ODT, TEXT, JPEG, PNG})

#: The type that a file must have if its name has this extension. Other extensions are not validated.
TYPE_BY_EXTENSION = {"pdf": PDF, "docx": DOCX, "doc": DOC, "odt": ODT, "txt": TEXT, "jpg": JPEG, "png": PNG}
