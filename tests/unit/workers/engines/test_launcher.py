from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

import psutil
import pytest

from osis_document_workers.engines import launcher, sandbox
from osis_document_workers.engines.errors import EngineCancelledError, EngineError, Reason
from osis_document_workers.engines.limits import MIB, Limits

from .processes import new_processes

ENGINES = Path(launcher.__file__).parent
PACKAGE_ROOT = ENGINES.parent.parent

pytestmark = pytest.mark.usefixtures("isolation")


@pytest.fixture
def life(scratch: Path) -> Path:
    """A pipe that commands hold open: it says when they run and ends when the last of them is gone."""
    path = scratch / "life"
    os.mkfifo(path)
    path.chmod(0o666)
    return path


def holding(life: Path, script: str) -> list[str]:
    return ["sh", "-c", f"exec 9>{life}; echo running >&9; {script}"]


def processes_mentioning(text: str) -> list[psutil.Process]:
    return [process for process in psutil.process_iter(["cmdline"]) if text in " ".join(process.info["cmdline"] or ())]


def assert_nothing_left(scratch: Path) -> None:
    assert processes_mentioning(str(scratch)) == []
    assert new_processes() == []


def test_the_exit_code_and_both_outputs_of_a_command_are_returned(scratch: Path) -> None:
    completed = launcher.run(["sh", "-c", "echo out; echo err >&2; exit 3"], limits=Limits(), cwd=scratch)
    assert (completed.exit_code, completed.stdout, completed.stderr) == (3, b"out\n", b"err\n")


def test_a_command_that_dies_of_a_signal_is_reported_as_such(scratch: Path) -> None:
    assert launcher.run(["sh", "-c", "kill -SEGV $$"], limits=Limits(), cwd=scratch).exit_code == -signal.SIGSEGV


def test_only_the_end_of_a_long_output_is_kept(scratch: Path) -> None:
    completed = launcher.run(["sh", "-c", "yes | head -c 1000000; echo end"], limits=Limits(), cwd=scratch)
    assert len(completed.stdout) == launcher.OUTPUT_TAIL_BYTES
    assert completed.stdout.endswith(b"end\n")


