"""Every use that the seed shows runs as it is written there, against a real service."""

import io
from pathlib import Path
from uuid import UUID

import pytest
import yaml
from django import forms
from django.conf import settings as django_settings
from django.core.management import call_command
from django.template import Context, Template
from django.urls import include, path
from PIL import Image
from pypdf import PdfReader

from osis_document.api.utils import get_remote_metadata, get_remote_token, get_remote_tokens
from osis_document.contrib import FileUploadField
from osis_document.contrib.post_processing.converter_registry import converter_registry
from osis_document.contrib.post_processing.merger import Merger
from osis_document.contrib.post_processing.post_processing_enums import PageFormatEnums
from osis_document.enums import PostProcessingType
from osis_document.utils import post_process
from tests.seed.admission.models import MyModel
from tests.support.documents import get

pytestmark = [pytest.mark.django_db, pytest.mark.timeout(180)]

NOTE = b"A note."


class MyModelForm(forms.Form):
    files = FileUploadField(
        related_model={"app": "admission", "model": "mymodel", "field": "placed", "instance_filter_fields": ["uuid"]},
    )

    def save(self, instance):
        return self.fields["files"].persist(self.cleaned_data["files"], instance)


def _picture() -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (200, 100), "red").save(file, "PNG")
    return file.getvalue()


@pytest.fixture
def a(store):
    return store(NOTE, "a.txt")


@pytest.fixture
def b(store):
    return store(_picture(), "b.png")


def test_the_settings_and_the_address_of_a_primary_server():
    urlpatterns = []
    if "osis_document" in django_settings.INSTALLED_APPS:
        urlpatterns += (path("osis_document/", include("osis_document.urls")),)

    assert {pattern.name for pattern in urlpatterns[0].url_patterns} >= {"request-upload", "confirm-upload"}


def test_a_model_keeps_documents(upload, stored_bytes):
    instance = MyModel(files=[upload(_picture(), "card.png")], portrait=[upload(_picture(), "portrait.png")])
    instance.full_clean()
    instance.save()
    instance.refresh_from_db()

    assert all(isinstance(document, UUID) for document in [*instance.files, *instance.portrait])
    assert stored_bytes(str(instance.files[0])) == _picture()


@pytest.mark.needs_libreoffice
@pytest.mark.django_db(transaction=True)
def test_a_model_converts_and_merges(upload):
    instance = MyModel.objects.create(dossier=[upload(NOTE, "a.txt"), upload(_picture(), "b.png")])

    merged = get_remote_metadata(get_remote_token(instance.dossier[0]))
    converted = get_remote_metadata(get_remote_token(instance.dossier[0], wanted_post_process="CONVERT"))

    assert (merged["name"], merged["mimetype"]) == ("merge_filename.pdf", "application/pdf")
    assert converted["mimetype"] == "application/pdf"
    assert get_remote_metadata(get_remote_token(instance.dossier[0], wanted_post_process="ORIGINAL"))["name"] == "a.txt"


def test_a_form_persists_documents_where_the_model_field_says(upload, stored_bytes, service):
    instance = MyModel.objects.create()
    form = MyModelForm({"files_0": upload(NOTE, "a.txt"), "files_1": upload(_picture(), "b.png")})
    assert form.is_valid(), form.errors

    first, second = form.save(instance)

    assert stored_bytes(str(first)) == NOTE
    assert stored_bytes(str(second)) == _picture()
    assert get(service.stubs("alpha"), str(first)).path == f"admission/{instance.uuid}/a.txt"


def test_a_page_shows_documents(upload):
    my_instance = MyModel.objects.create(file=[upload(NOTE, "a.txt")])
    page = Template(
        """
{% load osis_document %}
{% for file_uuid in my_instance.file %}
    {% get_metadata file_uuid as metadata %}
    {% get_file_url file_uuid as file_url %}
    <a href="{{ file_url }}">{{ metadata.name }} ({{ metadata.mimetype }} - {{ metadata.size|filesizeformat }})</a>
{% endfor %}
{% document_visualizer my_instance.file %}
{% document_editor my_instance.file.0 zoom=False %}
"""
    )

    html = page.render(Context({"my_instance": my_instance}))

    assert "a.txt (text/plain - 7\xa0bytes)</a>" in html
    assert 'class="osis-document-visualizer"' in html
    assert 'class="osis-document-editor"' in html
    assert 'data-zoom="false"' in html


