"""Uploads whose clients say nothing for a while."""

import pytest

from tests.torture.loops.idle_uploads import hold_idle_uploads
from tests.torture.progress import Progress


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.one_database
def test_two_hundred_idle_uploads_keep_nobody_waiting_and_go_on(server, seed):
    hold_idle_uploads(server, Progress({"idle uploads": 200, "calls": 60}), seed=seed, deadline_seconds=5)
