# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import tempfile
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.mx.info import inform
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.host import MxRecord
from ansible_collections.mxrelay.postfix.tests.unit.plugins.module_utils.fake_mx_host import (
    DEFAULTS,
    FakeMxHost,
    FakeNetwork,
    FakeProber,
)
from ansible_collections.mxrelay.postfix.tests.unit.plugins.module_utils.odd_values import ODD_VALUES

WORDS = st.sampled_from(ODD_VALUES)

TEXT = st.text(st.characters(blacklist_categories=("Cc", "Cs", "Zl", "Zp")), max_size=12)
VALUES = st.lists(st.one_of(WORDS, TEXT), max_size=5).map(" ".join)
RESULTS = st.one_of(
    WORDS, st.sampled_from(["relay:", "smtp:mail.example:x", "[", "relay:[", "relay:[::1", ":25", "error:no"])
)
NAMES = sorted(
    {*DEFAULTS, "defer_transports", "smtpd_restriction_classes", "sender_dependent_relayhost_maps", "soft_bounce"}
)


@settings(max_examples=150, deadline=None)
@given(changes=st.dictionaries(st.sampled_from(NAMES), VALUES, max_size=4), result=RESULTS)
def test_no_configuration_makes_mx_info_fail(changes: dict[str, str], result: str) -> None:
    with tempfile.TemporaryDirectory() as directory:
        host = FakeMxHost(directory)
        healthy = {
            "smtpd_relay_restrictions": "permit_mynetworks, reject_unauth_destination",
            "relay_domains": "x.example",
            "relay_recipient_maps": f"hash:{host.path('relay_recipients')}",
            "transport_maps": f"hash:{host.path('transport')}",
        }
        changes.pop("mail_version", None)
        host.write("main.cf", "".join(f"{name} = {value}\n" for name, value in {**healthy, **changes}.items()))
        host.table("relay_recipients", "a@x.example x\n")
        host.table("transport", f"x.example {result or 'relay:'}\n")
        network = FakeNetwork()
        network.records["x.example"] = (MxRecord(10, "mx.example", ("192.0.2.9",)),)
        results = inform({"domains": ["x.example"], "probe": True}, host.postfix(), network, FakeProber()).results
    _complete(results)


def _complete(results: dict[str, Any]) -> None:
    """Each finding says what is wrong and what to do."""
    for finding in results["findings"]:
        assert finding["severity"] in ("error", "warning", "info")
        assert finding["scope"] in ("local", "dns", "remote")
        assert finding["place"] in ("sender", "mx", "host", "recipients", "nexthop", "mail_host")
        assert finding["message"] and finding["remedy"]
