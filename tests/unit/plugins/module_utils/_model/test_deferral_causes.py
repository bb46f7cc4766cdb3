# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.deferral_causes import CAUSES, cause_class

REASONS = {
    "connect to mail.x.example[192.0.2.1]:25: Connection refused": "connection",
    "delivery temporarily suspended: connect to mail.x.example[192.0.2.1]:25: Connection timed out": "connection",
    "lost connection with mail.x.example[192.0.2.1] while receiving the initial server greeting": "connection",
    "conversation with mail.x.example[192.0.2.1] timed out while sending end of data": "connection",
    "Host or domain name not found. Name service error for name=mail.x.example type=A: Host not found": "dns",
    "unable to look up host mail.x.example: No address associated with hostname": "dns",
    "TLS is required, but was not offered by host mail.x.example[192.0.2.1]": "tls",
    "Server certificate not trusted": "tls",
    "Cannot start TLS: handshake failure": "tls",
    "SASL authentication failed; server mail.x.example[192.0.2.1] said: 535 5.7.8 Error": "authentication",
    "host mail.x.example[192.0.2.1] said: 450 4.2.0 <a@x.example>: Recipient rejected: Greylisted": "greylisted",
    "host mail.x.example[192.0.2.1] said: 452 4.2.2 The email account is over quota": "mailbox_full",
    "host mail.x.example[192.0.2.1]:2525 said: 550 5.1.1 <a@x.example>: User unknown": "refused",
    "host mail.x.example[192.0.2.1] refused to talk to me: 554 5.7.1 Service unavailable": "refused",
    "host mail.x.example[2001:db8::1] said: 451 4.3.0 Temporary lookup failure": "put_off",
    "host mail.x.example[192.0.2.1] refused to talk to me: 421 4.3.2 connect to you later": "put_off",
    "mail for x.example loops back to myself": "loop",
    "mail transport unavailable": "local",
    "something that nobody knows": "other",
}


@pytest.mark.parametrize("reason", REASONS)
def test_reason_has_its_class(reason: str) -> None:
    assert cause_class(reason) == REASONS[reason]


def test_every_class_is_one_that_is_known_and_seen() -> None:
    assert set(REASONS.values()) == set(CAUSES)
