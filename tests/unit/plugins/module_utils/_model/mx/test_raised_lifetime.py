# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.host import HostState
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.outage import (
    LIFETIME,
    LifetimeRaise,
    Outage,
    RaiseEvidence,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.mx.plan import MainCfChange
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.mx.raised_lifetime import (
    RaisedLifetime,
    raised_lifetime,
)

OTHERS = {"soft_bounce": "no"}


def on_host(now: int, written: str = "10d", before: str | None = "5d", declared: str = "") -> RaisedLifetime:
    """What a run makes of a raise to 10d whose outage is over at 86400."""
    record = LifetimeRaise(before, "10d", {"x.example": Outage(0, "1d", "10d")})
    host = HostState(explicit={LIFETIME: written}, values={LIFETIME: written}, raised=RaiseEvidence(record, now))
    return raised_lifetime(host, MainCfChange({**OTHERS, **({LIFETIME: declared} if declared else {})}))


@pytest.mark.parametrize("declared", ["", "5d", "10d"])
def test_no_setting_shortens_a_raise_that_holds(declared: str) -> None:
    assert on_host(86399, declared=declared) == RaisedLifetime(MainCfChange(OTHERS))


def test_setting_that_is_longer_is_made() -> None:
    assert on_host(86399, declared="20d") == RaisedLifetime(MainCfChange({**OTHERS, LIFETIME: "20d"}))


@pytest.mark.parametrize(
    ("before", "declared", "main_cf"),
    [
        ("5d", "", MainCfChange({**OTHERS, LIFETIME: "5d"})),
        ("5d", "7d", MainCfChange({**OTHERS, LIFETIME: "7d"})),
        (None, "", MainCfChange(OTHERS, absent=[LIFETIME])),
    ],
)
def test_raise_that_is_over_goes_back(before: str | None, declared: str, main_cf: MainCfChange) -> None:
    assert on_host(86400, before=before, declared=declared) == RaisedLifetime(main_cf, over=True)


def test_what_somebody_has_changed_stays_and_is_told() -> None:
    found = on_host(0, written="8d")
    assert (found.main_cf, found.over, len(found.notes)) == (MainCfChange(OTHERS), True, 1)
    assert on_host(0, written="8d", declared="6d") == RaisedLifetime(MainCfChange({**OTHERS, LIFETIME: "6d"}), True)


def test_record_that_can_not_be_believed_is_forgotten() -> None:
    host = HostState(raised=RaiseEvidence(problem="no"))
    assert raised_lifetime(host, MainCfChange()) == RaisedLifetime(MainCfChange(), True, ("no",))
    assert raised_lifetime(HostState(), MainCfChange(OTHERS)) == RaisedLifetime(MainCfChange(OTHERS))
