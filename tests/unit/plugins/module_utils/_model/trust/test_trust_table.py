# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.trust.trust_table import (
    TrustTable,
    read_trust_table,
)


def test_text_is_read_as_what_it_was_written_from() -> None:
    table = TrustTable(("192.0.2.1", "2001:db8::1"), ("[2001:db8::1]",), ("postscreen_access_list",))
    assert table.text == (
        "# The MX hosts that this mail host trusts: written by mxrelay.postfix.trust_mx, which also removes it.\n"
        "# Added to smtpd_client_event_limit_exceptions: [2001:db8::1]\n"
        "# Set in main.cf for them: postscreen_access_list\n"
        "192.0.2.1 permit\n2001:db8::1 permit\n"
    )
    assert read_trust_table(table.text) == table
    assert read_trust_table(TrustTable().text) == TrustTable()


def test_file_of_somebody_else_is_none_of_ours() -> None:
    assert read_trust_table("192.0.2.1 permit\n") is None
    assert read_trust_table("") is None
