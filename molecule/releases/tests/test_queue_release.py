# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is kept of refused mail is shown, delivered again, bounced and deleted, on an instance that keeps reports."""

from __future__ import annotations

import concurrent.futures
import json
import pathlib
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from lab import claims, hosts, playbooks

RELEASES = ("mx35", "mx37", "mx310", "mx311")
KEPT = "/etc/postfix-kept"
PORT = 2530
SCRIPT = pathlib.Path(hosts.__file__).with_name("refusing.py")
TAKEN = "/srv/taken"
PATTERN = r"/^Final-Recipient: (rfc822|utf-8); *.*@(kept|small)\.example$/ HOLD"
SECONDS = 90
HEADER = "From: <f@stranger.example>\r\nDate: Sun, 29 Nov 2026 14:52:00 +0000\r\nMessage-Id: <{}@stranger.example>\r\n"
ODD_LINES = (
    "8bit \xe9\xff", "nul \0 within", "..", "..x", "", "From the start", "z" * 998, "y" * 5000, "\xc3" * 2048, "", "",
)  # fmt: skip
SETUP = f"""
cp -a /etc/postfix/main.cf /srv/main.cf.before
postmulti -e init; touch -d '1 minute ago' /etc/postfix/main.cf; postmulti -I postfix-kept -e create
c='postconf -c {KEPT}'
# Commands wait for two seconds if main.cf has just been changed. No session is used again: in such a one smtp(8) sends
# mail that needs SMTPUTF8 also to those who do not offer it.
old() {{ touch -d '1 minute ago' {KEPT}/*.cf /etc/postfix/main.cf; }}
old
$c -e master_service_disable= inet_interfaces=127.0.0.1 inet_protocols=ipv4 mydestination=localhost \\
  mynetworks=127.0.0.9 transport_maps=texthash:{KEPT}/transport message_size_limit=30000000 \\
  'relay_domains=kept.example, small.example, other.example' relay_recipient_maps= smtputf8_enable=yes \\
  smtpd_relay_restrictions=reject_unauth_destination 'smtpd_discard_ehlo_keywords=dsn, silent-discard' \\
  smtpd_recipient_restrictions=check_recipient_access,inline:{{on-hold@kept.example=HOLD}} \\
  minimal_backoff_time=3s maximal_backoff_time=3s queue_run_delay=1s maximal_queue_lifetime=2s \\
  bounce_queue_lifetime=2s smtp_connection_cache_on_demand=no
old; sed -i 's/^smtp  *inet/{PORT} inet/' {KEPT}/master.cf
printf '%s\\n' '{PATTERN}' > {KEPT}/refused
printf '%s.example relay:[127.0.0.1]:%s\\n' kept 2600 other 2600 stranger 2600 small 2601 > {KEPT}/transport
for s in bounce defer; do
  $c -P $s/unix/cleanup_service_name=bounce-cleanup $s/unix/internal_mail_filter_classes=bounce \\
    $s/unix/bounce_size_limit=2000000000 $s/unix/notify_classes=2bounce
done
$c -M bounce-cleanup/unix='bounce-cleanup unix n - y - 0 cleanup'
$c -P bounce-cleanup/unix/header_checks= bounce-cleanup/unix/mime_header_checks= \\
  bounce-cleanup/unix/nested_header_checks= bounce-cleanup/unix/body_checks=regexp:{KEPT}/refused \\
  bounce-cleanup/unix/message_size_limit=0
old
postmulti -i postfix-kept -e enable; postmulti -i postfix-kept -p start
mkdir {TAKEN}
"""  # fmt: skip

TEARDOWN = f"""
kill $(cat /srv/refusing.pid); postmulti -i postfix-kept -p stop
postmulti -i postfix-kept -e disable; postmulti -i postfix-kept -e deport
rm -r {KEPT} /var/spool/postfix-kept /var/lib/postfix-kept {TAKEN}
mv /srv/main.cf.before /etc/postfix/main.cf
"""

on_each = pytest.mark.parametrize("host", RELEASES)


def message(name: str, *recipients: str, sender: str = "", lines: tuple[str, ...] = ("text",)) -> dict[str, Any]:
    """A message that names itself in its Message-Id."""
    content = HEADER.format(name) + "\r\n" + "".join(f"{line}\r\n" for line in lines)
    ascii_only = all(recipient.isascii() for recipient in recipients)
    options = ["BODY=8BITMIME"] if ascii_only else ["BODY=8BITMIME", "SMTPUTF8"]
    sender = sender or f"{name}@stranger.example"
    return {"sender": sender, "recipients": recipients, "options": options, "content": content}


