# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Mail that the mail host refuses after this host took it, on each release: no stranger is told, and nothing is lost.

The tests are the steps of one outage, in order. Some of the messages are refused, at each stage of SMTP, and some
expire; `./run molecule releases --long` sends a thousand for each domain.
"""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import pytest

from lab import faults, hosts, playbooks
from lab.long_form import in_long_form

RELEASES = ("mx35", "mx310", "mx311")
ALL = ",".join(f"{host}.lab.example" for host in RELEASES)
LONG = bool(os.environ.get("MXRELAY_LAB_LONG"))
MESSAGES, REFUSED, EXPIRING = (1000, 100, 50) if LONG else (60, 12, 4)
MODES = {
    "bounced.example": {},
    "reported.example": {"refused_mail": "postmaster"},
    "kept.example": {"refused_mail": "hold"},
    "tried.example": {"refused_mail": "hold", "refused_mail_retry": True},
}
# Its recipients are asked for at the mail host.
CHECKED = "checked.example"
CHECKS = {"recipients_policy": "verify", "refused_mail": "hold", "refused_mail_retry": True}
KEPT = tuple(domain for domain, mode in MODES.items() if mode)
STAGES = ("mail", "rcpt", "data", "size")
USERS = ("amy", "gone", "late")
# The tester takes their mail, and keeps it in a file.
STRANGER = "stranger@tester.test"
SUNK = "/srv/sunk"
SENDERS = {"mail": "second@tester.test"}
LIMIT = 200_000
# A report has so much of a message unless it is to have more.
BOUNCE_SIZE_LIMIT = 50_000
MIA = "mia@front.example"
END = "the end of the message"
# The mail host as it comes back: it refuses some at each stage, and some for now.
BACK = {
    "virtual_mailbox_maps": "texthash:/etc/mailboxes, texthash:/etc/more_mailboxes",
    "smtpd_delay_reject": "no",
    "smtpd_sender_restrictions": "check_sender_access inline:{{second@tester.test = 550 5.7.1 not from you}}",
    "smtpd_recipient_restrictions": "check_recipient_access regexp:{{/^late@/ 450 4.2.0 later}}",
    "header_checks": "regexp:{{/^Subject: data/ REJECT 5.7.1 spam}}",
    "message_size_limit": str(LIMIT),
}


def declared(*modes: str) -> list[dict[str, object]]:
    """The items of the domains, of which those named are treated as MODES says, and others as Postfix does."""
    return [
        {
            "name": domain,
            "mail_host": "mail.lab.example",
            "recipients": [f"{user}@{domain}" for user in USERS],
            **(mode if domain in modes else {}),
        }
        for domain, mode in MODES.items()
    ]


def apply(items: Sequence[dict[str, object]], limit: str = ALL, **settings: object) -> playbooks.Run:
    variables = {"primary_mx_domains": items, "primary_mx_verify": True, **settings}
    return playbooks.play("releases", playbooks.PRIMARY, variables=variables, limit=limit)


def configuration(host: str) -> str:
    return hosts.on(host, "sh", "-c", "cat /etc/postfix/main.cf /etc/postfix/master.cf")


def text(name: str, sender: str, subject: str) -> str:
    size = {"size": LIMIT, "data": BOUNCE_SIZE_LIMIT}.get(subject, 0)
    filler = f"{'x' * 70}\r\n" * (size // 60 + 1)
    return (
        f"From: <{sender}>\r\nSubject: {subject}\r\nMessage-ID: <{name}@elsewhere.test>\r\n\r\n{filler}{END} {name}\r\n"
    )


def orders(host: str) -> list[dict[str, object]]:
    """What is sent to a host: for each domain the messages, of which some will be refused, and some expire."""
    found = []
    for domain in MODES:
        fates = [STAGES[number % len(STAGES)] for number in range(REFUSED)]
        fates += ["late"] * EXPIRING + ["fine"] * (MESSAGES - REFUSED - EXPIRING)
        for number, fate in enumerate(fates):
            sender = SENDERS.get(fate, STRANGER)
            user = {"rcpt": "gone", "late": "late"}.get(fate, "amy")
            name = f"{host}-{domain}-{fate}-{number}"
            message = text(name, sender, fate)
            found.append(
                {
                    "server": f"{host}.lab.example",
                    "sender": sender,
                    "recipients": [f"{user}@{domain}"],
                    "message": message,
                }
            )
    return found


def delivered(host: str, domain: str, expected: int) -> int:
    """How many messages lie in the mailbox once it has so many, or the time is over."""
    script = f"grep -rlF 'Message-ID: <{host}-{domain}-fine-' /srv/mail/{domain}/amy/new 2>/dev/null | wc -l"

    def look() -> int:
        return int(hosts.on("mail", "sh", "-c", script))

    return hosts.wait_for(lambda: look() == expected and expected, 30) or look()


def strangers_mail() -> str:
    return hosts.on("tester", "sh", "-c", f"touch {SUNK}; cat {SUNK}").replace("\r", "")


def told_to_strangers() -> Counter[tuple[str, str]]:
    """Reports that strangers got, by the host that sent them and the domain that they are about."""
    pattern = r"^Reporting-MTA: dns; (\w+)\S*.*?^Final-Recipient: .*?@(\S+)$"
    return Counter(re.findall(pattern, strangers_mail(), re.S | re.M))


def of_postmaster(host: str) -> set[str]:
    """The whole messages that postmaster got of reports, by their names."""
    mailbox = hosts.on(host, "cat", "/var/mail/root")
    return {name for name in re.findall(rf"^{END} (\S+)$", mailbox, re.M) if name.startswith(host)}


def held(host: str) -> list[str]:
    return [entry["queue_id"] for entry in hosts.queued(host) if entry["queue_name"] == "hold"]


def whole(host: str, ids: Sequence[str]) -> Counter[str]:
    """The domains of messages that are whole in the reports on hold."""
    script = 'for id; do postcat -qb "$id"; done'
    reports = hosts.on(host, "sh", "-c", script, "sh", *ids) if ids else ""
    return Counter(re.findall(rf"^{END} {host}-([^-]+)-", reports, re.M))


def waiting(host: str, domain: str = "example") -> list[str]:
    """Why messages wait, a reason for each recipient; reports to strangers do not count."""
    return [
        recipient.get("delay_reason", "")
        for entry in hosts.queued(host)
        if entry["queue_name"] in ("active", "deferred", "incoming")
        for recipient in entry["recipients"] or [{"address": domain}]
        if recipient["address"].endswith(domain)
    ]


def flushed(host: str, expected: int) -> list[str]:
    """Flush until so many recipients wait; return why each does that waits then."""

    def look() -> bool:
        # A message that goes from one queue to another may be listed in both.
        if any(entry["queue_name"] in ("active", "incoming") for entry in hosts.queued(host)):
            return False
        if len(waiting(host)) == expected:
            return True
        hosts.on(host, "postqueue", "-f")
        return False

    hosts.wait_for(look, 300 if LONG else 90)
    return waiting(host)


@contextmanager
def away() -> Iterator[None]:
    """Nothing answers on the mail host's port in this block."""
    faults.set_parameters("mail", {"master_service_disable": "inet"})
    try:
        yield
    finally:
        faults.unset_parameters("mail", "master_service_disable")