def test_tokens_and_metadata_are_had_from_afar(a, b):
    document_uuid = a
    token = get_remote_token(uuid=document_uuid, write_token=False, wanted_post_process=None, custom_ttl=3600)
    tokens = get_remote_tokens(uuids=[a, b], wanted_post_process=None, custom_ttl=None)
    metadata = get_remote_metadata(token)

    assert set(tokens) == {a, b}
    assert get_remote_metadata(tokens[b])["mimetype"] == "image/png"
    assert (metadata["name"], metadata["size"], metadata["mimetype"], metadata["upload_uuid"]) == ("a.txt", 7, "text/plain", a)
    assert metadata["url"].startswith(django_settings.OSIS_DOCUMENT_BASE_URL)
    assert get_remote_metadata("no token") is None


@pytest.mark.needs_libreoffice
def test_documents_are_converted_and_merged_by_one_call(a, b, stored_bytes):
    result = post_process(
        uuid_list=[a, b],
        post_process_actions=[PostProcessingType.CONVERT.name, PostProcessingType.MERGE.name],
        post_process_params={
            PostProcessingType.CONVERT.name: {"output_filename": "conversion_file_name"},
            PostProcessingType.MERGE.name: {"pages_dimension": PageFormatEnums.A4.name, "output_filename": "merge_file_name"},
        },
    )

    assert [str(each) for each in result["CONVERT"]["input"]] == [a, b]
    assert [str(each) for each in result["MERGE"]["input"]] == [
        str(each) for each in result["CONVERT"]["output"]["upload_objects"]
    ]
    records = [*result["CONVERT"]["output"]["post_processing_objects"], *result["MERGE"]["output"]["post_processing_objects"]]
    assert len(set(records)) == 3, "two conversions and a merge"
    [merged] = result["MERGE"]["output"]["upload_objects"]
    pages = PdfReader(io.BytesIO(stored_bytes(str(merged)))).pages
    assert pages[0].extract_text().strip() == "A note."
    assert len(pages) == 2


@pytest.mark.needs_libreoffice
def test_the_converters_and_the_merger_are_called_by_hand(a, b, stored_bytes):
    output = converter_registry.process(upload_objects_uuid=[a, b], output_filename="new_filename")
    merged = Merger().process(
        input_uuid_files=output["upload_objects"], filename="new_filename", pages_dimension=PageFormatEnums.A4.name
    )

    assert len(output["upload_objects"]) == len(output["post_processing_objects"]) == 2
    [document], [_record] = merged["upload_objects"], merged["post_processing_objects"]
    sizes = [page.mediabox[2:] for page in PdfReader(io.BytesIO(stored_bytes(str(document)))).pages]
    assert sorted(round(float(side)) for side in sizes[0]) == [595, 842]


@pytest.mark.django_db(transaction=True)
def test_a_document_moves_to_another_field(upload, stored_bytes):
    instance = MyModel.objects.create(file=[upload(NOTE, "a.txt")])

    instance.another_file = instance.file
    instance.file = []
    instance._files_to_keep = instance.another_file
    instance.save()

    instance.refresh_from_db()
    assert instance.file == []
    assert stored_bytes(str(instance.another_file[0])) == NOTE


def test_the_schema_is_generated(tmp_path: Path):
    call_command(
        "generateschema",
        urlconf="osis_document.urls",
        generator_class="osis_document.api.schema.OsisDocumentSchemaGenerator",
        file=str(tmp_path / "schema.yml"),
    )

    schema = yaml.safe_load((tmp_path / "schema.yml").read_text(encoding="utf-8"))
    assert any(address.endswith("request-upload") for address in schema["paths"])
