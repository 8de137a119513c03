"""The app's own tests with the oldest Django that it supports, and with none of PostgreSQL's drivers.

The newest Django is what all other tests run with.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.documents import get
from tests.support.server import KEYS, ServerProcess

_HERE = Path(__file__).parent
_ROOT = _HERE.parents[1]
_UV = Path(sys.executable).with_name("uv")

pytestmark = [pytest.mark.slow, pytest.mark.without_service, pytest.mark.timeout(500)]


def _run_tests(*arguments: str, python_path: str = "") -> str:
    """Runs some of the app's tests in a process of their own; answers what it printed."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST")}
    ended = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *arguments],
        cwd=_ROOT,
        env=environment | {"PYTHONPATH": python_path},
        capture_output=True,
        text=True,
        timeout=450,
    )
    told = [line for line in ended.stdout.splitlines() if line.startswith(("E  ", ">  ", "FAILED", "ERROR", "tests/"))]
    assert ended.returncode == 0, "\n".join([*told, ended.stdout[-1_000:], ended.stderr[-2_000:]])
    return ended.stdout


def _files(*names: str) -> list[str]:
    return [str(_HERE / f"test_{name}.py") for name in names]


def test_the_app_works_with_django_4_2(tmp_path: Path) -> None:
    subprocess.run(
        [_UV, "pip", "install", "--quiet", "--target", tmp_path, "--require-hashes", "-r", "requirements/django42.txt"],
        cwd=_ROOT,
        check=True,
        timeout=100,
    )
    probe = [sys.executable, "-c", "import django; print(django.get_version())"]
    found = subprocess.run(probe, env=os.environ | {"PYTHONPATH": str(tmp_path)}, capture_output=True, text=True, check=True)
    assert found.stdout.startswith("4.2.")

    names = ("model_field", "template_tags", "drf_field", "migrations", "admin")
    # It warns of what the versions that come later have changed.
    printed = _run_tests("-W", "ignore::DeprecationWarning", *_files(*names), python_path=str(tmp_path))

    assert " passed" in printed


def test_the_app_works_without_psycopg(service: ServerProcess) -> None:
    settings = {
        "OSIS_DOCUMENT_BASE_URL": "http://testserver/osis_document/",
        "OSIS_DOCUMENT_GRPC_TARGET": service.target,
        "OSIS_DOCUMENT_API_SHARED_SECRET": KEYS["alpha"],
    }
    environment = {name: value for name, value in os.environ.items() if name != "DJANGO_SETTINGS_MODULE"}

    ended = subprocess.run(
        [sys.executable, _HERE / "project" / "without_psycopg.py"],
        env=environment,
        input=json.dumps(settings),
        capture_output=True,
        text=True,
        timeout=100,
    )

    assert ended.returncode == 0, ended.stderr
    [document] = json.loads(ended.stdout)
    assert get(service.stubs("alpha"), document).name == "note.txt"
