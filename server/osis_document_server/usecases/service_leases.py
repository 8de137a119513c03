"""Work that one server at a time does for all of them."""

from datetime import datetime, timedelta
from uuid import UUID, uuid4

from peewee import EXCLUDED

from osis_document_server.models.database import unit_of_work
from osis_document_server.models.tables import ServiceLeaseRow
from osis_document_server.usecases.service import Service


class ServiceLease:
    """The right to do some work, held until it runs out or is given up.

    Args:
        service: for its database and clock.
        name: which work: ``sweep``, ``scrub``.
        lasts: how long each taking of it lasts.
    """

    def __init__(self, service: Service, name: str, *, lasts: timedelta) -> None:
        self._service = service
        self._name = name
        self._lasts = lasts
        self._holder: UUID = uuid4()

    def take(self) -> bool:
        """Takes the lease, or takes it again; False: another server has it."""
        now: datetime = self._service.now()
        with unit_of_work(self._service.database):
            taken = (
                ServiceLeaseRow.insert(name=self._name, holder=self._holder, expires_at=now + self._lasts)
                .on_conflict(
                    conflict_target=[ServiceLeaseRow.name],
                    update={ServiceLeaseRow.holder: EXCLUDED.holder, ServiceLeaseRow.expires_at: EXCLUDED.expires_at},
                    where=(ServiceLeaseRow.holder == self._holder) | (ServiceLeaseRow.expires_at < now),
                )
                .as_rowcount()
                .execute()
            )
        return bool(taken)

    def give_up(self) -> None:
        """Lets another server have it at once."""
        with unit_of_work(self._service.database):
            ServiceLeaseRow.delete().where(ServiceLeaseRow.name == self._name, ServiceLeaseRow.holder == self._holder).execute()
