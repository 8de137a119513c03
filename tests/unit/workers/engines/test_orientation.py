from __future__ import annotations

import pytest

from osis_document_workers.engines.orientation import SHOWN, turned


@pytest.mark.parametrize("orientation", SHOWN)
def test_four_quarter_turns_lead_back_through_four_orientations(orientation: int) -> None:
    seen = [orientation]
    for _ in range(4):
        seen.append(turned(seen[-1], 90))
    assert seen[4] == orientation
    assert len(set(seen)) == 4
    assert len({SHOWN[one][0] for one in seen}) == 1, "a rotation never mirrors"


def test_a_half_turn_is_two_quarter_turns() -> None:
    assert all(turned(orientation, 180) == turned(turned(orientation, 90), 90) for orientation in SHOWN)