def retried(host: str) -> int:
    """How many messages wait that the mail host has refused since it came back."""

    def look() -> int:
        # Of a message that is being tried just now the queue tells no reason.
        return sum(" said: 5" in reason or "exceeds" in reason for reason in waiting(host, "tried.example"))

    for _attempt in range(3):
        hosts.on(host, "postqueue", "-f")
        if hosts.wait_for(lambda: look() == REFUSED, 20):
            break
    return look()


@pytest.fixture(scope="module")
def before() -> Iterator[dict[str, str]]:
    """The configuration of each host, which relays the domains and bounces as Postfix does."""
    run = apply(declared())
    assert run.code == 0, run.said
    were = {name: faults.parameter("mail", name) for name in BACK}
    domains = faults.parameter("mail", "virtual_mailbox_domains")
    boxes = [(user, domain) for user in ("amy", "late") for domain in (*MODES, CHECKED)]
    rows = "".join(f"{user}@{domain} {domain}/{user}/\n" for user, domain in boxes)
    hosts.on("mail", "sh", "-c", "cat > /etc/more_mailboxes", given=rows)
    faults.set_parameters("mail", {**BACK, "virtual_mailbox_domains": f"{domains} {' '.join((*MODES, CHECKED))}"})
    hosts.on("tester", "rm", "-f", SUNK)
    yield {host: configuration(host) for host in RELEASES}
    faults.set_parameters("mail", {**were, "virtual_mailbox_domains": domains})
    # As the inventory has it, without the domains of these tests.
    absent = [{"name": domain, "state": "absent", "force": True, "waiting_mail": "bounce"} for domain in MODES]
    front = {"name": "front.example", "mail_host": "mail.lab.example", "recipients": ["liz@front.example", MIA]}
    run = apply([*absent, front])
    assert run.code == 0, run.said


