# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.configuration.master_cf import Service
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.domain import DomainEvidence
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.host import Capture, HostState
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.lookups import RecipientLookups
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.recipients import (
    action_tables,
    is_verified,
    said,
    tables_asked,
    told_by,
    values_of_cleanup,
)

SMTP = Service("smtp", "inet", "n", "-", "n", "-", "-", "smtpd", {})
CLEANUP = Service("cleanup", "unix", "n", "-", "n", "-", "0", "cleanup", {"virtual_alias_maps": "hash:/own"})


def host(*services: Service, **values: str) -> HostState:
    return HostState(parameters=values, values=values, services=services or (SMTP,))


def test_whole_address_is_asked_of_all_tables_before_its_domain() -> None:
    answers = {"hash:/a": {"@x.example": "all"}, "hash:/b": {"u@x.example": "one"}}
    state = HostState(lookups=RecipientLookups(answers=answers))
    assert said(state, "hash:/a, hash:/b", "u@x.example") == Capture("hash:/b", "u@x.example", "one")
    assert said(state, "hash:/a, hash:/b", "v@x.example") == Capture("hash:/a", "@x.example", "all")
    assert said(state, "hash:/b", "v@x.example") is None


@pytest.mark.parametrize(
    ("values", "verified", "expected"),
    [
        ({}, False, False),
        ({}, True, True),
        ({"smtpd_recipient_restrictions": "reject_unverified_recipient"}, False, True),
        ({"smtpd_sender_restrictions": "reject_unverified_recipient"}, False, False),
    ],
)
def test_recipients_are_verified_by_a_row_or_for_all(values: dict[str, str], verified: bool, expected: bool) -> None:
    assert is_verified(DomainEvidence("x.example", verified=verified), host(**values)) is expected


@pytest.mark.parametrize(
    ("maps", "wildcard", "verified", "told"),
    [
        ("hash:/r", False, False, "listed"),
        ("hash:/r", False, True, "listed"),
        ("hash:/r", True, True, "verify"),
        ("hash:/r", True, False, "any"),
        ("", False, False, "any"),
    ],
)
def test_recipients_are_told_from_unknown_ones(maps: str, wildcard: bool, verified: bool, told: str) -> None:
    domain = DomainEvidence("x.example", wildcard=wildcard, verified=verified)
    assert told_by(domain, host(relay_recipient_maps=maps)) == told


def test_tables_are_asked_by_the_parameter_that_names_them_first() -> None:
    state = host(virtual_alias_maps="hash:/v", relay_recipient_maps="hash:/r, hash:/v", canonical_maps="")
    assert tables_asked(state) == {"hash:/v": "virtual_alias_maps", "hash:/r": "relay_recipient_maps"}


def test_cleanup_rewrites_by_its_own_overrides() -> None:
    state = host(SMTP, CLEANUP, cleanup_service_name="cleanup", virtual_alias_maps="hash:/v")
    assert values_of_cleanup(state, "virtual_alias_maps") == {"hash:/own": "virtual_alias_maps of cleanup/unix"}


def test_tables_that_say_what_to_do_about_an_address_are_named() -> None:
    state = host(
        smtpd_sender_restrictions="check_sender_access proxy:hash:/s, check_client_access hash:/c",
        smtpd_recipient_restrictions="check_recipient_access hash:/r",
    )
    assert action_tables(state) == {
        "hash:/r": "check_recipient_access in smtpd_recipient_restrictions",
        "hash:/s": "check_sender_access in smtpd_sender_restrictions",
    }
