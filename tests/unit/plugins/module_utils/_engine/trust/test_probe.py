# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.trust.probe import probe_mail_host
from ansible_collections.mxrelay.postfix.tests.unit.plugins.module_utils.fake_mx_host import FakeProber


def test_host_is_asked_about_nobody_and_about_recipients_elsewhere_from_bounces() -> None:
    prober = FakeProber()
    prober.answers = {"mxrelay-": (550, "unknown"), "": (554, "relay access denied")}
    proof = probe_mail_host("mail.example", 25, "mx1.example", ["x.example", "y.example"], prober)
    approach, transactions = prober.approaches[0]
    assert (approach.server, approach.port, approach.helo) == ("mail.example", 25, "mx1.example")
    assert [sender for sender, _recipients in transactions] == ["", ""]
    assert len(transactions[0][1]) == 1 and transactions[0][1][0].endswith("@x.example")
    assert (proof["proven"], proof["relays"]) == (True, [])
    assert str(proof["unknown"]).endswith(": 550 unknown")


def test_open_relay_is_found() -> None:
    prober = FakeProber()
    proof = probe_mail_host("mail.example", 25, "", [], prober)
    assert len(prober.approaches[0][1]) == 1
    assert (proof["proven"], proof["unknown"]) == (False, "")
    assert str(proof["relays"][0]).startswith("RCPT TO:<probe@")