@pytest.fixture(scope="module")
def keeping(before: dict[str, str]) -> Iterator[dict[str, str]]:
    """Every host keeps what is refused of three of its domains."""
    run = apply(declared(*MODES))
    assert run.code == 0, run.said
    again = apply(declared(*MODES), limit="mx35.lab.example")
    assert (again.code, sum(again.changed.values())) == (0, 0), again.tasks
    yield before


def test_host_that_would_lose_reports_is_refused(before: dict[str, str]) -> None:
    name = "mx310.lab.example"
    hosts.on(name, "sh", "-ec", "cp /etc/aliases /root/a; echo 'postmaster: postmaster' > /etc/aliases; newaliases")
    try:
        run = apply(declared(*MODES), limit=name)
    finally:
        hosts.on(name, "sh", "-ec", "cp /root/a /etc/aliases; newaliases")
    assert run.code != 0
    assert (
        "postmaster@localhost is to get the reports of refused mail, but the aliases of postmaster lead to" in run.said
    )
    assert configuration("mx310") == before["mx310"]


def test_hosts_take_all_of_it_in_the_outage(keeping: dict[str, str]) -> None:
    del keeping
    with away():
        for host in RELEASES:
            heard = hosts.talk_often(orders(host))
            assert Counter(said.data and said.data[0] for said in heard) == {250: MESSAGES * len(MODES)}
            assert len(waiting(host)) == MESSAGES * len(MODES)


