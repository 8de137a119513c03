"""What `manage.py check` says of settings that are missing, wrong, or not those of the service."""

import re

import pytest
from django.core.checks import Error, run_checks

from osis_document.checks import TAG
from osis_document.utils import confirm_upload, save_raw_upload
from tests.support.files import turned_jpeg
from tests.support.ports import free_port
from tests.support.server import serving

VARIABLES_OF_THE_CLIENT = "OSIS_DOCUMENT_TARGET|OSIS_DOCUMENT_API_KEY|OSIS_DOCUMENT_CLIENT"


def check():
    """What the app's checks say, by id."""
    return {message.id: message for message in run_checks(tags=[TAG])}


@pytest.fixture(scope="module")
def strict_service(tmp_path_factory):
    """A service that accepts little."""
    folder = tmp_path_factory.mktemp("strict")
    with serving(folder, ALLOWED_EXTENSIONS="pdf,jpg", MAX_UPLOAD_SIZE="1000", TOKEN_MAX_AGE="60") as running:
        yield running


def test_nothing_is_said_of_settings_that_let_the_project_in(service):
    assert check() == {}


@pytest.mark.parametrize(
    ("name", "number"),
    [
        ("OSIS_DOCUMENT_BASE_URL", "E001"),
        ("OSIS_DOCUMENT_API_SHARED_SECRET", "E002"),
        ("OSIS_DOCUMENT_GRPC_TARGET", "E003"),
    ],
)
def test_each_setting_that_is_missing_is_an_error_of_its_own_with_an_example(osis_settings, name, number):
    delattr(osis_settings, name)

    found = check()

    assert list(found) == [f"osis_document.{number}"]
    [message] = found.values()
    assert isinstance(message, Error)
    assert message.msg == f"{name} is not set."
    assert "for example" in message.hint


@pytest.mark.parametrize(
    ("name", "value", "number", "words"),
    [
        ("OSIS_DOCUMENT_BASE_URL", "/osis_document/", "E001", "begins with http"),
        ("OSIS_DOCUMENT_TIMEOUTS", {"calls": 3}, "E004", "OSIS_DOCUMENT_TIMEOUTS"),
        ("OSIS_DOCUMENT_TIMEOUTS", {"call": 0}, "E004", "OSIS_DOCUMENT_TIMEOUTS"),
        ("OSIS_DOCUMENT_TOKEN_MAX_AGE", "soon", "E004", "OSIS_DOCUMENT_TOKEN_MAX_AGE"),
        ("OSIS_DOCUMENT_DOMAIN_LIST", "one.example", "E004", "OSIS_DOCUMENT_DOMAIN_LIST"),
        ("OSIS_DOCUMENT_MAX_UPLOAD_SIZE", 0, "E004", "OSIS_DOCUMENT_MAX_UPLOAD_SIZE"),
        ("OSIS_DOCUMENT_UPLOAD_LIMIT", "ten a minute", "E004", "OSIS_DOCUMENT_UPLOAD_LIMIT"),
        ("OSIS_DOCUMENT_UPLOAD_LIMIT", "-1/minute", "E004", "OSIS_DOCUMENT_UPLOAD_LIMIT"),
        ("OSIS_DOCUMENT_TRUSTED_ADDRESSES", ["10.0.0.0/33"], "E004", "OSIS_DOCUMENT_TRUSTED_ADDRESSES"),
        ("ENABLE_MIMETYPE_VALIDATION", "False", "E004", "ENABLE_MIMETYPE_VALIDATION"),
        ("OSIS_DOCUMENT_GRPC_TLS_CERT", "half.pem", "E004", "OSIS_DOCUMENT_GRPC_TLS_CA, _CERT and _KEY"),
        ("OSIS_DOCUMENT_API_SHARED_SECRET", "sécret", "E004", "OSIS_DOCUMENT_API_SHARED_SECRET"),
    ],
)
def test_a_value_that_cannot_be_is_an_error_that_names_its_setting(osis_settings, store, name, value, number, words):
    store()  # with a document there is more to compare
    setattr(osis_settings, name, value)

    found = check()

    assert list(found) == [f"osis_document.{number}"]
    assert words in found[f"osis_document.{number}"].hint
    assert not re.search(VARIABLES_OF_THE_CLIENT, str(found)), "a project has other names for them"


