"""What the app tells whoever wants to know."""

from django.dispatch import Signal

#: Sent, with `uuids` (a list of texts), after this process has confirmed uploads.
documents_confirmed = Signal()
