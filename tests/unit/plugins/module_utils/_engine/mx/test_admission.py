# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import socket
from collections.abc import Sequence
from pathlib import Path

import pytest

from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.mx.admission import read_admission
from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.mx.host import read_parameters
from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.mx.reading import MapReader
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.configuration.admission import STRANGERS
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.admission import AdmissionEvidence
from ansible_collections.mxrelay.postfix.tests.unit.plugins.module_utils.fake_mx_host import FakeMxHost

DOMAINS = ("x.example", "y.example")
STRANGER = STRANGERS["ipv4"][0]


@pytest.fixture
def host(tmp_path: Path) -> FakeMxHost:
    return FakeMxHost(str(tmp_path))


def read(host: FakeMxHost, main_cf: str, **wanted: str) -> AdmissionEvidence:
    host.write("main.cf", main_cf)
    reader = MapReader(host.postfix())
    state = read_parameters(host.postfix(), reader)
    host.commands.clear()
    return read_admission(host.postfix(), state, reader, DOMAINS, wanted).admission


def asked(host: FakeMxHost) -> list[str]:
    return [command[-1] for command in host.commands if command[:2] == ["postmap", "-q"]]


def test_host_without_tables_in_its_lists_is_asked_one_thing(host: FakeMxHost) -> None:
    evidence = read(host, "smtpd_client_restrictions = permit_mynetworks, reject_rbl_client list.example\n")
    assert (evidence.answers, evidence.unread, evidence.silent, evidence.missing_files) == ({}, {}, {}, frozenset())
    assert host.commands == [["postconf", "-d"]]
    assert evidence.defaults["maximal_queue_lifetime"] == "5d"


def test_tables_of_lists_classes_overrides_and_of_what_is_wanted_are_asked_once(host: FakeMxHost) -> None:
    for name in ("clients", "senders", "own"):
        host.table(name, f"{STRANGER.address} REJECT\n")
    host.write(
        "master.cf", f"smtp inet n - y - - smtpd -o smtpd_client_restrictions=ours,hash:{host.path('clients')}\n"
    )
    evidence = read(
        host,
        "smtpd_restriction_classes = ours\n"
        f"ours = check_client_access hash:{host.path('own')}\n"
        f"smtpd_helo_restrictions = check_client_access hash:{host.path('clients')}\n",
        smtpd_client_restrictions=f"check_sender_access hash:{host.path('senders')}, check_client_access static:ours",
    )
    references = {f"hash:{host.path(name)}" for name in ("clients", "senders", "own")}
    assert {*evidence.answers} == {*references, "static:ours"}
    assert evidence.answers[f"hash:{host.path('clients')}"] == {STRANGER.address: "REJECT"}
    assert sorted(asked(host)) == sorted([*references, "static:ours"])


def test_tables_that_can_not_be_asked_are_told_with_the_reason(host: FakeMxHost) -> None:
    gone = f"hash:{host.path('gone')}"
    evidence = read(
        host,
        f"smtpd_sender_restrictions = check_sender_access proxy:{gone}\n"
        f"virtual_alias_maps = {gone}\n"
        f"smtpd_recipient_restrictions = check_recipient_access {gone}2\n",
    )
    assert set(evidence.unread) == {gone, f"proxy:{gone}", f"{gone}2"}
    assert "No such file" in evidence.unread[gone]


def test_table_of_recipients_has_an_answer_where_it_refuses_all(host: FakeMxHost) -> None:
    for name, rows in (("all", "x.example REJECT\n"), ("listed", "a@x.example OK\nx.example REJECT\n")):
        host.table(name, rows)
    evidence = read(
        host,
        f"smtpd_recipient_restrictions = check_recipient_access hash:{host.path('all')},\n"
        f" check_recipient_access hash:{host.path('listed')}, check_recipient_access static:REJECT\n",
    )
    assert evidence.answers == {
        f"hash:{host.path('all')}": {"x.example": "REJECT"},
        f"hash:{host.path('listed')}": {},
        "static:REJECT": dict.fromkeys(DOMAINS, "REJECT"),
    }


def test_table_of_etrn_is_asked_about_domains_and_leads_to_that_of_clients(host: FakeMxHost) -> None:
    host.table("etrn", "x.example ours\n")
    host.table("clients", f"{STRANGER.address} OK\n")
    evidence = read(
        host,
        "smtpd_restriction_classes = ours\n"
        f"ours = check_client_access hash:{host.path('clients')}, reject\n"
        f"smtpd_etrn_restrictions = check_etrn_access hash:{host.path('etrn')}\n",
    )
    assert evidence.answers == {
        f"hash:{host.path('etrn')}": {"x.example": "ours"},
        f"hash:{host.path('clients')}": {STRANGER.address: "OK"},
    }


def test_table_of_recipients_that_only_answers_may_know_some(host: FakeMxHost) -> None:
    class Server(MapReader):
        """A server that refuses all that it is asked about."""

        def ask(self, _table: str, keys: Sequence[str]) -> dict[str, str]:
            return dict.fromkeys(keys, "REJECT")

    host.write("main.cf", "smtpd_recipient_restrictions = check_recipient_access pgsql:/x\n")
    reader = Server(host.postfix())
    state = read_parameters(host.postfix(), reader)
    assert read_admission(host.postfix(), state, reader, DOMAINS, {}).admission.answers == {"pgsql:/x": {}}


def test_servers_that_nobody_runs_are_told(host: FakeMxHost, tmp_path: Path) -> None:
    (tmp_path / "private").mkdir()
    host.write("master.cf", "smtp inet n - n - - smtpd\nspawned unix - n n - 0 spawn\n")
    main_cf = f"""queue_directory = {tmp_path}
smtpd_sasl_auth_enable = yes
smtpd_sasl_type = dovecot
smtpd_sasl_path = private/auth
smtpd_recipient_restrictions = check_policy_service unix:private/spawned,
 check_policy_service {{ unix:private/alive, default_action=DUNNO }}, check_policy_service unix:private/gone
"""
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(tmp_path / "private" / "alive"))
        server.listen()
        assert set(read(host, main_cf).silent) == {"unix:private/gone", "unix:private/auth"}


def test_certificates_that_are_not_there_are_told(host: FakeMxHost) -> None:
    here = host.path("main.cf")
    evidence = read(host, f"smtpd_tls_cert_file = {here}\nsmtpd_tls_chain_files = {here}, /nowhere/chain.pem\n")
    assert evidence.missing_files == {"/nowhere/chain.pem"}


def test_tables_say_what_becomes_of_a_listed_recipient_and_which_rows_ask_its_mail_host(host: FakeMxHost) -> None:
    host.table("listed", "postmaster@x.example x\na@x.example x\n")
    host.table("to", "a@x.example OK\nx.example reject_unverified_recipient\ny.example ask\n")
    host.table("from", "one.example ask\ntwo.example DUNNO\n")
    evidence = read(
        host,
        f"relay_recipient_maps = hash:{host.path('listed')}\n"
        "smtpd_restriction_classes = ask\n"
        "ask = reject_unlisted_recipient, reject_unverified_recipient\n"
        f"smtpd_recipient_restrictions = check_recipient_access hash:{host.path('to')},\n"
        f" check_sender_access hash:{host.path('from')}\n",
    )
    assert evidence.of_recipients == {f"hash:{host.path('to')}": {"x.example": "OK", "y.example": "ask"}}
    assert evidence.verifying == {
        f"hash:{host.path('to')}": ["x.example", "y.example"],
        f"hash:{host.path('from')}": ["one.example"],
    }