BIG = ("x" * 76,) * 135_000
REFUSED = [
    message("mail-refused", "a@kept.example"),
    message("rcpt-refused", "rcpt@kept.example"),
    message("end-refused", "data@kept.example", "rcpt@other.example", lines=ODD_LINES),
    message("big", '"data 2"@kept.example', lines=BIG),
    message("too-large", "a@small.example", lines=("x" * 76,) * 100),
    message("utf8", "dät@kept.example"),
    message("late", "gray@kept.example"),
    {**message("null", "rcpt@kept.example"), "sender": ""},
    message("other", "rcpt@other.example"),
]
NAMES = [each["content"].partition("Message-Id: <")[2].partition("@")[0] for each in REFUSED]


def send(host: str, *messages: dict[str, Any]) -> None:
    said = hosts.on(host, "python3", "/srv/refusing.py", "send", str(PORT), given=json.dumps({"messages": messages}))
    assert [line[:4] for line in said.splitlines()] == ["250 "] * len(messages), said


def held(host: str) -> list[str]:
    """The senders of what is on hold."""
    listed = hosts.on(host, "postqueue", "-c", KEPT, "-j").splitlines()
    return sorted(entry["sender"] for entry in map(json.loads, listed) if entry["queue_name"] == "hold")


def queued(host: str) -> int:
    return len(hosts.on(host, "postqueue", "-c", KEPT, "-j").splitlines())


def taken(host: str) -> list[dict[str, Any]]:
    """What the mail host took, that of the stranger included."""
    return [json.loads(line) for line in hosts.on(host, "python3", "/srv/refusing.py", "taken", TAKEN).splitlines()]


def greets(host: str, port: int) -> bool:
    try:
        hosts.on(host, "python3", "-c", f"import socket; socket.create_connection(('127.0.0.1', {port}))")
    except RuntimeError:
        return False
    return True


def digests(messages: list[dict[str, Any]]) -> dict[str, str]:
    return {each["name"]: each["digest"] for each in messages if not each["report"]}


def released(**variables: Any) -> playbooks.Run:
    given = {f"queue_release_{name}": value for name, value in {"config_directory": KEPT, **variables}.items()}
    run = playbooks.play("releases", "mxrelay.postfix.queue_release", variables=given)
    assert run.code == 0, run.said
    return run


def counts(run: playbooks.Run) -> dict[str, dict[str, dict[str, int]]]:
    """By host and domain, how many reports there were for each cause."""
    return {
        name: {
            domain: {cause["cause"]: cause["count"] for cause in each["causes"]}
            for domain, each in found["domains"].items()
        }
        for name, found in run.artifacts["mx_queue_release"].items()
    }


def left(run: playbooks.Run) -> list[dict[str, int]]:
    return [
        {each["reason"]: each["count"] for each in found["left"]}
        for found in run.artifacts["mx_queue_release"].values()
    ]


@pytest.fixture(scope="module", autouse=True)
def _instances() -> Iterator[None]:
    """Each host has an instance that keeps the reports of two domains, and a mail host that refuses."""

    def set_up(host: str) -> None:
        hosts.on(host, "sh", "-ec", "cat > /srv/refusing.py", given=SCRIPT.read_text())
        hosts.on(host, "sh", "-ec", SETUP)
        serve = f"python3 /srv/refusing.py serve {TAKEN} 2600:40000000 2601:5000"
        hosts.on(host, "sh", "-ec", f"{serve} >/srv/refusing.log 2>&1 </dev/null & echo $! >/srv/refusing.pid")
        # Mail that meets no mail host expires after two seconds.
        for port in (2600, 2601):
            assert hosts.wait_for(lambda port=port: greets(host, port), SECONDS), port

    at_each(set_up)
    yield
    at_each(lambda host: hosts.on(host, "sh", "-c", TEARDOWN))


def at_each(do: Callable[[str], object]) -> None:
    with concurrent.futures.ThreadPoolExecutor() as pool:
        list(pool.map(do, RELEASES))


