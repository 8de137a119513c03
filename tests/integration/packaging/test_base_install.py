"""What `pip install osis-document` without any extra gives: the stubs and the client, and nothing that belongs to the others.

The wheel is built with the build backend of this environment, and installed into a fresh one with requirements/base.txt alone.
"""

import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
VERSION = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
UV = Path(sys.executable).with_name("uv")

pytestmark = [pytest.mark.one_database, pytest.mark.slow]


def run(*command: str | Path) -> str:
    """Runs a command outside the repository's folder, so that nothing is imported from there; returns what it printed."""
    done = subprocess.run(command, cwd=ROOT.parent, capture_output=True, text=True, timeout=100)
    assert done.returncode == 0, f"{' '.join(map(str, command))} ended with {done.returncode}:\n{done.stdout}{done.stderr}"
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    folder = tmp_path_factory.mktemp("dist")
    run(UV, "build", "--wheel", "--no-build-isolation", "--python", sys.executable, "--out-dir", folder, ROOT)
    [path] = folder.glob("*.whl")
    return path


@pytest.fixture(scope="module")
def base_install(wheel, tmp_path_factory):
    """The ``bin`` folder of an environment with the base install alone."""
    venv = tmp_path_factory.mktemp("base") / "venv"
    run(UV, "venv", "--python", sys.executable, venv)
    python = venv / "bin" / "python"
    run(UV, "pip", "sync", "--python", python, "--require-hashes", ROOT / "requirements" / "base.txt")
    run(UV, "pip", "install", "--python", python, "--no-deps", wheel)
    return venv / "bin"


def test_the_wheel_holds_the_packages_the_licence_and_the_marks_of_typed_code(wheel):
    names = set(zipfile.ZipFile(wheel).namelist())

    assert {"osis/document/v1/document_pb2.py", "osis/document/v1/document_pb2.pyi", "osis/document/v1/py.typed"} <= names
    assert f"osis_document-{VERSION}.dist-info/licenses/LICENSE" in names
    assert {name.partition("/")[0] for name in names} == {
        "osis",
        "osis_document",
        "osis_document_client",
        "osis_document_components",
        "osis_document_server",
        "osis_document_workers",
        f"osis_document-{VERSION}.dist-info",
    }


def test_the_locked_base_packages_are_all_that_the_base_install_needs(base_install):
    run(UV, "pip", "check", "--python", base_install / "python")


def test_the_base_install_imports_the_stubs_and_the_client(base_install):
    code = "import osis.document.v1.upload_service_pb2_grpc as s, osis_document_client as c; print(s.__file__, c.__file__)"

    for place in run(base_install / "python", "-c", code).split():
        assert Path(place).is_relative_to(base_install.parent)


@pytest.mark.parametrize("module", ["peewee", "dramatiq", "PIL", "django", "pydantic", "pypdf", "boto3", "psycopg"])
def test_the_base_install_brings_nothing_of_the_server_the_workers_or_django(base_install, module):
    code = f"import importlib.util; print(importlib.util.find_spec({module!r}))"

    assert run(base_install / "python", "-c", code).strip() == "None"


def test_the_command_line_of_the_base_install_knows_its_version(base_install):
    assert VERSION in run(base_install / "osis-document", "--version")


def test_the_command_line_of_the_base_install_lists_its_commands(base_install):
    assert "upload" in run(base_install / "osis-document", "--help")