@pytest.mark.parametrize("host", RELEASES)
def test_what_is_refused_is_told_to_no_stranger_but_of_the_domain_that_bounces(host: str) -> None:
    # What is tried again waits beside what the mail host puts off.
    put_off = EXPIRING * len(MODES) + REFUSED
    assert len(flushed(host, put_off)) == put_off
    for domain in MODES:
        assert delivered(host, domain, MESSAGES - REFUSED - EXPIRING) == MESSAGES - REFUSED - EXPIRING
    assert hosts.wait_for(lambda: told_to_strangers()[host, "bounced.example"] == REFUSED, 30)
    assert {domain for server, domain in told_to_strangers() if server == host} == {"bounced.example"}
    stages = dict.fromkeys(STAGES, REFUSED // 4)
    assert hosts.wait_for(lambda: Counter(name.split("-")[2] for name in of_postmaster(host)) == stages, 30)
    assert hosts.wait_for(lambda: whole(host, held(host)) == {"kept.example": REFUSED}, 30)
    assert retried(host) == REFUSED


@pytest.mark.parametrize("host", RELEASES)
def test_what_expires_is_kept_as_well(host: str) -> None:
    faults.set_parameters(host, {"maximal_queue_lifetime": "1s"})
    try:
        assert flushed(host, 0) == []
    finally:
        faults.unset_parameters(host, "maximal_queue_lifetime")
    all_ = REFUSED + EXPIRING
    assert hosts.wait_for(lambda: told_to_strangers()[host, "bounced.example"] == all_, 30)
    assert {domain for server, domain in told_to_strangers() if server == host} == {"bounced.example"}
    assert hosts.wait_for(lambda: len(of_postmaster(host)) == all_, 30)
    assert hosts.wait_for(lambda: whole(host, held(host)) == {"kept.example": all_, "tried.example": all_}, 30)


def test_playbook_tells_what_is_kept(keeping: dict[str, str]) -> None:
    del keeping
    run = playbooks.play("releases", "mxrelay.postfix.queue_release", limit="mx35.lab.example")
    assert run.code == 0, run.said
    for domain in ("kept.example", "tried.example"):
        assert f"{domain}: {REFUSED + EXPIRING} reports kept" in run.said


def take(host: str, fate: str, user: str, sender: str, *domains: str) -> None:
    """Send a message of that fate to each of the domains through the host."""
    for domain in domains:
        message = text(f"{host}-{domain}-{fate}-0", STRANGER, fate)
        heard = hosts.talk(f"{user}@{domain}", server=f"{host}.lab.example", sender=sender, message=message)
        assert heard.data is not None and heard.data[0] == 250, heard


def headers_told(host: str, fate: str) -> dict[str, list[str]]:
    """The domains of messages of that fate whose headers are in a report, by who has it."""
    script = 'for id; do postcat -qb "$id"; done'
    reports = {
        "stranger": strangers_mail(),
        "postmaster": hosts.on(host, "cat", "/var/mail/root"),
        "hold": hosts.on(host, "sh", "-c", script, "sh", *held(host)),
    }
    pattern = rf"^Message-ID: <{host}-([^-]+)-{fate}-0@"
    return {who: sorted(set(re.findall(pattern, said, re.M))) for who, said in reports.items()}


def thrown_away(host: str, *domains: str) -> None:
    """Delete what waits for the domains."""
    ids = [
        entry["queue_id"]
        for entry in hosts.queued(host)
        if any(recipient["address"].endswith(domains) for recipient in entry["recipients"])
    ]
    hosts.on(host, "sh", "-ec", 'for id; do postsuper -d "$id"; done', "sh", *ids)


@pytest.mark.parametrize("host", RELEASES)
def test_notice_of_delay_goes_where_reports_go(keeping: dict[str, str], host: str) -> None:
    del keeping
    run = apply(declared(*MODES), limit=f"{host}.lab.example", primary_mx_delay_warning="1s")
    assert run.code == 0, run.said
    expected = {"stranger": ["bounced.example"], "postmaster": ["reported.example"], "hold": list(KEPT[1:])}

    def told() -> bool:
        hosts.on(host, "postqueue", "-f")
        return headers_told(host, "delay") == expected

    try:
        take(host, "delay", "late", STRANGER, *MODES)
        assert hosts.wait_for(told, 60), headers_told(host, "delay")
    finally:
        faults.unset_parameters(host, "delay_warning_time")
        thrown_away(host, *MODES)


@pytest.mark.parametrize("host", RELEASES)
def test_mail_that_the_mail_host_has_no_letters_for_is_kept_as_well(keeping: dict[str, str], host: str) -> None:
    del keeping
    with_letters = faults.parameter("mail", "smtputf8_enable")
    expected = {"stranger": [], "postmaster": ["reported.example"], "hold": ["kept.example"]}
    faults.set_parameters("mail", {"smtputf8_enable": "no"})
    try:
        take(host, "letters", "amy", "str\u00e4nger@tester.test", *KEPT)
        assert hosts.wait_for(lambda: headers_told(host, "letters") == expected, 30), headers_told(host, "letters")
        assert hosts.wait_for(lambda: any("SMTPUTF8" in why for why in waiting(host, "tried.example")), 30)
    finally:
        faults.set_parameters("mail", {"smtputf8_enable": with_letters})
        thrown_away(host, *KEPT)


def answered(host: str, user: str, expected: str) -> str:
    """What the host says to a recipient, once it has that from the mail host: while it asks, it says that it does."""

    def look() -> str:
        return " ".join(map(str, hosts.talk(f"{user}@{CHECKED}", server=f"{host}.lab.example").rcpt[0]))

    hosts.wait_for(lambda: expected in look(), 30)
    return look()


@pytest.mark.long
def test_recipients_are_asked_for_without_the_filter(keeping: dict[str, str]) -> None:
    """With refused_mail_retry an unknown one is still refused at once, and in an outage all are taken."""
    del keeping
    item = {"name": CHECKED, "mail_host": "mail.lab.example", **CHECKS}
    try:
        run = apply([*declared(*MODES), item])
        assert run.code == 0, run.said
        for host in RELEASES:
            refused = answered(host, "gone", "said: 550")
            assert (refused[:4], "said: 550" in refused) == ("450 ", True)
            assert answered(host, "amy", "250 ")[:4] == "250 "
        with away():
            for host in RELEASES:
                assert answered(host, "zoe", "250 ")[:4] == "250 "
    finally:
        run = apply([*declared(*MODES), {"name": CHECKED, "state": "absent", "force": True}])
        assert run.code == 0, run.said
        for host in RELEASES:
            # What it sets for the whole host stays, and is no part of what these tests are about.
            faults.unset_parameters(host, "unverified_recipient_defer_code")


def test_sender_cannot_ask_for_no_report() -> None:
    program = (
        "import smtplib, sys\n"
        "for host in sys.argv[1:]:\n"
        "    smtp = smtplib.SMTP(host)\n"
        "    smtp.ehlo()\n"
        "    smtp.docmd('MAIL', 'FROM:<stranger@tester.test>')\n"
        "    print(smtp.has_extn('dsn'), smtp.docmd('RCPT', 'TO:<gone@kept.example> NOTIFY=NEVER')[0])\n"
    )
    names = [f"{host}.lab.example" for host in RELEASES]
    assert hosts.on("tester", "python3", "-c", program, *names).splitlines() == ["False 501"] * len(RELEASES)


@pytest.mark.parametrize("host", ["mx35", *in_long_form(["mx310"])])
def test_missing_table_stops_every_report_and_loses_none(keeping: dict[str, str], host: str) -> None:
    del keeping
    strangers = told_to_strangers()
    hosts.on(host, "sh", "-ec", "rm /etc/postfix/relay_refused_mail; postfix reload")
    for domain in ("bounced.example", "reported.example"):
        name = f"{host}-{domain}-missing-0"
        message = text(name, STRANGER, "missing")
        heard = hosts.talk(f"gone@{domain}", server=f"{host}.lab.example", sender=STRANGER, message=message)
        assert heard.data is not None and heard.data[0] == 250
    assert hosts.wait_for(lambda: [entry for entry in hosts.queued(host) if not entry["recipients"]], 30)
    run = playbooks.play("releases", playbooks.VERIFY, limit=f"{host}.lab.example")
    assert "which can't be read" in run.said
    run = apply(declared(*MODES), limit=f"{host}.lab.example")
    assert run.code == 0, run.said
    assert flushed(host, 0) == []
    assert hosts.wait_for(lambda: f"{host}-reported.example-missing-0" in of_postmaster(host), 30)
    assert hosts.wait_for(lambda: told_to_strangers() != strangers, 30)
    assert told_to_strangers() - strangers == {(host, "bounced.example"): 1}


def test_taken_away_it_leaves_every_byte_as_it_was(keeping: dict[str, str]) -> None:
    run = apply(declared())
    assert run.code == 0, run.said
    assert {host: configuration(host) for host in RELEASES} == keeping
