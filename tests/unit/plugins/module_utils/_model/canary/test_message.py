# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from email import message_from_string

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.canary.message import Canary

CANARY = Canary("x.example", "a@x.example", "", "9f", "mx.example")


def test_message_says_what_it_is_and_carries_its_mark() -> None:
    message = message_from_string(CANARY.text("Sat, 28 Nov 2026 22:50:31 +0000"))
    assert dict(message.items()) == {
        "From": '"Mail test" <postmaster@mx.example>',
        "To": "<a@x.example>",
        "Subject": "[mxrelay-canary] test message for x.example through mx.example",
        "Date": "Sat, 28 Nov 2026 22:50:31 +0000",
        "Message-ID": "<mxrelay-canary-9f@mx.example>",
        "Auto-Submitted": "auto-generated",
        "MIME-Version": "1.0",
        "Content-Type": "text/plain; charset=us-ascii",
    }
    assert "This is a test." in str(message.get_payload())


def test_sender_that_is_given_is_its_author() -> None:
    sent = Canary("x.example", "a@x.example", "ops@own.example", "9f", "mx.example")
    assert "<ops@own.example>" in sent.text("")
    assert Canary.from_result(sent.as_result()) == sent
