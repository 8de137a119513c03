"""What permissions and the admin call the things that the service keeps.

There are no tables here, and no migrations: both are read from the service.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db import models
from django.utils.translation import gettext_lazy as _

if TYPE_CHECKING:
    _Manager = models.Manager[models.Model]
else:
    _Manager = models.Manager


class NoRows(_Manager):
    """Finds nothing, without asking a database, so that `dumpdata` and the like pass over what has no table."""

    def get_queryset(self) -> models.QuerySet[models.Model]:
        """No rows."""
        return super().get_queryset().none()


class _InService(models.Model):
    """Something that the service keeps. Who may view it sees it in the admin; who may change it may also delete it."""

    id: models.UUIDField[Any, Any] = models.UUIDField(primary_key=True)

    objects: Any = NoRows()

    class Meta:
        abstract = True
        managed = False
        default_permissions = ("view", "change")
        base_manager_name = "objects"


class Document(_InService):
    """A document of the service."""

    name: models.CharField[Any, Any] = models.CharField(max_length=255)

    class Meta(_InService.Meta):
        verbose_name = _("document")
        verbose_name_plural = _("documents")

    def __str__(self) -> str:
        return str(self.name)


class PostProcessing(_InService):
    """A post-processing of the service."""

    class Meta(_InService.Meta):
        verbose_name = _("post-processing")
        verbose_name_plural = _("post-processings")

    def __str__(self) -> str:
        return str(self.id)
