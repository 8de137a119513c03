"""A server that is killed."""

from tests.torture.loops.killed_server import kill_server
from tests.torture.progress import Progress


def test_what_a_killed_server_has_acknowledged_is_there_and_nothing_else_stays(tmp_path, seed):
    kill_server(tmp_path / "server", Progress({"uploads": 20, "kills": 5}), seed=seed)
