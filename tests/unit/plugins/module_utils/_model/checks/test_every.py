# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from pathlib import Path

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.checks.every import FILES, checks_of, every_check
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.checks.registry import (
    CHECKS,
    DOMAIN,
    SUBJECTS,
    WHOLE_HOST,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.checks.result import DNS, LOCAL, REMOTE

# The files of the folder that have no checks in them.
FRAME = {"accepted", "__init__", "every", "registry", "result"}


def test_every_file_of_checks_is_imported() -> None:
    folder = Path(str(FILES[0].__file__)).parent
    assert {path.stem for path in folder.glob("*.py")} - FRAME == {file.__name__.rpartition(".")[2] for file in FILES}


def test_every_registered_check_has_a_known_subject_and_scope() -> None:
    assert {check.name for check in every_check()} == set(CHECKS)
    assert [subject for subject in SUBJECTS if not checks_of(subject)] == []
    assert {check.scope for check in every_check()} == {LOCAL, DNS, REMOTE}


def test_what_refuses_a_run_is_named() -> None:
    assert [check.name for check in checks_of(WHOLE_HOST, DOMAIN) if check.refuses] == [
        "refuses_strangers",
        "demands_tls",
        "postscreen",
        "restriction_table",
        "message_table",
        "policy_service",
        "sasl_socket",
        "parameter_value",
        "open_relay",
        "mynetworks",
        "foreign_domains",
        "relay_unproven",
        "inet_interfaces",
        "smtp_service",
        "relay_service",
        "diverted",
        "rewritten",
        "filter_silent",
        "reject_unlisted",
        "action_table",
        "relay_command",
        "relay_settings",
        "class",
        "own_nexthop",
        "mail_host",
        "nexthop_brackets",
        "best_mx",
        "verify_defers",
        "unknown_accepted",
        "rewrites",
        "dns_off",
    ]
    assert len([check for check in every_check() if check.refuses]) == 31
