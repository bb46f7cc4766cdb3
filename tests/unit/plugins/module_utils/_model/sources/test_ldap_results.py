# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.sources.ldap_results import (
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
