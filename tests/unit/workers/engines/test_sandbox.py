from __future__ import annotations

import logging
import shutil
import socket
import sys
from pathlib import Path

import pytest

from osis_document_workers.engines import launcher, sandbox
from osis_document_workers.engines.limits import Limits


@pytest.fixture(autouse=True)
def _namespaces() -> None:
    if sandbox._working_prefix() is None:
        pytest.skip("this host permits no namespaces (bubblewrap)")


def test_a_namespace_has_no_network(scratch: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        program = f"import socket; socket.create_connection(('127.0.0.1', {server.getsockname()[1]}), timeout=5)"
        completed = launcher.run([sys.executable, "-I", "-c", program], limits=Limits(), cwd=scratch)
    assert completed.exit_code == 1
    assert b"Error" in completed.stderr


def test_a_namespace_shows_no_other_files_than_those_given(scratch: Path, tmp_path: Path) -> None:
    (tmp_path / "given").write_text("given")
    (tmp_path / "given").chmod(0o644)
    (tmp_path / "secret").write_text("secret")
    command = ["cat", str(tmp_path / "given"), str(tmp_path / "secret"), "/etc/passwd"]
    completed = launcher.run(command, limits=Limits(), cwd=scratch, read_only=[tmp_path / "given"])
    assert completed.stdout == b"given"
    assert completed.stderr.count(b"No such file") == 2


def test_a_namespace_can_write_to_the_scratch_folder_alone(scratch: Path, tmp_path: Path) -> None:
    shared = tmp_path / "shared"
    shared.mkdir()
    shared.chmod(0o777)
    script = f"echo kept > kept; echo no > {shared}/no; echo no > /usr/no"
    completed = launcher.run(["sh", "-c", script], limits=Limits(), cwd=scratch, read_only=[shared])
    assert (scratch / "kept").read_text() == "kept\n"
    assert list(shared.iterdir()) == []
    assert completed.exit_code != 0


def test_a_namespace_shows_no_other_processes(scratch: Path) -> None:
    completed = launcher.run(["sh", "-c", "ls /proc | grep -c '^[0-9]'"], limits=Limits(), cwd=scratch)
    assert int(completed.stdout) < 10


def test_a_host_without_bubblewrap_runs_the_command_as_it_is_and_says_so_once(
    scratch: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    which = shutil.which
    monkeypatch.setattr(shutil, "which", lambda name: None if name == "bwrap" else which(name))
    sandbox._working_prefix.cache_clear()
    try:
        with caplog.at_level(logging.WARNING, logger=sandbox.__name__):
            for _ in range(2):
                assert launcher.run(["true"], limits=Limits(), cwd=scratch).exit_code == 0
    finally:
        sandbox._working_prefix.cache_clear()
    assert [record.message for record in caplog.records if "bubblewrap" in record.message] == [
        "engines run without a namespace: bubblewrap is not installed (package bubblewrap)"
    ]
