"""Uploaders that are killed."""

import pytest

from tests.torture.loops.killed_uploaders import kill_uploaders
from tests.torture.progress import Progress


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_killed_uploader_has_not_completed_and_the_next_one_goes_on_to_the_same_bytes(server, seed):
    kill_uploaders(server, Progress({"kills": 6}), seed=seed)
