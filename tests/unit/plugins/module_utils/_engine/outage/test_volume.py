# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from pathlib import Path

import pytest

from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.outage.volume import (
    expected_volume,
    host_mail_log,
    relayed_here,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.errors import InvalidInput
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.mail_log import HostMailLog, Position
from ansible_collections.mxrelay.postfix.tests.unit.plugins.module_utils.fake_mx_host import FakeMxHost

NOW = 1_795_359_466.0
LINES = [
    "2026-11-20T00:00:00Z mx postfix/qmgr[7]: AAAAA: from=<s@else.example>, size=1000, nrcpt=1 (queue active)",
    "2026-11-20T12:00:00Z mx postfix/smtp[8]: AAAAA: to=<a@x.example>, relay=m, delay=1, status=sent (250 ok)",
]


class FakeLog:
    """Two logs, the second of which is Postfix's."""

    def positions(self) -> list[Position]:
        return [{"log": "other"}, {"log": "mail"}]

    def since(self, position: Position) -> list[str]:
        raise AssertionError(position)

    def lately(self, position: Position, days: int) -> list[str]:
        assert days == 7
        return LINES if position["log"] == "mail" else ["no mail"]


@pytest.fixture(name="host")
def _host(tmp_path: Path) -> FakeMxHost:
    return FakeMxHost(str(tmp_path))


def test_volume_is_measured_from_the_log_that_has_it(host: FakeMxHost) -> None:
    found = expected_volume(host.postfix(), ["x.example", "y.example"], "", NOW, lambda _postfix: FakeLog())
    assert found == {
        "size": 2000,
        "messages": 2,
        "days": 0.5,
        "domains": {"x.example": {"size": 2000, "messages": 2}, "y.example": {"size": 0, "messages": 0}},
    }


def test_volume_that_is_given_is_not_measured(host: FakeMxHost) -> None:
    assert expected_volume(host.postfix(), ["x.example"], "1k", NOW) == {
        "size": 1024,
        "messages": None,
        "days": None,
        "domains": {},
    }
    with pytest.raises(InvalidInput):
        expected_volume(host.postfix(), ["x.example"], "much", NOW)


def test_log_is_the_one_of_the_instance(host: FakeMxHost) -> None:
    assert isinstance(host_mail_log(host.postfix()), HostMailLog)


def test_domains_that_the_host_relays_are_told_from_others(host: FakeMxHost) -> None:
    host.write("main.cf", "relay_domains = x.example\n")
    assert relayed_here(host.postfix(), ["y.example", "x.example"]) == ["x.example"]
