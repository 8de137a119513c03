"""What to do when a program that a test needs is not there."""

import os
import shutil
from typing import NoReturn

import pytest


def give_up(reason: str) -> NoReturn:
    """Skips the test, saying why; where `CI` is set, where everything must be there, fails it."""
    if os.environ.get("CI"):
        pytest.fail(f"{reason}; a test may not be skipped where CI is set", pytrace=False)
    pytest.skip(reason)


def require_program(name: str) -> None:
    """Gives up the test if there is no program of this name."""
    if shutil.which(name) is None:
        give_up(f"{name} is not installed (`make setup` installs it)")
