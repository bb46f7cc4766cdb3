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
            {"smtpd_enforce_tls": "yes"},
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