def test_mail_that_is_refused_in_any_way_is_kept_and_told_by_its_cause() -> None:
    def refuse(host: str) -> None:
        send(host, *REFUSED)
        hosts.wait_for(lambda: len(held(host)) == 8, SECONDS)
        forged = hosts.on(host, "sh", "-c", f"postcat -c {KEPT} -bhq $(ls -S /var/spool/postfix-kept/hold | tail -1)")
        copy = {**message("forged", "on-hold@kept.example"), "sender": "", "options": []}
        send(host, {**copy, "content": forged.replace("\n", "\r\n").replace("\r\n.", "\r\n..")})
        assert hosts.wait_for(lambda: len(held(host)) == 9, SECONDS), held(host)

    at_each(refuse)
    run = released()
    assert sum(run.changed.values()) == 0
    assert counts(run) == dict.fromkeys(
        map(claims.host_name, RELEASES),
        {
            "kept.example": {
                "refused: 550 5.7.23": 1,
                "refused: 550 5.7.1": 2,
                "refused: 554 5.7.1": 2,
                "SMTPUTF8 not offered: 5.6.7": 1,
                "expired: 450 4.2.0": 1,
            },
            "other.example": {"refused: 550 5.7.1": 1},
            "small.example": {"too large: 5.3.4": 1},
        },
    )


@on_each
def test_strangers_got_reports_of_the_other_domain_only(host: str) -> None:
    found = hosts.wait_for(lambda: taken(host), SECONDS)
    assert [each["commands"][1].split()[1] for each in found] == ["TO:<other@stranger.example>"]


def test_what_is_still_refused_is_kept_again() -> None:
    run = released(action="deliver", domains="kept.example\nsmall.example", causes="refused: 550 5.7.1")
    assert left(run) == [{}] * len(RELEASES)
    assert counts(run) == dict.fromkeys(
        map(claims.host_name, RELEASES), {"kept.example": {"refused: 550 5.7.1": 2}, "small.example": {}}
    )
    for host in RELEASES:
        assert hosts.wait_for(lambda host=host: len(held(host)) == 9 == queued(host), SECONDS), held(host)


def test_what_is_delivered_again_is_what_the_stranger_sent() -> None:
    """Byte for byte what would have arrived at once, apart from the lines that tell of the way."""
    for host in RELEASES:
        hosts.on(host, "touch", f"{TAKEN}/accept")
    # small.example takes none of its size, and other.example is not to be touched by this.
    run = released(action="deliver", domains=["kept.example"])
    assert left(run) == [{"also concerns other domains or causes; choose those as well": 1}] * len(RELEASES)
    run = released(action="deliver", domains=["kept.example", "other.example"])
    assert left(run) == [{}] * len(RELEASES)
    wanted = set(NAMES) - {"too-large", "other"}

    def compare(host: str) -> None:
        assert hosts.wait_for(lambda: set(digests(taken(host))) == wanted, SECONDS)
        again = digests(taken(host))
        hosts.on(host, "sh", "-c", f"rm {TAKEN}/message-*")
        send(host, *(each for name, each in zip(NAMES, REFUSED, strict=True) if name in wanted))
        assert hosts.wait_for(lambda: set(digests(taken(host))) == wanted, SECONDS)
        assert digests(taken(host)) == again

    at_each(compare)


def test_nothing_else_on_hold_was_touched() -> None:
    run = released(action="delete", all=True)
    assert counts(run) == dict.fromkeys(map(claims.host_name, RELEASES), {"small.example": {"too large: 5.3.4": 1}})
    for host in RELEASES:
        assert (held(host), queued(host)) == (["MAILER-DAEMON"], 1)
    assert sum(released(action="delete", all=True).changed.values()) == 0


def test_bounce_goes_to_the_sender() -> None:
    for host in RELEASES:
        hosts.on(host, "sh", "-c", f"rm {TAKEN}/*")
        send(host, message("bounced", "a@small.example", lines=("x" * 76,) * 100))
        assert hosts.wait_for(lambda host=host: len(held(host)) == 2, SECONDS)
    run = released(action="bounce", domains=["small.example"])
    assert "if such a sender is forged, a stranger is told of mail" in run.said
    for host in RELEASES:
        found = hosts.wait_for(lambda host=host: taken(host), SECONDS)
        assert [(each["commands"][1].split()[1], each["report"]) for each in found] == [
            ("TO:<bounced@stranger.example>", True)
        ]
