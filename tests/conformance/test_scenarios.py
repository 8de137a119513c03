"""Every client does what every scenario says."""

import pytest

from tests.conformance import page, reasons, run, scenario
from tests.conformance.languages import LANGUAGES
from tests.conformance.world import World
from tests.support.refusals import documented_codes

#: Scenarios of one language share its driver; languages may run side by side. The first of them may have to build it.
CASES = [
    pytest.param(language, each, id=f"{language}-{each.name}", marks=pytest.mark.xdist_group(language))
    for language in LANGUAGES
    for each in scenario.load()
]


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize(("language", "each"), CASES)
def test_scenario(drivers, places, tmp_path, language, each):
    with World(places, tmp_path, language=language) as world:
        run.run(each, drivers.get(language), world)


def test_the_page_shows_that_every_client_passes_every_scenario(request):
    if request.config.getoption("--write-page", default=False):
        return  # it is written at the end of this very run
    assert page.PAGE.read_text(encoding="utf-8") == page.render(page.all_passed()), "see tests/conformance/page.py"


def test_the_scenarios_know_every_error_reason():
    assert {each["reason"]: each["code"] for each in reasons.samples()} == documented_codes()
