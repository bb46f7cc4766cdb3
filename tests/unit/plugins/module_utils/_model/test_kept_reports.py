# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reports that Postfix 3.5 and 3.10 made, as postcat prints them."""

from __future__ import annotations

import pytest

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.kept_reports import (
    HEAD_BYTES,
    Incomplete,
    NoReport,
    Report,
    parse_report,
)
from ansible_collections.mxrelay.postfix.tests.unit.plugins.module_utils.fake_kept_mail import (
    RELEASES,
    REPORTS,
    captured,
    id_of,
)

POLICY = "refused: 550 5.7.1"
SPAM = "refused: 554 5.7.1"


def parsed(printed: bytes, queue_id: str = "", at_end: bool = True) -> Report:
    return parse_report(printed, queue_id or id_of(printed), "double-bounce", at_end)


@pytest.mark.parametrize("release", RELEASES)
@pytest.mark.parametrize(
    ("name", "sender", "failures"),
    [
        ("mail", "mail-mailrefused@stranger.example", [("a@hold.example", "refused: 550 5.7.23")]),
        ("rcpt", "rcpt@stranger.example", [("rcpt@hold.example", POLICY)]),
        ("data", "data@stranger.example", [("data@hold.example", SPAM)]),
        ("size", "size@stranger.example", [("x@small.example", "too large: 5.3.4")]),
        ("utf8", "utf8@stranger.example", [("rcptü@utf.example", "SMTPUTF8 not offered: 5.6.7")]),
        (
            "expired",
            "time@stranger.example",
            [("x@down.example", "expired: 4.4.1"), ("gray@hold.example", "expired: 450 4.2.0")],
        ),
        ("null", "", [("rcpt@hold.example", POLICY)]),
        ("quoted", "quoted@stranger.example", [('"rc pt;data"@hold.example', SPAM)]),
        (
            "several",
            "several@stranger.example",
            [
                ("rcpt1@hold.example", POLICY),
                ("bare@hold2.example", "refused: 550 5.0.0"),
                ("x@hold.example", SPAM),
                ("data9@sub.hold.example", SPAM),
            ],
        ),
    ],
)
def test_report_says_who_did_not_get_what_and_why(
    release: str, name: str, sender: str, failures: list[tuple[str, str]]
) -> None:
    printed = captured(name, release)
    found = parsed(printed)
    assert (found.sender, [(failure.recipient, failure.cause) for failure in found.failures]) == (sender, failures)
    assert (found.queue_id, found.path, found.whole) == (id_of(printed), f"hold/{id_of(printed)}", True)


@pytest.mark.parametrize("release", RELEASES)
@pytest.mark.parametrize(
    ("name", "causes", "is_notice"),
    [("headers", [SPAM], False), ("delayed", ["delay notice", "delay notice"], True)],
)
def test_report_with_no_more_than_headers_is_not_whole(
    release: str, name: str, causes: list[str], is_notice: bool
) -> None:
    found = parsed(captured(name, release))
    assert ([failure.cause for failure in found.failures], found.whole) == (causes, False)
    assert found.is_notice is is_notice


@pytest.mark.parametrize("release", RELEASES)
@pytest.mark.parametrize("name", REPORTS)
def test_original_message_lies_between_start_and_end(release: str, name: str) -> None:
    printed = captured(name, release)
    found = parsed(printed)
    content = printed.partition(b"*** MESSAGE CONTENTS ")[2].partition(b"\n")[2].rpartition(b"*** HEADER EXTRACTED")[0]
    assert content[found.start :].startswith(b"Received: from client.stranger.example (")
    assert content.endswith(b"\n" + found.end)


@pytest.mark.parametrize("release", RELEASES)
@pytest.mark.parametrize("name", REPORTS)
def test_report_is_known_as_soon_as_its_head_is_there(release: str, name: str) -> None:
    """It is never taken for something else at any place where a piece of it may end."""
    printed = captured(name, release)
    whole = parsed(printed)
    head = None
    for length in range(len(printed)):
        try:
            assert parsed(printed[:length], whole.queue_id, at_end=False) == whole
            head = head or length
        except Incomplete:
            assert head is None
    assert head is not None
    assert printed[head:].count(b"\nSubject: ") == 1


@pytest.mark.parametrize("release", RELEASES)
@pytest.mark.parametrize("name", ["forged_by_stranger", "forged_by_user"])
def test_copy_of_a_report_that_somebody_handed_in_is_none(release: str, name: str) -> None:
    with pytest.raises(NoReport):
        parsed(captured(name, release))


