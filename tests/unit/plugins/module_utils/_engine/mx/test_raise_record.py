# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import os
from pathlib import Path

import pytest

from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.mx.raise_record import (
    raise_path,
    read_raise_evidence,
    restore_raise,
    write_raise,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.outage import (
    LifetimeRaise,
    Outage,
    RaiseEvidence,
)
from ansible_collections.mxrelay.postfix.tests.unit.plugins.module_utils.fake_mx_host import FakeMxHost
from ansible_collections.mxrelay.postfix.tests.unit.plugins.module_utils.fake_postqueue import queue_entry

# When the messages of the fake queue came.
ARRIVED = 1795359466
DAY = 86400
RAISED = LifetimeRaise(None, "10d", {"x.example": Outage(ARRIVED, "1d", "10d")})


@pytest.fixture(name="host")
def _host(tmp_path: Path) -> FakeMxHost:
    host = FakeMxHost(str(tmp_path))
    host.queue = queue_entry("A1", "deferred", "a@x.example") + queue_entry("A2", "hold", "b@x.example")
    return host


def test_record_is_roots_alone_and_is_read_again(host: FakeMxHost) -> None:
    assert read_raise_evidence(host.postfix(), ARRIVED) == RaiseEvidence(now=ARRIVED)
    write_raise(host.postfix(), RAISED)
    status = os.stat(raise_path(host.postfix()))
    assert (status.st_mode & 0o777, status.st_uid) == (0o600, os.geteuid())
    assert read_raise_evidence(host.postfix(), ARRIVED) == RaiseEvidence(RAISED, ARRIVED)
    assert ["postqueue", "-j"] not in host.commands
    write_raise(host.postfix(), None)
    write_raise(host.postfix(), None)
    assert not os.path.lexists(raise_path(host.postfix()))


@pytest.mark.parametrize(
    ("before", "days", "overdue"), [(None, 5, 1), ("5d", 5, 1), ("6d", 5, 0), ("2d", 3, 1), ("odd", 9, 0)]
)
def test_mail_that_would_be_returned_is_counted_once_the_outages_are_over(
    host: FakeMxHost, before: str | None, days: int, overdue: int
) -> None:
    record = LifetimeRaise(before, "10d", RAISED.outages)
    write_raise(host.postfix(), record)
    now = ARRIVED + days * DAY + 1
    assert read_raise_evidence(host.postfix(), now) == RaiseEvidence(record, now, overdue)


def test_record_that_somebody_has_broken_is_not_believed(host: FakeMxHost) -> None:
    host.write(".mxrelay-outage", "{")
    found = read_raise_evidence(host.postfix(), ARRIVED)
    assert found.record is None
    assert found.problem.startswith(f"{raise_path(host.postfix())} can't be believed (")


def test_record_that_is_gone_comes_back(host: FakeMxHost) -> None:
    assert restore_raise(host.postfix(), b"before") is True
    assert restore_raise(host.postfix(), b"another") is False
    assert Path(raise_path(host.postfix())).read_bytes() == b"before"
    assert os.stat(raise_path(host.postfix())).st_mode & 0o777 == 0o600
