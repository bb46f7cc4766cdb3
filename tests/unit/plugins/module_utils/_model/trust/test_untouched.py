# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.configuration.master_cf import MasterCf
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.host import HostState
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.trust.untouched import untouched

SMTPD = MasterCf("smtp inet n - y - - smtpd\n").effective


@pytest.mark.parametrize(
    ("values", "line"),
    [
        (
            {"smtpd_relay_restrictions": "permit_mynetworks, reject_rbl_client a, reject_unauth_destination"},
            "smtpd_relay_restrictions: reject_rbl_client a; a permit there would let the MX hosts relay, so move it to "
            "smtpd_recipient_restrictions",
        ),
        (
            {"smtpd_reject_unlisted_sender": "yes"},
            "smtpd_reject_unlisted_sender = yes: refuses senders of this host's domains who are not listed, also to MX "
            "hosts; set it to no, and add reject_unlisted_sender to smtpd_sender_restrictions, where they are exempt",
        ),
        (
            {
                "smtpd_relay_restrictions": "check_recipient_access hash:/r, reject_unauth_destination",
                "smtpd_restriction_classes": "grey",
                "grey": "check_policy_service inet:127.0.0.1:10023",
            },
            "smtpd_relay_restrictions: check_recipient_access hash:/r (its rows cannot be listed, and may lead to "
            "check_policy_service inet:127.0.0.1:10023); a permit there would let the MX hosts relay, so move it to "
            "smtpd_recipient_restrictions",
        ),
        (
            {"smtpd_milters": "inet:127.0.0.1:11332"},
            "smtpd_milters = inet:127.0.0.1:11332: judges messages after DATA, where Postfix can except no client; "
            "tell it of the MX hosts (docs/mail-host.md)",
        ),
        (
            {"content_filter": "smtp:[127.0.0.1]:10024"},
            "content_filter = smtp:[127.0.0.1]:10024: judges messages that were taken; tell it of the MX hosts "
            "(docs/mail-host.md)",
        ),
        (
            {"smtpd_tls_security_level": "encrypt"},
            "TLS is demanded: MX hosts have to use it as well, as they do where it is offered",
        ),
        (
            {"smtpd_enforce_tls": "Yes"},
            "TLS is demanded: MX hosts have to use it as well, as they do where it is offered",
        ),
        (
            {"smtpd_tls_req_ccert": "yes"},
            "smtpd_tls_req_ccert = yes: MX hosts need a certificate that this host trusts",
        ),
        (
            {"smtpd_discard_ehlo_keywords": "dsn, 8BITMIME"},
            "smtpd_discard_ehlo_keywords has 8bitmime: MX hosts rewrite 8-bit mail, which breaks its DKIM signatures",
        ),
    ],
)
def test_what_may_still_refuse_or_change_mail_is_told(values: dict[str, str], line: str) -> None:
    state = HostState(parameters=values, values=values, services=SMTPD)
    assert untouched(state, SMTPD, []) == [line]


def test_usual_host_has_nothing_to_tell_but_what_the_lists_keep() -> None:
    values = {"smtpd_tls_security_level": "may", "smtpd_relay_restrictions": "permit_mynetworks, reject"}
    state = HostState(parameters=values, values=values, services=SMTPD)
    assert untouched(state, SMTPD, ["kept", "kept"]) == ["kept"]


@pytest.mark.parametrize(("limit", "told"), [("50", True), ("0", False), ("", False)])
def test_limit_of_postscreen_itself_is_told(limit: str, told: bool) -> None:
    services = MasterCf("smtp inet n - y - 1 postscreen\nsmtpd pass - - y - - smtpd\n").effective
    values = {"postscreen_client_connection_count_limit": limit}
    found = untouched(HostState(parameters=values, values=values, services=services), services[1:], [])
    line = (
        "postscreen_client_connection_count_limit = 50: postscreen excepts no client from it, and puts off what an MX "
        "host connects beyond it at once"
    )
    assert found == ([line] if told else [])
    assert untouched(HostState(parameters=values, values=values, services=SMTPD), SMTPD, []) == []


def test_service_is_judged_as_it_is_now() -> None:
    ports = "smtp inet n - y - - smtpd -o content_filter=new:\n2525 inet n - y - - smtpd -o smtpd_milters=unix:m\n"
    state = HostState(values={"smtpd_relay_restrictions": "reject"}, services=MasterCf(ports).effective)
    judges = "judges messages that were taken; tell it of the MX hosts (docs/mail-host.md)"
    assert untouched(state, SMTPD, []) == [f"content_filter = new:: {judges}"]