ORIGIN = b"named_attribute: log_message_origin=local\n"


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        pytest.param("rcpt", ORIGIN, ORIGIN + b"named_attribute: log_client_name=x\n", id="a client handed it in"),
        pytest.param("rcpt", ORIGIN, ORIGIN + b"named_attribute: sasl_username=x\n", id="a login handed it in"),
        pytest.param("rcpt", ORIGIN, ORIGIN + b"named_attribute: sasl_username=x: y\n", id="a login with a colon"),
        pytest.param("rcpt", ORIGIN, ORIGIN + b"sender_fullname: x\n", id="a user handed it in"),
        pytest.param("rcpt", ORIGIN, b"", id="nothing says that it is of this host"),
        pytest.param("rcpt", b"\nsender: \n", b"\nsender: bob@x.example\n", id="it has a sender"),
        pytest.param("rcpt", b"RECORDS hold/", b"RECORDS active/", id="it is not on hold"),
        pytest.param("rcpt", b"\n\tid ", b"\n\tid A", id="another message was received"),
        pytest.param("rcpt", b"\nDate: ", b"\nReceived: by x\nDate: ", id="it was received twice"),
        pytest.param("rcpt", b"report-type=delivery-status", b"report-type=disposition-notification", id="receipt"),
        pytest.param("rcpt", b"\nAction: failed", b"\nAction: relayed", id="it was delivered"),
        pytest.param("rcpt", b"\nX-Postfix-Sender: ", b"\nX-Postfix-Other: ", id="nothing says whose it was"),
        pytest.param("rcpt", b": message/delivery-status", b": text/plain", id="no delivery status"),
        pytest.param("null", b"Sender: rfc822; MAILER-DAEMON@", b"Sender: rfc822; bob@", id="a postmaster's copy"),
    ],
)
def test_what_does_not_prove_to_be_a_report_is_none(name: str, old: bytes, new: bytes) -> None:
    printed = captured(name)
    queue_id = id_of(printed)
    assert printed.count(old) >= 1
    with pytest.raises(NoReport):
        parsed(printed.replace(old, new, 1), queue_id)


def test_report_of_another_message_is_none() -> None:
    with pytest.raises(NoReport):
        parsed(captured("rcpt"), "0123456789")


@pytest.mark.parametrize("printed", [b"", b"*** ENVELOPE", b"no such file\n", captured("rcpt")[:1500]])
def test_what_ends_before_its_head_is_none(printed: bytes) -> None:
    with pytest.raises(NoReport):
        parsed(printed, "A")


def test_report_with_an_endless_head_is_none() -> None:
    printed = captured("rcpt")[:1500] + b"x" * HEAD_BYTES
    with pytest.raises(NoReport):
        parsed(printed, at_end=False)


def test_message_can_not_end_its_report() -> None:
    """Whatever a stranger writes, with the boundary guessed: the report has said all before, and ends where it ends."""
    printed = captured("rcpt")
    whole = parsed(printed)
    inside = (
        whole.end + b"Content-Type: message/delivery-status\n\nFinal-Recipient: rfc822; z@x.example\n\n" + whole.end
    )
    assert parsed(printed.replace(b"\nbody ", inside + b"\nbody ")) == whole


def test_name_of_the_mail_system_does_not_matter() -> None:
    renamed = captured("several").replace(b"X-Postfix-", b"X-Mail-System-").replace(b"(Postfix)", b"(Mail System)")
    found = parsed(renamed)
    assert (found.sender, len(found.failures)) == ("several@stranger.example", 4)


@pytest.mark.parametrize(
    ("status", "diagnostic", "cause"),
    [
        (b"5.4.6", b"X-Postfix; mail for x loops back to myself", "not sent: 5.4.6"),
        (b"5.6.7", b"smtp; 553 5.6.7 no UTF-8 for bob@x.example", "refused: 553 5.6.7"),
        (b"4.7.1", b"smtp; 550 5.7.1 by policy", "expired: 550 4.7.1"),
        (b"bob@x.example", b"smtp; bob@x.example", "not sent"),
    ],
)
def test_cause_is_a_class_with_its_codes(status: bytes, diagnostic: bytes, cause: str) -> None:
    printed = captured("data").replace(b"Status: 5.7.1", b"Status: " + status)
    printed = printed.replace(b"smtp; 554 5.7.1 Spam message rejected", diagnostic)
    assert [failure.cause for failure in parsed(printed).failures] == [cause]
