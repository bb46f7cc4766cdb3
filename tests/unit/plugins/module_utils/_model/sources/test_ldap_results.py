# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.sources.ldap_results import (
    REFERRAL,
    SIZE_LIMIT,
    leads_to_mail,
    why_refused,
)


@pytest.mark.parametrize(
    ("code", "why"),
    [
        (3, "the directory's time limit was reached; raise it for the bind_dn, or give narrower bases"),
        (49, "the directory does not take bind_dn and bind_password; correct them"),
        (80, "the directory answered with result code 80 of RFC 4511; look at its log"),
    ],
)
def test_result_is_explained(code: int, why: str) -> None:
    assert why_refused(code) == why


# The result codes of RFC 4511, 4.1.9 that a search ends with, and what the words for each must name.
@pytest.mark.parametrize(
    ("code", "named"),
    [
        (1, "(operationsError)"),
        (SIZE_LIMIT, "size limit"),
        (4, "size limit"),
        (7, "no simple bind"),
        (8, "a bind that is protected"),
        (REFERRAL, "refers to another one"),
        (10, "refers to another one"),
        (11, "limit of the directory's administrator"),
        (12, "paged results"),
        (13, "demands TLS"),
        (18, "does not know how to compare"),
        (32, "not in the directory"),
        (34, "not a distinguished name"),
        (48, "does not let this bind_dn in"),
        (50, "may not read"),
        (51, "busy"),
        (52, "unavailable"),
        (53, "unwilling"),
    ],
)
def test_each_code_has_its_cause(code: int, named: str) -> None:
    assert named in why_refused(code)


@pytest.mark.parametrize(
    ("reference", "expected"),
    [
        ("ldap://ForestDnsZones.corp.example/DC=ForestDnsZones,DC=corp,DC=example", False),
        ("ldap://DomainDnsZones.corp.example/DC=DomainDnsZones,DC=corp,DC=example", False),
        ("ldaps://corp.example/CN=Configuration,DC=corp,DC=example", False),
        ("ldap://corp.example/CN%3DConfiguration,DC=corp,DC=example", False),
        ("ldap://child.corp.example/DC=child,DC=corp,DC=example", True),
        ("ldap://other.example/", True),
    ],
)
def test_parts_of_active_directory_without_mailboxes_are_known(reference: str, expected: bool) -> None:
    assert leads_to_mail(reference) is expected
