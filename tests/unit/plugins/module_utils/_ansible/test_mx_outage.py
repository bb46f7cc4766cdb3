# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ansible_collections.mxrelay.postfix.plugins.module_utils._ansible import mx_outage
from ansible_collections.mxrelay.postfix.plugins.module_utils._ansible.mx_outage import outage
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.errors import InvalidInput
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.outcome import Outcome
from ansible_collections.mxrelay.postfix.tests.unit.plugins.module_utils.fake_host import contents
from ansible_collections.mxrelay.postfix.tests.unit.plugins.module_utils.fake_mx_host import FakeMxHost

MAIN_CF = "relay_domains = x.example\n"
NOW = 1_795_359_466
PARAMS = {
    "state": "begun",
    "domains": ["X.example"],
    "length": "3d",
    "lifetime": "10d",
    "force": False,
    "volume": "1k",
}
RECORD = {
    "parameter": "maximal_queue_lifetime",
    "before": None,
    "value": "10d",
    "outages": {"x.example": {"began": NOW, "length": "3d", "lifetime": "10d", "expiry": NOW + 3 * 86400}},
}
VOLUME = {"size": 1024, "messages": None, "days": None, "domains": {}}


@pytest.fixture(name="host")
def _host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakeMxHost:
    monkeypatch.setattr(mx_outage.time, "time", lambda: NOW + 0.5)
    return FakeMxHost(str(tmp_path), MAIN_CF)


def work(host: FakeMxHost, check_mode: bool = False, **params: Any) -> Outcome:
    return outage({**PARAMS, **params}, host.postfix(), check_mode)


EXPECTED = "expected in a day: 1.0 KiB, as given"
RAISED = "maximal_queue_lifetime is 10d until 2026-11-25 14:57 UTC, then Postfix's default again (x.example)"


def test_outage_begins_and_ends(host: FakeMxHost) -> None:
    begun = work(host, domains=["X.example", "y.example"])
    told = {"raise": RECORD, "domains": ["x.example"], "lines": [RAISED]}
    assert (begun.changed, begun.results) == (True, {**told, "elsewhere": ["y.example"]})
    assert work(host).changed is False
    checked = work(host, state="checked")
    expected = {"elsewhere": [], "volume": VOLUME, "expected": [EXPECTED]}
    assert (checked.changed, checked.results) == (False, {**told, **expected})
    assert work(host, state="forgotten").changed is False
    ended = work(host, state="ended")
    assert (ended.changed, ended.results) == (
        True,
        {"raise": None, "lines": ["maximal_queue_lifetime goes back to Postfix's default"]},
    )


def test_host_that_relays_none_of_the_domains_is_left_alone(host: FakeMxHost) -> None:
    outcome = work(host, domains=["y.example"])
    assert (outcome.changed, outcome.results["domains"], outcome.results["lines"]) == (False, [], [])
    checked = work(host, state="checked", domains=["y.example"])
    assert (checked.results["domains"], checked.results["expected"]) == ([], ["relays none of y.example"])


def test_check_mode_tells_the_same_and_changes_nothing(host: FakeMxHost) -> None:
    before = contents(host.config_directory)
    outcome = work(host, True)
    assert (outcome.changed, outcome.results["raise"], len(outcome.diffs)) == (True, RECORD, 2)
    assert contents(host.config_directory) == before


@pytest.mark.parametrize("name", ["length", "lifetime"])
@pytest.mark.parametrize("value", ["3", "long", "0d", "101d", ""])
def test_what_is_no_time_is_refused(host: FakeMxHost, name: str, value: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        work(host, **{name: value})
    assert caught.value.message == (
        f'mx_outage: "{value}" ({name}) is not a Postfix time value of at most 100d; use a value such as 12h or 3d'
    )
