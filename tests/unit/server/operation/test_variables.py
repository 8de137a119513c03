"""Variables that nobody reads."""

import re
from pathlib import Path

import pytest

from osis_document_client._config import _VARIABLES as OF_CLIENTS
from osis_document_server.operation.variables import unknown_variables
from osis_document_server.settings import PREFIX, Settings
from osis_document_workers.settings import Settings as WorkerSettings

_PAGE = Path(__file__).parents[4] / "docs/reference/configuration.md"


def test_what_any_of_the_programs_reads_is_known() -> None:
    of_settings = (f"{PREFIX}{name.upper()}" for settings in (Settings, WorkerSettings) for name in settings.model_fields)
    assert unknown_variables([*OF_CLIENTS.values(), *of_settings]) == {}


def test_what_stands_on_the_configuration_page_is_known() -> None:
    documented = set(re.findall(rf"`({PREFIX}[A-Z_]+)`", _PAGE.read_text(encoding="utf-8")))
    assert len(documented) > 30
    assert unknown_variables(documented) == {}


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("OSIS_DOCUMENT_MAX_UPLOD_SIZE", "OSIS_DOCUMENT_MAX_UPLOAD_SIZE"),
        ("OSIS_DOCUMENT_LISTENS", "OSIS_DOCUMENT_LISTEN"),
        ("OSIS_DOCUMENT_TLS_CERTIFICAT", "OSIS_DOCUMENT_TLS_CERTIFICATE"),
        ("osis_document_brokerurl", "OSIS_DOCUMENT_BROKER_URL"),
        ("OSIS_DOCUMENT_COLOUR_OF_THE_SKY", ""),
    ],
)
def test_what_is_near_may_be_meant(name: str, meant: str) -> None:
    assert unknown_variables([name, "PATH", "OSIS_DOCUMENT_LISTEN", "osis_document_listen"]) == {name: meant}
