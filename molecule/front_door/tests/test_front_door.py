# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The door as it is unless a setting says otherwise: open to whoever asks for a known recipient, at once."""

from __future__ import annotations

import pytest

from lab import hosts

RELEASES = ("mx35", "mx310", "mx311")


@pytest.mark.parametrize("host", RELEASES)
def test_known_recipient_is_taken_and_another_is_not(host: str) -> None:
    heard = hosts.talk(["liz@front.example", "nobody@front.example"], server=f"{host}.lab.example")
    assert [answer[0] for answer in heard.rcpt] == [250, 550]
