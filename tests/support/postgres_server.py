"""A PostgreSQL of the tests' own: a cluster in a folder of its own, on a free port of this host alone."""

import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import quote

import psycopg
from psycopg import sql

from tests.support.availability import give_up
from tests.support.ports import free_port
from tests.support.processes import LoggedProcess
from tests.support.waiting import wait_until

#: PostgreSQL does not run as root.
_UNPRIVILEGED = "postgres"
_SUPERUSER, _SUPERUSER_PASSWORD = "postgres", "postgres"
#: What the service logs in as: owner of its databases, and no more than that. The password has what URLs must escape.
USER, PASSWORD = "osis", "p@ss/w:rd?%1"


def is_installed() -> bool:
    """Whether there is a PostgreSQL to start."""
    return bool(_initdbs())


def _initdbs() -> list[Path]:
    """Where `initdb` is, the newest last: Debian keeps PostgreSQL's programs off the PATH."""
    on_path = shutil.which("initdb")
    return [Path(on_path).resolve()] if on_path else sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))


class PostgresServer:
    """A cluster, serving from ``__enter__`` to ``__exit__`` unless a test stops it in between."""

    def __init__(self) -> None:
        if not is_installed():
            give_up("PostgreSQL is not installed (`make setup` installs it)")
        self._programs = _initdbs()[-1].parent
        # Not below pytest's folder, which only root may enter where the tests run as root.
        self._folder = Path(tempfile.mkdtemp(prefix="osis-document-postgresql-"))
        self._data = self._folder / "data"
        self.port = free_port()
        self.process: LoggedProcess | None = None

    def __enter__(self) -> Self:
        try:
            self._initialize()
            self.start()
            self._execute(sql.SQL("CREATE ROLE {} LOGIN PASSWORD {}").format(sql.Identifier(USER), sql.Literal(PASSWORD)))
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.stop()
        shutil.rmtree(self._folder)

    def start(self) -> None:
        """Starts it; it answers when this returns."""
        self.process = _Postgres(
            f"postgresql on port {self.port}",
            [
                *self._command(
                    "postgres", "-D", str(self._data), "-h", "127.0.0.1", "-p", str(self.port), "-k", str(self._folder)
                ),
                # Nobody needs these databases after a power cut.
                *("-c", "fsync=off", "-c", "max_connections=300"),
            ],
            environment={name: value for name, value in os.environ.items() if not name.startswith("PG")},
            log=self._folder / "postgresql.log",
        )
        wait_until(self._answers, f"PostgreSQL answers on port {self.port}", seconds=30)

    def stop(self) -> None:
        """Stops it, as its owner would: whoever is connected is told so."""
        if self.process is not None:
            self.process.end()
            self.process = None

    def kill(self) -> None:
        """Ends it at once, as a crash would: it recovers at its next start."""
        assert self.process is not None
        self.process.process.send_signal(signal.SIGQUIT)
        self.process.wait()
        self.process = None

    def url(self, name: str, *, user: str = USER, password: str = PASSWORD) -> str:
        """The URL of one of its databases."""
        return f"postgresql://{user}:{quote(password, safe='')}@127.0.0.1:{self.port}/{name}"

    def create(self, name: str) -> str:
        """Makes an empty database that the service owns, and returns its URL."""
        self._execute(sql.SQL("CREATE DATABASE {} OWNER {}").format(sql.Identifier(name), sql.Identifier(USER)))
        return self.url(name)

    def drop(self, name: str) -> None:
        """Removes a database, whoever is connected to it."""
        self._execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))

    def admin_url(self, name: str = "postgres") -> str:
        """The URL of one of its databases for its superuser."""
        return self.url(name, user=_SUPERUSER, password=_SUPERUSER_PASSWORD)

    def _initialize(self) -> None:
        if os.geteuid() == 0:
            shutil.chown(self._folder, _UNPRIVILEGED)
        password = self._folder / "password"
        password.write_text(_SUPERUSER_PASSWORD, encoding="utf-8")
        password.chmod(0o644)
        made = subprocess.run(
            [
                *self._command("initdb", "--pgdata", str(self._data), "--username", _SUPERUSER, "--pwfile", str(password)),
                *("--auth", "scram-sha-256", "--encoding", "UTF8", "--no-sync", *self._locale()),
            ],
            cwd="/",
            capture_output=True,
            text=True,
            check=False,
        )
        assert made.returncode == 0, made.stdout + made.stderr

    def _execute(self, statement: sql.Composable) -> None:
        with psycopg.connect(self.admin_url(), autocommit=True) as connection:
            connection.execute(statement)

    def _answers(self) -> bool:
        assert self.process is not None
        assert self.process.process.poll() is None, self.process.output()
        try:
            psycopg.connect(self.admin_url(), connect_timeout=2).close()
        except psycopg.OperationalError:
            return False
        return True

    def _command(self, program: str, *arguments: str) -> list[str]:
        as_another: Sequence[str] = ()
        if os.geteuid() == 0:
            as_another = ("setpriv", f"--reuid={_UNPRIVILEGED}", f"--regid={_UNPRIVILEGED}", "--init-groups", "--")
        return [*as_another, str(self._programs / program), *arguments]

    def _locale(self) -> list[str]:
        """A language's order of letters, as most servers have it: what should not depend on it shows."""
        version = subprocess.run([self._programs / "initdb", "--version"], capture_output=True, text=True, check=True).stdout
        knows_icu = int(version.split()[2].partition(".")[0]) >= 15
        return ["--locale=C.UTF-8", *(["--locale-provider=icu", "--icu-locale=en-US"] if knows_icu else [])]


class _Postgres(LoggedProcess):
    def terminate(self) -> None:
        """Asks for a fast shutdown; SIGTERM would wait for everybody to disconnect."""
        self.process.send_signal(signal.SIGINT)
