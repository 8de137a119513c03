"""Migrations of hosts: those that exist load and need no successor, and the column is what it was."""

import importlib.util
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from uuid import uuid4

import pytest
from django.apps import apps
from django.core import checks
from django.db import connection, migrations, models
from django.db.migrations.autodetector import MigrationAutodetector
from django.db.migrations.state import ModelState, ProjectState
from django.db.migrations.writer import MigrationWriter

import osis_document_components.fields
from osis_document.contrib import fields
from osis_document.contrib.fields import FileField
from tests.django_app.project.dossiers.models import Person

pytestmark = pytest.mark.without_service

ROOT = Path(__file__).parents[2]


def changes_between(before: FileField, after: FileField) -> list[object]:
    """What makemigrations would write for a model whose field was one and is the other."""

    def state(field: FileField) -> ProjectState:
        project = ProjectState()
        project.add_model(ModelState("host", "Thing", [("id", models.AutoField(primary_key=True)), ("files", field)]))
        return project

    found = MigrationAutodetector(state(before), state(after))._detect_changes()
    return [operation for written in found.get("host", []) for operation in written.operations]


def test_an_existing_migration_needs_no_successor() -> None:
    written = FileField(base_field=models.UUIDField(), blank=True, default=list, size=1, verbose_name="Card")
    declared = FileField(
        "Card",
        blank=True,
        max_files=1,
        mimetypes=["application/pdf"],
        upload_to=lambda instance, name: name,
        post_processing=["CONVERT"],
        max_size=True,
    )
    assert changes_between(written, declared) == []
    assert changes_between(osis_document_components.fields.FileField(blank=True, verbose_name="Card"), declared) == []
    assert len(changes_between(written, FileField("Card", null=True))) == 1


def test_a_field_writes_itself_as_a_column_alone() -> None:
    field = Person._meta.get_field("card")
    _, path, args, keywords = field.deconstruct()
    assert (path, list(args), keywords) == ("osis_document.contrib.fields.FileField", [], {"default": list})
    text, imports = MigrationWriter.serialize(field)
    assert text == "osis_document.contrib.fields.FileField(default=list)"
    assert imports == {"import osis_document.contrib.fields"}
    assert FileField(size=3).options.max_files == 3


@pytest.mark.django_db(transaction=True)
def test_columns_are_made_and_changed_by_migrations() -> None:
    def migrated(*operations: object, state: ProjectState) -> ProjectState:
        migration = migrations.Migration("0001", "host")
        migration.operations = list(operations)
        with connection.schema_editor() as editor:
            return migration.apply(state, editor)

    fields_ = [("id", models.AutoField(primary_key=True)), ("one", FileField(base_field=models.UUIDField(), size=None))]
    state = migrated(migrations.CreateModel("Thing", fields_), state=ProjectState())
    document_id = uuid4()
    state.apps.get_model("host", "Thing").objects.create(one=[document_id])
    state = migrated(migrations.AddField("Thing", "two", FileField(blank=True)), state=state)
    thing = state.apps.get_model("host", "Thing").objects.get()
    assert (thing.one, thing.two) == ([document_id], [])
    # A migration may move documents about: without a service, and without losing one.
    thing.two, thing.one = thing.one, []
    thing.save()
    thing.delete()
    migrated(migrations.DeleteModel("Thing"), state=state)


def test_options_that_cannot_be_meant_are_found_by_check() -> None:
    field = FileField(post_processing=["CONVERT", "SHRINK"], min_files=3, max_files=2)
    field.set_attributes_from_name("files")
    field.model = Person
    found = {message.id: message for message in field.check(databases=[])}
    assert isinstance(found["osis_document.E101"], checks.Error)
    assert "'SHRINK'" in found["osis_document.E101"].msg
    assert found["osis_document.E101"].hint == "Choose from CONVERT, MERGE."
    assert "min_files is 3 and max_files is 2" in found["osis_document.E102"].msg
    assert not [message for message in apps.get_app_config("dossiers").get_models() for message in message.check(databases=[])]


def test_values_of_options_that_cannot_be_are_found_by_check() -> None:
    field = FileField(
        mimetypes="application/pdf",
        max_files="3",
        max_size="10 MB",
        min_files=-1,
        upload_to=3,
        document_expiration_policy="never",
    )
    field.set_attributes_from_name("files")
    field.model = Person
    found = [message.msg for message in field.check(databases=[]) if message.id == "osis_document.E103"]
    assert found == [
        "mimetypes is 'application/pdf'; it must be a list of media types.",
        "max_files is '3'; it must be a number of files.",
        "min_files is -1; it must be a number of files.",
        "max_size is '10 MB'; it must be a number of bytes, or True for OSIS_DOCUMENT_MAX_UPLOAD_SIZE.",
        "upload_to is 3; it must be a folder, or a function that answers a path.",
        "document_expiration_policy is 'never'; it must be one of NO_EXPIRATION, EXPORT_EXPIRATION_POLICY.",
    ]


def test_the_app_is_imported_without_psycopg() -> None:
    program = """
import sys
sys.modules["psycopg"] = sys.modules["psycopg2"] = None
import django
from django.conf import settings
settings.configure(INSTALLED_APPS=["osis_document", "osis_document_components"], SECRET_KEY="x")
django.setup()
import osis_document_components.fields, osis_document_components.forms
import osis_document.templatetags.osis_document
assert "django.contrib.postgres" not in sys.modules
assert osis_document_components.forms.FileUploadField()._transaction_of(None) is None  # without a database, too
import osis_document_components.serializers  # REST framework looks whether it is there
"""
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr


def test_the_alias_app_has_the_same_things_and_asks_for_the_app() -> None:
    from osis_document_components import apps as alias_apps

    for module in ("fields", "forms", "widgets", "serializers", "validators", "enums", "exceptions", "services", "utils"):
        alias = importlib.import_module(f"osis_document_components.{module}")
        assert alias.__all__
        assert all(hasattr(alias, name) for name in alias.__all__)
    assert osis_document_components.fields.FileField is fields.FileField
    assert alias_apps._check_apps() == []
    installed = SimpleNamespace(is_installed=lambda name: False)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(alias_apps, "apps", installed)
        [error] = alias_apps._check_apps()
    assert error.hint == "Add 'osis_document' to INSTALLED_APPS."
