"""Uploads in every order of their steps, against a model."""

import pytest

from tests.torture.loops.offsets import follow_protocol
from tests.torture.progress import Progress


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_whatever_streams_do_an_upload_stands_where_the_protocol_says_and_can_be_finished(tmp_path, seed):
    follow_protocol(tmp_path / "server", Progress({"examples": 12}), seed=seed, steps=25, kills=1)
