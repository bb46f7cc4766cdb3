# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The mail host goes away and comes back under load: each message that an MX accepted is accounted for."""

from __future__ import annotations

import pytest

from lab import claims

MX = ("mx1", "mx35")
MAILBOXES = ("amy@outage.example", "cleo@other.example")


@pytest.mark.parametrize("host", MX)
@pytest.mark.parametrize("address", MAILBOXES)
def test_each_message_is_relayed_once(host: str, address: str) -> None:
    claims.delivers_once(host, address)
