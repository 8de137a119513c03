"""Several clients at the same upload at the same moment."""

from tests.torture.loops.upload_races import race
from tests.torture.progress import Progress


def test_clients_that_meet_over_one_upload_all_see_the_same_outcome(tmp_path, seed):
    race(tmp_path / "server", Progress({"races": 36}), seed=seed)
