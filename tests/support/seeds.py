"""What is left to chance, so that it can be repeated."""

import os
import random
from uuid import UUID

#: Names the environment variable that repeats a run.
VARIABLE = "TORTURE_SEED"


def chosen() -> int:
    """The seed that the environment names; else a new one."""
    named = os.environ.get(VARIABLE)
    return int(named) if named else random.SystemRandom().randrange(1 << 32)


def chance(seed: int, *of: object) -> random.Random:
    """The randomness of one of many things, the same one for a seed whatever the others do meanwhile."""
    return random.Random(" ".join(map(str, (seed, *of))))


def id_of(luck: random.Random) -> str:
    """A UUID."""
    return str(UUID(int=luck.getrandbits(128), version=4))
