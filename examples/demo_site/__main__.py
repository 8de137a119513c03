"""`make site`: the document service, a Django site that keeps documents in it, and a second site without models.

    python examples/demo_site                 runs until Ctrl-C
    python examples/demo_site --check         starts everything, walks through both sites once, and ends
    python examples/demo_site --folder PATH   keeps what is made elsewhere than in var/site

Everything that is made is found again the next time.
"""

import argparse
import json
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from ports import address_of, listen_on
from waiting import wait_for_answer, wait_for_file

HERE = Path(__file__).parent
STOP_SECONDS = 30


@contextmanager
def running(
    command: list[str | Path], *, log: Path, environment: dict[str, str], inherits: tuple[int, ...] = ()
) -> Iterator[subprocess.Popen[bytes]]:
    """Runs a program in the folder of its log, with the file descriptors that it inherits, and ends it with the block."""
    with log.open("wb") as file:
        process = subprocess.Popen(
            command,
            cwd=log.parent,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=file,
            pass_fds=inherits,
            start_new_session=True,
        )
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


@contextmanager
def service(folder: Path, environment: dict[str, str]) -> Iterator[dict[str, str]]:
    """The document service with its worker inside; answers where it is, and a key."""
    client_file, log = folder / "var" / "client.json", folder / "service.log"
    client_file.unlink(missing_ok=True)
    command = Path(sys.executable).with_name("osis-document-server")
    with running([command, "serve"], log=log, environment=environment | {"OSIS_DOCUMENT_LISTEN": "127.0.0.1:0"}) as process:
        wait_for_file(client_file, process, log=log)
        yield json.loads(client_file.read_text(encoding="utf-8"))


@contextmanager
def site(project: str, folder: Path, *, listening: socket.socket, environment: dict[str, str]) -> Iterator[str]:
    """One of the two sites under gunicorn, which is handed the socket to serve on; answers its address."""
    descriptor = listening.fileno()
    command = [sys.executable, "-m", "gunicorn", f"{project}.wsgi:application", "--bind", f"fd://{descriptor}", "--threads", "4"]
    address, log = address_of(listening), folder / f"{project}.log"
    with running([*command, "--no-control-socket"], log=log, environment=environment, inherits=(descriptor,)) as process:
        listening.close()
        wait_for_answer(address, process, log=log)
        yield address


def manage(command: str, *arguments: str, folder: Path, environment: dict[str, str]) -> None:
    """Runs a command of Django's on the primary site."""
    environment = environment | {"DJANGO_SETTINGS_MODULE": "primary.settings"}
    subprocess.run([sys.executable, "-m", "django", command, *arguments], cwd=folder, env=environment, check=True)


def main() -> None:
    """Starts everything, tells where it is, and waits."""
    parser = argparse.ArgumentParser(prog="python examples/demo_site", description=__doc__.partition("\n")[0])
    parser.add_argument("--check", action="store_true", help="walk through the sites once, and end")
    parser.add_argument("--folder", type=Path, default=HERE.parents[1] / "var" / "site", help="default: var/site")
    options = parser.parse_args()
    folder: Path = options.folder.resolve()
    folder.mkdir(parents=True, exist_ok=True)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    # What this shell sets for other services and sites must not reach these.
    inherited = {
        name: value for name, value in os.environ.items() if not name.startswith(("OSIS_DOCUMENT_", "DJANGO_SETTINGS_MODULE"))
    }
    environment = inherited | {"PYTHONPATH": str(HERE)}
    with ExitStack() as stack:
        primary_socket, secondary_socket = [stack.enter_context(listen_on(port)) for port in (8000, 8001)]
        print("Starting the document service …", flush=True)
        found = stack.enter_context(service(folder, inherited))
        environment |= {
            "DEMO_TARGET": found["target"],
            "DEMO_SECRET": found["api_key"],
            "DEMO_PRIMARY": address_of(primary_socket),
            "DEMO_SECONDARY": address_of(secondary_socket),
            "DEMO_DATABASE": str(folder / "site.sqlite3"),
        }
        print("Preparing the site's database, with an application to look at …", flush=True)
        manage("migrate", "--verbosity", "0", folder=folder, environment=environment)
        manage("seed", folder=folder, environment=environment)
        primary = stack.enter_context(site("primary", folder, listening=primary_socket, environment=environment))
        secondary = stack.enter_context(site("secondary", folder, listening=secondary_socket, environment=environment))
        print(
            f"\n  Applications      {primary}\n"
            f"  Admin             {primary}admin/   (user admin, password admin)\n"
            f"  A secondary site  {secondary}   (a form without models)\n"
            f"  Logs and data     {folder}\n",
            flush=True,
        )
        if options.check:
            from check import walk

            walk(primary, secondary)
            return
        print("Ctrl-C ends all of it.", flush=True)
        threading.Event().wait()


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        print("\nStopped.")
    except (RuntimeError, subprocess.CalledProcessError) as exc:
        sys.exit(f"The site could not be started: {exc}")
