# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.domain import Talk
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.quoted import (
    is_nobody,
    reason_without,
    without_local_part,
    without_people,
)

JANE = "Jane.Doe@x.example"
TAGGED = "jane.doe+mxrelay-probe@x.example"
UNKNOWN = "mxrelay-probe-0123@x.example"
NAMES = ("mx1.example", "x.example")


def told(text: str, recipient: str = JANE) -> str:
    """What is told of an answer."""
    talk = Talk("mail.example", recipients={recipient: (550, text)}, sender="mxrelay-probe-9@elsewhere.example")
    hidden = without_people(talk, [JANE, TAGGED], NAMES)
    assert list(hidden.recipients) == [recipient]
    return hidden.recipients[recipient][1]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("5.1.1 <jane.doe@x.example>: no", "5.1.1 <[a recipient]>: no"),
        # The local part alone, in brackets, in quotes or in the text.
        ("5.1.1 <jane.doe>: User unknown", "5.1.1 <[a recipient]>: User unknown"),
        ('No such user "Jane.Doe".', 'No such user "[a recipient]".'),
        (
            "jane.doe... User unknown, jane.doe+mxrelay-probe is not",
            "[a recipient]... User unknown, [a recipient] is not",
        ),
        ("jane.doe-mxrelay-probe has no mailbox", "[a recipient] has no mailbox"),
        # What it is rewritten to, with a domain and without.
        ("<j.doe@inside.x.example>: unknown", "<[a recipient]>: unknown"),
        ("<jd42>: Recipient address rejected: unknown", "<[a recipient]>: Recipient address rejected: unknown"),
        ("see http://spf.example/why?id=j@y.example;ip=::1", "see http://spf.example/why?id=[a recipient];ip=::1"),
        # Parts of other words are not the local part.
        ("mail.jane.doe.example and jane.doe-x", "mail.jane.doe.example and jane.doe-x"),
    ],
)
def test_recipient_is_not_named_in_whatever_form_the_answer_has_it(text: str, expected: str) -> None:
    assert told(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "4.7.1 <mx1.example>: Helo command rejected: Host not found",
        "4.7.1 <unheard>: Helo command rejected: Host not found",
        "5.7.1 <mx1.other.example[192.0.2.1]>: Client host rejected: Access denied",
        "4.1.8 <mxrelay-probe-9@elsewhere.example>: Sender address rejected: Domain not found",
        "<x.example>, <mail.example> and <elsewhere.example>",
        "see <https://x.example/why>, or ask <postmaster@y.example> or abuse@y.example",
        "5.1.1 <mxrelay-probe-0123>: unknown",
        "5.7.23 SPF fail. See http://spf.example/Why?s=mfrom;id=mxrelay-probe-9@elsewhere.example;ip=192.0.2.1",
    ],
)
def test_hosts_domains_roles_and_what_a_probe_made_up_are_named(text: str) -> None:
    assert told(text) == text


def test_recipients_that_nobody_has_are_named() -> None:
    assert told(f"5.1.1 <{UNKNOWN}>: no", UNKNOWN) == f"5.1.1 <{UNKNOWN}>: no"
    assert told("5.7.1 <probe@example.com>: Relay access denied", "probe@example.com").startswith("5.7.1 <probe@")


def test_domain_of_a_quoted_recipient_is_named() -> None:
    assert told("<y.example>: Relay access denied", '"a@b"@y.example') == "<y.example>: Relay access denied"


def test_local_part_that_is_no_persons_stays() -> None:
    assert without_local_part("postmaster is here", "postmaster@x.example") == "postmaster is here"
    assert without_local_part("nobody is here", "@x.example") == "nobody is here"
    assert [is_nobody(address) for address in (UNKNOWN, "Abuse@x.example", JANE, TAGGED)] == [True, True, False, False]


def test_reason_of_a_recipient_that_waits_is_told_without_its_local_part() -> None:
    said = "host mail.x.example[192.0.2.1] said: 450 4.2.0 <mail>: mail is put off (in reply to RCPT TO command)"
    assert reason_without(said, "mail@x.example") == (
        "host mail.x.example[192.0.2.1] said: 450 4.2.0 <...>: ... is put off (in reply to RCPT TO command)"
    )
    assert reason_without("connect to mail: refused", "mail@x.example") == "connect to mail: refused"
