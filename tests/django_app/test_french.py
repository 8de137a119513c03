"""Every text for users is there in French."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from django.utils import translation

import osis_document
from osis_document import exceptions
from tests.support.availability import require_program

pytestmark = pytest.mark.without_service

APP = Path(osis_document.__file__).parent
CATALOGUE = Path("locale/fr/LC_MESSAGES/django.po")


def entries(catalogue: Path) -> dict[str, str]:
    """The texts of a catalogue, and what is said of each."""
    blocks = catalogue.read_text(encoding="utf-8").split("\n\n")
    return {match[1]: block for block in blocks[1:] if (match := re.search(r'^msgid ((?:".*"\n?)+)', block, re.MULTILINE))}


def test_every_text_is_translated(tmp_path: Path) -> None:
    require_program("xgettext")
    app = tmp_path / "osis_document"
    shutil.copytree(APP, app, ignore=shutil.ignore_patterns("__pycache__", "static", "node_modules"))
    command = [sys.executable, "-m", "django", "makemessages", "-l", "fr", "--no-location", "--no-wrap", "--no-obsolete"]
    environment = {name: value for name, value in os.environ.items() if name != "DJANGO_SETTINGS_MODULE"}
    done = subprocess.run(command, cwd=app, env=environment, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr
    found, kept = entries(app / CATALOGUE), entries(APP / CATALOGUE)
    how = f"run `{' '.join(command[1:])}` in {APP}, translate what is empty, and run `django-admin compilemessages` there"
    assert found.keys() == kept.keys(), how
    untranslated = [
        text for text, block in kept.items() if "fuzzy" in block or re.search(r'^msgstr(\[\d\])? ""$', block, re.MULTILINE)
    ]
    assert not untranslated, how


def test_the_compiled_catalogue_is_that_of_the_texts(tmp_path: Path) -> None:
    require_program("msgfmt")
    compiled = tmp_path / "django.mo"
    subprocess.run(["msgfmt", "--check-format", "-o", str(compiled), str(APP / CATALOGUE)], check=True, timeout=60)
    assert compiled.read_bytes() == (APP / CATALOGUE).with_suffix(".mo").read_bytes()


def test_refusals_are_told_in_the_language_of_the_user() -> None:
    with translation.override("fr"):
        assert exceptions.TokenExpired().message == "L’accès à ce fichier a expiré. Rechargez la page et réessayez."
    with translation.override("en"):
        assert "has expired" in exceptions.TokenExpired().message