def test_a_service_that_does_not_answer_is_a_warning_that_names_the_target(osis_settings):
    osis_settings.OSIS_DOCUMENT_GRPC_TARGET = f"127.0.0.1:{free_port()}"

    found = check()

    assert list(found) == ["osis_document.W001"]
    assert osis_settings.OSIS_DOCUMENT_GRPC_TARGET in found["osis_document.W001"].msg
    assert "OSIS_DOCUMENT_GRPC_TARGET" in found["osis_document.W001"].hint
    assert not re.search(VARIABLES_OF_THE_CLIENT, str(found))


def test_a_key_that_the_service_does_not_know_is_a_warning_that_does_not_show_it(osis_settings):
    osis_settings.OSIS_DOCUMENT_API_SHARED_SECRET = "quite-another-secret"

    found = check()

    assert list(found) == ["osis_document.W002"]
    assert "quite-another-secret" not in str(found["osis_document.W002"])


def test_settings_that_the_service_has_otherwise_are_warnings_that_show_both(strict_service, osis_settings):
    osis_settings.OSIS_DOCUMENT_GRPC_TARGET = strict_service.target
    osis_settings.OSIS_DOCUMENT_ALLOWED_EXTENSIONS = ["pdf", "docx"]
    osis_settings.OSIS_DOCUMENT_MAX_UPLOAD_SIZE = 5_000
    osis_settings.OSIS_DOCUMENT_TOKEN_MAX_AGE = 900

    found = check()

    assert sorted(found) == ["osis_document.W003", "osis_document.W004"]  # without a document, the age cannot be seen
    assert "docx pdf here and pdf jpg in the document service" in found["osis_document.W003"].msg
    assert "5000 here and 1000 in" in found["osis_document.W004"].msg
    confirm_upload(save_raw_upload(turned_jpeg(8, 8), "photo.jpg").token)
    assert "900 here and 60 in" in check()["osis_document.W005"].msg
    assert strict_service.rows("upload") == [], "asking begins nothing"


def test_settings_that_agree_in_other_words_are_fine(strict_service, osis_settings):
    osis_settings.OSIS_DOCUMENT_GRPC_TARGET = strict_service.target
    osis_settings.OSIS_DOCUMENT_ALLOWED_EXTENSIONS = ["JPEG", "pdf"]
    osis_settings.OSIS_DOCUMENT_MAX_UPLOAD_SIZE = 1_000
    osis_settings.OSIS_DOCUMENT_TOKEN_MAX_AGE = 60

    assert check() == {}


@pytest.mark.parametrize("address", ["https://one.example/elsewhere/", "https://one.example/"])
def test_links_that_lead_elsewhere_than_the_gateway_are_a_warning_that_shows_both(osis_settings, address):
    osis_settings.OSIS_DOCUMENT_BASE_URL = address

    found = check()

    assert list(found) == ["osis_document.W006"]
    assert repr(address) in found["osis_document.W006"].msg
    assert "'/osis_document/'" in found["osis_document.W006"].msg


def test_a_path_that_a_proxy_adds_is_fine_and_so_is_a_secondary_server_without_a_gateway(osis_settings):
    osis_settings.OSIS_DOCUMENT_BASE_URL = "https://one.example/behind/a/proxy/osis_document"
    assert check() == {}

    osis_settings.OSIS_DOCUMENT_BASE_URL = "https://primary.example/elsewhere/"
    osis_settings.ROOT_URLCONF = "tests.django_app.project.no_gateway_urls"
    assert check() == {}


def test_a_project_may_have_the_service_left_alone(osis_settings):
    osis_settings.OSIS_DOCUMENT_GRPC_TARGET = f"127.0.0.1:{free_port()}"
    osis_settings.OSIS_DOCUMENT_TIMEOUTS = {"check": None}

    assert check() == {}
