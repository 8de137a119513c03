"""What the loops need that leave something to chance. `python tests/torture` runs the same ones far longer."""

import pytest

from tests.support import seeds


@pytest.fixture
def seed():
    """What decides all that is left to chance; a failing test shows it."""
    chosen = seeds.chosen()
    print(f"seed {chosen}; to repeat it: {seeds.VARIABLE}={chosen}")
    return chosen