def test_a_secret_in_the_environment_does_not_reach_the_command(scratch: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OSIS_DOCUMENT_API_KEY", "a-secret")
    completed = launcher.run(["env"], limits=Limits(), cwd=scratch, env={"EXTRA": "1"})
    seen = dict(line.split("=", 1) for line in completed.stdout.decode().splitlines())
    seen.pop("PWD", None)  # bubblewrap sets it
    assert seen == {
        "PATH": os.environ["PATH"],
        "LANG": "C.UTF-8",
        "LC_ALL": "C.UTF-8",
        "HOME": str(scratch),
        "TMPDIR": str(scratch),
        "EXTRA": "1",
    }


def test_a_time_out_ends_the_command_and_all_that_it_started(scratch: Path, life: Path) -> None:
    script = f"sleep 1000 & setsid sh -c 'sleep 1000; : {scratch}' & wait"
    with life_reader(life) as reader:
        with pytest.raises(EngineError, match=r"longer than 0\.5 seconds") as failure:
            launcher.run(holding(life, script), limits=Limits(wall_seconds=0.5), cwd=scratch)
        assert reader.result() == b"running\n"  # and the end of the pipe: nobody holds it any more
    assert failure.value.reason == Reason.PROCESSING_TIMED_OUT
    assert not failure.value.retryable
    assert_nothing_left(scratch)


def test_what_a_command_leaves_in_the_background_ends_with_it(scratch: Path, life: Path) -> None:
    with life_reader(life) as reader:
        completed = launcher.run(holding(life, "setsid sleep 1000 & exit 0"), limits=Limits(), cwd=scratch)
        assert reader.result() == b"running\n"
    assert completed.exit_code == 0
    assert_nothing_left(scratch)


def test_a_cancel_ends_a_running_command(scratch: Path, life: Path) -> None:
    cancelled = threading.Event()
    with life_reader(life, on_start=cancelled.set) as reader:
        with pytest.raises(EngineCancelledError):
            launcher.run(holding(life, "sleep 1000"), limits=Limits(), cwd=scratch, cancelled=cancelled)
        assert reader.result() == b"running\n"
    assert_nothing_left(scratch)


def test_a_cancelled_run_does_not_start(scratch: Path) -> None:
    cancelled = threading.Event()
    cancelled.set()
    with pytest.raises(EngineCancelledError):
        launcher.run(["touch", str(scratch / "started")], limits=Limits(), cwd=scratch, cancelled=cancelled)
    assert list(scratch.iterdir()) == []


@pytest.mark.parametrize("victim", ["parent", "launcher"])
def test_a_killed_parent_or_launcher_leaves_nothing_behind(victim: str, isolation: str, scratch: Path, life: Path) -> None:
    program = (
        "import sys; sys.path.insert(0, sys.argv[1])\n"
        "from pathlib import Path\n"
        "from osis_document_workers.engines import launcher, limits, sandbox\n"
        "if sys.argv[3] == 'plain': sandbox._working_prefix = lambda: None\n"
        "launcher.run(sys.argv[4:], limits=limits.Limits(), cwd=Path(sys.argv[2]))\n"
    )
    arguments = [str(PACKAGE_ROOT), str(scratch), isolation, *holding(life, "sleep 1000")]
    parent = subprocess.Popen([sys.executable, "-c", program, *arguments], stderr=subprocess.DEVNULL)
    with life.open("rb") as pipe:
        assert pipe.readline() == b"running\n"
        if victim == "parent":
            parent.kill()
        else:
            [supervisor] = psutil.Process(parent.pid).children()
            supervisor.kill()
        assert pipe.read() == b""  # ends when the last process that holds it has gone
    parent.wait(30)
    psutil.wait_procs(processes_mentioning(str(scratch)), timeout=10)
    assert processes_mentioning(str(scratch)) == []


@pytest.mark.parametrize(
    "command",
    [[sys.executable, "-c", "x = []\nwhile True: x.append(bytearray(10 << 20))"], ["tail", "/dev/zero"]],
    ids=["python", "c"],
)
def test_a_command_that_eats_memory_is_stopped(command: list[str], scratch: Path) -> None:
    with pytest.raises(EngineError, match="more than 256 MiB of memory") as failure:
        launcher.run(command, limits=Limits(memory_bytes=256 * MIB), cwd=scratch)
    assert failure.value.reason == Reason.PROCESSING_TOO_LARGE
    assert_nothing_left(scratch)


def test_a_command_that_writes_too_much_is_stopped(scratch: Path) -> None:
    with pytest.raises(EngineError) as failure:
        launcher.run(["sh", "-c", "exec head -c 3000000 /dev/zero > big"], limits=Limits(output_bytes=MIB), cwd=scratch)
    assert failure.value.reason == Reason.PROCESSING_TOO_LARGE
    assert (scratch / "big").stat().st_size == MIB


def test_a_command_that_uses_too_much_processor_time_is_stopped(scratch: Path) -> None:
    with pytest.raises(EngineError, match="1 seconds of processor time") as failure:
        launcher.run(["sh", "-c", "while :; do :; done"], limits=Limits(cpu_seconds=1, wall_seconds=30), cwd=scratch)
    assert failure.value.reason == Reason.PROCESSING_TIMED_OUT


def test_a_program_that_does_not_exist_ends_with_a_status_and_a_reason(scratch: Path) -> None:
    completed = launcher.run(["no-such-program"], limits=Limits(), cwd=scratch)
    assert completed.exit_code != 0
    assert b"no-such-program" in completed.stderr


def test_no_file_descriptor_is_left_open(scratch: Path) -> None:
    launcher.run(["true"], limits=Limits(), cwd=scratch)
    before = psutil.Process().num_fds()
    for _ in range(3):
        launcher.run(["true"], limits=Limits(), cwd=scratch)
    assert psutil.Process().num_fds() == before


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
def test_root_becomes_nobody_and_can_write_to_the_scratch_folder() -> None:
    # Not below pytest's folder, which is closed to others.
    folder = Path(tempfile.mkdtemp())
    try:
        folder.chmod(0o755)
        user = sandbox.unprivileged_user()
        assert user is not None
        completed = launcher.run(
            ["sh", "-c", "id -u; grep NoNewPrivs /proc/self/status; touch made"], limits=Limits(), cwd=folder
        )
        assert completed.stdout.split() == [str(user.uid).encode(), b"NoNewPrivs:", b"1"]
        assert (folder / "made").stat().st_uid == user.uid
    finally:
        shutil.rmtree(folder)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root could run engines as root")
@pytest.mark.parametrize(("rights", "root"), [(0o700, True), (0o711, False)])
def test_where_nobody_reaches_the_scratch_folder_and_there_is_no_namespace_engines_would_be_root(
    rights: int, root: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "executable", "/bin/sh")  # Python may be in a folder that is closed to others
    monkeypatch.setattr(launcher, "SUPERVISOR", Path("/bin/sh"))
    with tempfile.TemporaryDirectory() as folder:  # not below pytest's folder, which is closed to others
        Path(folder).chmod(rights)
        monkeypatch.setattr(sandbox, "_working_prefix", lambda: None)
        assert launcher.would_be_root(Path(folder)) is root
        monkeypatch.setattr(sandbox, "_working_prefix", lambda: ([], []))
        assert not launcher.would_be_root(Path(folder))


class life_reader:  # noqa: N801 -- used like a function
    """Reads the pipe in a thread: opening it waits for the command, reading it for its end."""

    def __init__(self, life: Path, on_start: object = None) -> None:
        self._life = life
        self._on_start = on_start
        self._read = b""
        self._thread = threading.Thread(target=self._run)

    def __enter__(self) -> life_reader:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._thread.join()

    def _run(self) -> None:
        with self._life.open("rb", buffering=0) as pipe:
            self._read = pipe.read(8) or b""
            if callable(self._on_start):
                self._on_start()
            while more := pipe.read(64):
                self._read += more

    def result(self) -> bytes:
        self._thread.join(30)
        assert not self._thread.is_alive(), "a process still holds the pipe"
        return self._read
