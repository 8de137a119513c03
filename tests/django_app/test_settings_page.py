"""The page of settings says what the app reads and checks, and nothing else."""

import re
from dataclasses import fields
from pathlib import Path

import pytest

from osis_document import checks, conf

pytestmark = pytest.mark.without_service

PAGE = (Path(__file__).parents[2] / "docs/reference/django-settings.md").read_text(encoding="utf-8")


def test_every_setting_is_on_the_page_and_no_other():
    assert set(re.findall(r"^\| `([A-Z_]+)`", PAGE, re.MULTILINE)) == conf.DEFAULTS.keys() | conf.REQUIRED.keys()


def test_every_timeout_is_on_the_page_with_its_default():
    documented = dict(re.findall(r"^\| `([a-z_]+)` \| `(\w+)`", PAGE, re.MULTILINE))

    assert documented == {each.name: f"{each.default:g}" if each.default else "None" for each in fields(conf.Timeouts)}


def test_every_check_is_on_the_page_and_in_the_modules_own_list():
    documented = set(re.findall(r"^\| `(osis_document\.[EW]\d+)`", PAGE, re.MULTILINE))

    assert documented == set(re.findall(r"^    (osis_document\.[EW]\d+)", checks.__doc__, re.MULTILINE))
