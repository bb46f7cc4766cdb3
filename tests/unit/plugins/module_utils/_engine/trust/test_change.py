# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest

from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.mx.record import (
    RunRecord,
    begin,
    forget,
    own_record,
    record_directory,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.trust import change, saved
from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.trust.change import (
    Run,
    carry_out,
    plan_result,
    plan_trust,
    refuse_beside,
    rehearse,
    settle,
    take_back,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.errors import HostError, Refused
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.trust.hosts import MxHost
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.trust.plan import TrustRequest
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.files import metadata_of
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.postfix import Postfix
from ansible_collections.mxrelay.postfix.tests.unit.plugins.module_utils.fake_mx_host import FakeMxHost

MAIN_CF = """\
virtual_mailbox_domains = x.example
smtpd_relay_restrictions = reject_unauth_destination
smtpd_client_restrictions =
    # ours first
    permit_mynetworks,
    reject_rbl_client list.example
smtpd_client_event_limit_exceptions=$mynetworks
"""
MASTER_CF = """\
smtp      inet  n       -       y       -       -       smtpd
  -o smtpd_sender_restrictions=reject_unknown_sender_domain -o x=y
"""


@pytest.fixture(name="host")
def _host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakeMxHost:
    monkeypatch.setattr(saved, "_NEW_FILE", metadata_of(str(tmp_path)))
    found = FakeMxHost(str(tmp_path), MAIN_CF)
    found.write("master.cf", MASTER_CF)
    return found


def request(host: FakeMxHost, *addresses: str) -> TrustRequest:
    hosts = [MxHost(address, (address,)) for address in addresses]
    return TrustRequest(hosts, host.path("trusted_mx"), bool(addresses))


def text(host: FakeMxHost, name: str) -> str:
    with open(host.path(name), encoding="utf-8") as stream:
        return stream.read()


def run(host: FakeMxHost, *addresses: str) -> bool:
    """Whether a run of the role changes something."""
    done = carry_out(host.postfix(), request(host, *addresses))
    assert settle(host.postfix(), done.record) is done.planned.changed
    return done.planned.changed


def test_trust_is_written_once_and_taken_back_to_the_byte(host: FakeMxHost) -> None:
    assert run(host, "192.0.2.1") is True
    table = host.path("trusted_mx")
    assert text(host, "main.cf") == MAIN_CF.replace(
        "    permit_mynetworks,\n", f"    check_client_access cidr:{table}, permit_mynetworks,\n"
    ).replace("=$mynetworks", "=$mynetworks, 192.0.2.1")
    assert text(host, "master.cf") == MASTER_CF.replace(
        "=reject_unknown", f"=check_client_access,cidr:{table},reject_unknown"
    )
    assert text(host, "trusted_mx").endswith("192.0.2.1 permit\n")
    assert ["postfix", "reload"] in host.commands
    assert run(host, "192.0.2.1") is False
    assert run(host, "192.0.2.7") is True
    assert "192.0.2.1" not in text(host, "main.cf") + text(host, "trusted_mx")
    assert run(host) is True
    assert (text(host, "main.cf"), text(host, "master.cf")) == (MAIN_CF, MASTER_CF)
    assert sorted(os.listdir(host.config_directory)) == ["main.cf", "master.cf"]
    assert run(host) is False


@pytest.mark.parametrize(
    "end", ["", "\n", "\nsmtpd_client_event_limit_exceptions =", "\npostscreen_access_list = \n# end"]
)
def test_explicitly_empty_list_and_the_end_of_the_file_come_back_to_the_byte(host: FakeMxHost, end: str) -> None:
    main_cf = MAIN_CF.replace(
        "smtpd_client_event_limit_exceptions=$mynetworks\n", f"soft_bounce = no{end and chr(10)}{end}"
    )
    host.write("main.cf", main_cf)
    host.write("master.cf", "smtp inet n - y - 1 postscreen\nsmtpd pass - - y - - smtpd")
    assert (run(host, "192.0.2.1"), run(host)) == (True, True)
    assert text(host, "main.cf") == main_cf


def test_plan_says_what_it_changes_and_changes_nothing(host: FakeMxHost) -> None:
    planned = plan_trust(host.postfix(), request(host, "192.0.2.1"))
    assert rehearse(host.postfix(), planned) == []
    table = f"cidr:{host.path('trusted_mx')}"
    assert plan_result(planned) == {
        "changes": [
            f"smtpd_client_restrictions: check_client_access {table}, permit_mynetworks, reject_rbl_client "
            "list.example",
            "smtpd_client_event_limit_exceptions: $mynetworks, 192.0.2.1",
            "master.cf: smtp/inet",
            f"{host.path('trusted_mx')}: written",
        ],
        "exempts": [
            "smtpd_client_restrictions: reject_rbl_client list.example",
            "smtpd_sender_restrictions of smtp/inet: reject_unknown_sender_domain",
            "the limits of clients (smtpd_client_*_limit)",
        ],
        "untouched": [],
        "domains": [],
        "reload_needed": True,
    }
    assert [diff.header for diff in planned.diffs] == [
        host.path("main.cf"),
        host.path("master.cf"),
        host.path("trusted_mx"),
    ]
    assert (text(host, "main.cf"), text(host, "master.cf")) == (MAIN_CF, MASTER_CF)
    assert sorted(os.listdir(host.config_directory)) == ["main.cf", "master.cf"]


def test_rows_of_access_tables_are_read_for_the_classes_that_they_name(host: FakeMxHost) -> None:
    host.write("clients", "203.0.113.0/24 users\n")
    host.write(
        "main.cf",
        f"""\
virtual_mailbox_domains = x.example
smtpd_relay_restrictions = reject_unauth_destination
smtpd_restriction_classes = users
users = reject_unlisted_recipient
smtpd_client_restrictions = check_client_access cidr:{host.path('clients')}, reject_rbl_client list.example
""",
    )
    table = f"cidr:{host.path('trusted_mx')}"
    planned = plan_trust(host.postfix(), request(host, "192.0.2.1"))
    assert planned.plan.inserted == {"smtpd_client_restrictions": (f"check_client_access {table}", 2)}


def test_refusal_names_every_reason(host: FakeMxHost) -> None:
    host.write("main.cf", MAIN_CF.replace("reject_unauth_destination", ""))
    with pytest.raises(Refused) as caught:
        plan_trust(host.postfix(), request(host, "192.0.2.1"))
    assert caught.value.message.startswith("trust_mx: refused for 1 reason(s); nothing was changed:\n- relay_restr")


def test_host_without_postfix_is_shown_the_page_for_others(host: FakeMxHost) -> None:
    host.installed = False
    with pytest.raises(HostError, match="docs/mail-host.md has the lines for others"):
        plan_trust(host.postfix(), request(host, "192.0.2.1"))


def test_change_that_fails_leaves_everything_as_it_was(host: FakeMxHost, monkeypatch: pytest.MonkeyPatch) -> None:
    def reload(_postfix: Postfix) -> None:
        raise HostError("postfix reload failed")

    monkeypatch.setattr(change, "_reload", reload)
    wanted = request(host, "192.0.2.1")
    with pytest.raises(HostError, match="postfix reload failed"):
        carry_out(host.postfix(), wanted)
    assert (text(host, "main.cf"), text(host, "master.cf")) == (MAIN_CF, MASTER_CF)
    assert sorted(os.listdir(host.config_directory)) == ["main.cf", "master.cf"]


def test_change_is_taken_back_after_it_was_made(host: FakeMxHost) -> None:
    wanted = request(host, "192.0.2.1")
    record = carry_out(host.postfix(), wanted).record
    assert take_back(host.postfix(), wanted, record) == [
        f"{host.path(name)} is as before" for name in ("main.cf", "master.cf", "trusted_mx")
    ]
    assert (text(host, "main.cf"), text(host, "master.cf")) == (MAIN_CF, MASTER_CF)
    assert sorted(os.listdir(host.config_directory)) == ["main.cf", "master.cf"]


def test_where_others_have_changed_a_file_since_only_the_trust_goes(host: FakeMxHost) -> None:
    wanted = request(host, "192.0.2.1")
    record = carry_out(host.postfix(), wanted).record
    host.write("main.cf", text(host, "main.cf") + "soft_bounce = yes\n")
    assert take_back(host.postfix(), wanted, record) == [
        f"others have changed {host.path('main.cf')} since, so what trusts the MX hosts was taken out instead"
    ]
    assert (text(host, "main.cf"), text(host, "master.cf")) == (MAIN_CF + "soft_bounce = yes\n", MASTER_CF)
    assert sorted(os.listdir(host.config_directory)) == ["main.cf", "master.cf"]


def test_copies_of_what_could_not_be_taken_back_keep_no_other_run_waiting(
    host: FakeMxHost, monkeypatch: pytest.MonkeyPatch
) -> None:
    def reload(_postfix: Postfix) -> bool:
        raise HostError("postfix reload failed")

    wanted = request(host, "192.0.2.1")
    record = carry_out(host.postfix(), wanted).record
    with monkeypatch.context() as broken, pytest.raises(HostError, match="postfix reload failed"):
        broken.setattr(Postfix, "reload", reload)
        take_back(host.postfix(), wanted, record)
    kept = own_record(host.postfix(), record)
    assert kept is not None and kept.ended
    assert carry_out(host.postfix(), wanted, seconds=0).planned.changed is True


def test_run_of_a_role_that_changes_the_host_is_not_disturbed(host: FakeMxHost) -> None:
    other, _mark = begin(host.postfix(), RunRecord(controller="there", pid=7), [])
    wanted = request(host, "192.0.2.1")
    with pytest.raises(HostError, match="another run .* has been changing this host for .* nothing was changed"):
        carry_out(host.postfix(), wanted, seconds=0)
    with pytest.raises(HostError, match="another run .* has been changing this host") as caught:
        refuse_beside(host.postfix(), Run("here", 8))
    assert (caught.value.details["other_run"]["record"], text(host, "main.cf")) == (other.name, MAIN_CF)
    # The controller of both has found out that it is over.
    refuse_beside(host.postfix(), Run("here", 8, ended=other.name))
    assert carry_out(host.postfix(), wanted, Run("here", 8, ended=other.name), seconds=0).planned.changed is True


def test_run_that_is_awaited_is_over_before_the_next_one_plans(host: FakeMxHost) -> None:
    other, _mark = begin(host.postfix(), RunRecord(), [])
    timer = threading.Timer(0.3, forget, (host.postfix(), other.name))
    timer.start()
    refuse_beside(host.postfix(), Run(awaited=other.name))
    timer.join()
    assert not os.path.exists(record_directory(host.postfix()))


def test_two_runs_at_once_keep_their_own_copies(host: FakeMxHost) -> None:
    first = carry_out(host.postfix(), request(host, "192.0.2.1"))
    with pytest.raises(HostError, match="another run has been changing this host"):
        carry_out(host.postfix(), request(host, "192.0.2.2"), seconds=0)
    assert settle(host.postfix(), "of another") is False
    with pytest.raises(HostError, match="no longer has the files from before this run"):
        take_back(host.postfix(), request(host, "192.0.2.2"), "of another")
    take_back(host.postfix(), request(host, "192.0.2.1"), first.record)
    assert (text(host, "main.cf"), text(host, "master.cf")) == (MAIN_CF, MASTER_CF)


def test_what_is_so_already_is_not_changed_once_another_run_has_ended(host: FakeMxHost) -> None:
    assert run(host, "192.0.2.1") is True
    done = carry_out(host.postfix(), request(host, "192.0.2.1"))
    assert (done.planned.changed, done.record) == (False, "")
    assert not os.path.exists(record_directory(host.postfix()))
