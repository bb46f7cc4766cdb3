# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Claims about MX hosts that several scenarios hold against what a stranger sees."""

from __future__ import annotations

from lab import hosts

SECONDS_TO_QUEUE = 60
RECIPIENTS_AT_ONCE = 5

# Each names someone at elsewhere.test, for whom no host of the lab relays. The last two are formatted with a domain
# that the host does relay for.
STRANGERS_SPELLINGS = (
    "stranger@elsewhere.test",
    "STRANGER@ELSEWHERE.TEST",
    '"stranger"@elsewhere.test',
    "stranger@elsewhere.test.",
    "elsewhere.test!stranger",
    "stranger%elsewhere.test",
    "stranger%elsewhere.test@{host}",
    '"stranger@elsewhere.test"@{host}',
    "elsewhere.test!stranger@{host}",
    "stranger@sub.elsewhere.test",
    "stranger@[{mail_host}]",
    "@{host}:stranger@elsewhere.test",
    "@{domain}:stranger@elsewhere.test",
    "stranger%elsewhere.test@{domain}",
    '"stranger@elsewhere.test"@{domain}',
    "elsewhere.test!stranger@{domain}",
    "stranger@elsewhere.test@{domain}",
)


def host_name(host: str) -> str:
    """Return the full name of a lab host."""
    return f"{host.split('.')[0]}.lab.example"


def accepts(host: str, address: str) -> None:
    """The host takes mail for this recipient."""
    said = hosts.talk(address, server=host_name(host))
    assert said.rcpt, said
    assert said.rcpt[0][0] == 250, said


def refuses_unknown(host: str, address: str) -> None:
    """The host says at RCPT that there is no such recipient."""
    said = hosts.talk(address, server=host_name(host))
    assert said.rcpt, said
    code, text = said.rcpt[0]
    assert (code, text.split()[0]) == (550, "5.1.1"), said


def refuses_relay(host: str, address: str = hosts.STRANGER) -> None:
    """The host says at RCPT that it does not relay there, for good."""
    said = hosts.talk(address, server=host_name(host))
    assert said.rcpt, said
    code, text = said.rcpt[0]
    assert (code, text.split()[0]) == (554, "5.7.1"), said


def relays_for_no_stranger(host: str, domain: str) -> None:
    """No spelling of a foreign recipient, from any sender, is taken; none is put off either, to be tried again."""
    mail_host = hosts.on("tester", "getent", "ahostsv4", "mail.lab.example").split()[0]
    spellings = [
        spelling.format(host=host_name(host), domain=domain, mail_host=mail_host) for spelling in STRANGERS_SPELLINGS
    ]
    senders = (hosts.STRANGER, "", f"postmaster@{domain}", f"root@{host_name(host)}")
    # A few recipients a connection, since Postfix slows down clients that err often.
    orders = [
        {"server": host_name(host), "sender": sender, "recipients": spellings[first : first + RECIPIENTS_AT_ONCE]}
        for sender in senders
        for first in range(0, len(spellings), RECIPIENTS_AT_ONCE)
    ]
    for order, said in zip(orders, hosts.talk_often(orders), strict=True):
        assert said.mail is not None and said.mail[0] == 250, said
        answered = dict(zip(order["recipients"], said.rcpt, strict=True))
        assert {recipient: answer for recipient, answer in answered.items() if not 500 <= answer[0] <= 599} == {}


def delivers_once(host: str, address: str, mailbox: str | None = None) -> None:
    """A message given to the host lies in the mailbox, once."""
    unique, message = hosts.new_message()
    said = hosts.talk(address, server=host_name(host), message=message)
    assert said.data is not None and said.data[0] == 250, said
    assert hosts.arrived(unique, mailbox or address) == 1, hosts.queued(host)


def keeps_in_queue(host: str, unique: str, address: str) -> None:
    """The message, which can't be delivered now, waits in the host's queue, put off and not bounced."""

    def waiting() -> list[str]:
        return [
            recipient["address"]
            for entry in hosts.queued(host)
            if entry["queue_name"] == "deferred"
            for recipient in entry["recipients"]
            if recipient["address"] == address and unique in hosts.on(host, "postcat", "-q", entry["queue_id"])
        ]

    assert hosts.wait_for(waiting, SECONDS_TO_QUEUE) == [address], hosts.queued(host)
