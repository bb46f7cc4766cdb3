# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json

import pytest

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.mx.standby_files import (
    StandbyFiles,
    StandbyPlace,
    StandbyRequest,
    standby_texts,
)

FILES = StandbyFiles("/etc/postfix")
PLACE = StandbyPlace(FILES, "/var/spool/postfix", "postfix", "/usr/bin/python3", "print()\n")
WANTED = StandbyRequest(("b.example", "a.example"), ("a.example",), ("mx.example", "192.0.2.9"), "mx.example")


@pytest.mark.parametrize(
    ("directory", "unit"),
    [
        ("/etc/postfix", "mxrelay-standby"),
        ("/etc/postfix/", "mxrelay-standby"),
        ("/etc/postfix-two", "mxrelay-standby-postfix-two"),
        ("/srv/mail relay", "mxrelay-standby-mail_relay"),
    ],
)
def test_each_instance_has_units_of_its_own(directory: str, unit: str) -> None:
    files = StandbyFiles(directory)
    assert (files.unit, files.socket_unit) == (unit, f"/etc/systemd/system/{unit}.socket")


def test_texts_are_of_all_files() -> None:
    texts = standby_texts(PLACE, WANTED)
    assert list(texts) == FILES.all
    assert texts["/etc/postfix/mxrelay-standby.py"] == "print()\n"
    assert json.loads(texts["/etc/postfix/mxrelay-standby.json"]) == {
        "domains": ["a.example", "b.example"],
        "subdomains": ["a.example"],
        "own": ["192.0.2.9", "mx.example"],
        "name": "mx.example",
    }


def test_only_postfix_can_ask_and_the_service_has_no_rights() -> None:
    texts = standby_texts(PLACE, WANTED)
    socket = texts[FILES.socket_unit].splitlines()
    assert {"ListenStream=/var/spool/postfix/mxrelay/standby", "SocketUser=postfix", "SocketMode=0600"} < set(socket)
    unit = texts[FILES.service_unit].splitlines()
    program = "/etc/postfix/mxrelay-standby.py /etc/postfix/mxrelay-standby.json"
    assert {
        f"ExecStart=/usr/bin/python3 -IB {program}",
        "DynamicUser=yes",
        "NoNewPrivileges=yes",
        "ProtectSystem=strict",
        "CapabilityBoundingSet=",
        "WatchdogSec=30",
    } < set(unit)
    # In this order: the first says whether what is not named is allowed. See systemd.exec(5).
    assert [line for line in unit if line.startswith("SystemCallFilter")] == [
        "SystemCallFilter=@system-service",
        "SystemCallFilter=~@privileged @resources",
    ]


def test_without_domains_there_are_no_files() -> None:
    assert standby_texts(PLACE, StandbyRequest()) == {}
