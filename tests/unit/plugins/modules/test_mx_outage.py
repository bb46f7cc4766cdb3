# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from pathlib import Path

from ansible_collections.mxrelay.postfix.plugins.modules import mx_outage
from ansible_collections.mxrelay.postfix.tests.unit.plugins.module_utils.fake_mx_host import FakeMxHost
from ansible_collections.mxrelay.postfix.tests.unit.plugins.modules.module_runner import Start


def test_raise_is_told_with_its_diff(start: Start, tmp_path: Path) -> None:
    host = FakeMxHost(str(tmp_path), "relay_domains = x.example\nmaximal_queue_lifetime = 5d\n")
    given = {"domains": ["x.example"], "length": "3d", "lifetime": "10d"}
    result = start(mx_outage, host, True, config_directory=host.config_directory, state="begun", **given)
    assert (result["changed"], result["raise"]["value"]) == (True, "10d")
    assert (result["diff"][0]["before"], result["diff"][0]["after"]) == (
        "maximal_queue_lifetime = 5d\n",
        "maximal_queue_lifetime = 10d\n",
    )


def test_expected_mail_is_told(start: Start, tmp_path: Path) -> None:
    host = FakeMxHost(str(tmp_path), "relay_domains = x.example\n")
    given = {"config_directory": host.config_directory, "domains": ["x.example"], "volume": "1G"}
    result = start(mx_outage, host, **given)
    assert (result["changed"], result["raise"], result["volume"]["size"]) == (False, None, 1 << 30)
    assert result["expected"] == ["expected in a day: 1.0 GiB, as given"]


def test_outage_that_begins_needs_its_length(start: Start, tmp_path: Path) -> None:
    host = FakeMxHost(str(tmp_path))
    result = start(mx_outage, host, config_directory=host.config_directory, state="begun", domains=["x.example"])
    assert result["msg"] == "state is begun but all of the following are missing: length, lifetime"
