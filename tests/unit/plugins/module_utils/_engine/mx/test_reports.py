# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.mx.host import read_parameters
from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.mx.reading import MapReader
from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.mx.relay_domains import read_relay_domains
from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.mx.reports import read_reports
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.reports import ReportEvidence
from ansible_collections.mxrelay.postfix.tests.unit.plugins.module_utils.fake_mx_host import MASTER_CF, FakeMxHost

BOUNCES = """\
cleanup unix n - y - 0 cleanup
bounce unix - - y - 0 bounce -o cleanup_service_name=own -o internal_mail_filter_classes=bounce
defer unix - - y - 0 bounce
"""
NAMES = "bounce_service_name = bounce\ndefer_service_name = defer\nmyorigin = $myhostname\n"


@pytest.fixture
def host(tmp_path: Path) -> FakeMxHost:
    return FakeMxHost(str(tmp_path))


def read(host: FakeMxHost, own: str = "", main_cf: str = "", targets: Sequence[str] = ()) -> ReportEvidence:
    """What is read where bounces go through a cleanup that has these overrides."""
    host.write("master.cf", f"{MASTER_CF}{BOUNCES}own unix n - y - 0 cleanup {own}\n")
    host.write("main.cf", NAMES + main_cf)
    state = read_parameters(host.postfix(), MapReader(host.postfix()))
    state = state.having(read_relay_domains(["there.example", "relayed.example"], state, MapReader(host.postfix())))
    return read_reports(["x.example"], state, MapReader(host.postfix()), targets)


@pytest.mark.parametrize(
    ("result", "action"),
    [
        ("HOLD", "HOLD"),
        ("hold by hand", "HOLD"),
        ("DISCARD", "DISCARD"),
        ("DUNNO", ""),
        ("redirect  a@b.example", "REDIRECT a@b.example"),
    ],
)
def test_each_service_does_what_its_own_cleanup_says(host: FakeMxHost, result: str, action: str) -> None:
    found = read(host, f"-o {{body_checks=static:{{{result}}}}}")
    assert found.actions == {"x.example": {"bounce/unix": action, "defer/unix": ""}}


def test_first_answer_counts(host: FakeMxHost) -> None:
    host.table("none", "k v\n")
    own = f"-o {{body_checks=hash:{host.path('none')}, static:HOLD, static:DISCARD}}"
    assert read(host, own).actions["x.example"]["bounce/unix"] == "HOLD"


def test_table_that_is_not_there_is_told(host: FakeMxHost) -> None:
    found = read(host, f"-o body_checks=hash:{host.path('gone')}")
    assert list(found.unread) == [f"hash:{host.path('gone')}"]


def test_host_as_postfix_ships_it_is_asked_nothing(host: FakeMxHost) -> None:
    host.commands.clear()
    found = read(host)
    assert (found.actions, found.unread, found.addressees, found.silenced) == (
        {"x.example": {"bounce/unix": "", "defer/unix": ""}},
        {},
        {},
        {},
    )
    assert [command for command in host.commands if command[0] == "postmap"] == []


@pytest.mark.parametrize(
    ("aliases", "problem"),
    [
        ("postmaster root\n", ""),
        ("postmaster admin\nadmin \\\\root\n", ""),
        ("postmaster nobody-here, ops@there.example\n", ""),
        ('postmaster "|/usr/bin/true"\n', ""),
        ("postmaster ops@there.example, root@relayed.example\n", ""),
        ("postmaster admin\nadmin root@relayed.example\n", "its mail goes to the mail host of relayed.example"),
        ("postmaster postmaster\n", "the aliases of postmaster lead to nobody but themselves"),
        ("postmaster admin\nadmin postmaster\n", "the aliases of postmaster lead to nobody but themselves"),
        ("postmaster nobody-here\n", "there is no alias or account nobody-here"),
        ("admin root\n", "there is no alias or account postmaster"),
    ],
)
def test_aliases_lead_to_somebody_or_not(host: FakeMxHost, aliases: str, problem: str) -> None:
    host.table("aliases", aliases)
    main_cf = f"alias_maps = hash:{host.path('aliases')}\nrelay_domains = relayed.example\n"
    found = read(host, main_cf=main_cf, targets=["postmaster@localhost"]).addressees
    assert list(found) == ["postmaster@localhost", "postmaster@mx.example"]
    for told in found.values():
        assert told == problem or bool(problem and told and told.startswith(problem))


@pytest.mark.parametrize(
    ("main_cf", "target", "problem"),
    [
        ("", "ops@there.example", None),
        ("relay_domains = there.example\n", "ops@there.example", "its mail goes to the mail host of there.example"),
        ("local_transport = error:no local mail\n", "root@localhost", "local_transport is error:no local mail"),
        ("mailbox_transport = lmtp:unix:/l\n", "anybody@localhost", None),
        ("", "root@localhost", ""),
    ],
)
def test_addresses_that_get_reports(host: FakeMxHost, main_cf: str, target: str, problem: str | None) -> None:
    host.write("master.cf", "")
    told = read(host, main_cf=main_cf, targets=[target]).addressees[target]
    assert told == problem or bool(problem and told and told.startswith(problem))


def test_filter_that_asks_for_no_report_is_found(host: FakeMxHost) -> None:
    found = read(host, main_cf="smtpd_command_filter = static:{RCPT TO:<a@x.example> notify=never}\n")
    assert found.silenced == {"x.example": "static:{RCPT TO:<a@x.example> notify=never}"}
