# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""postscreen at port 25 of each release: who is refused, who waits, and that it goes without a trace.

The tests are the steps of one life of it, in order: on, to enforce, off.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import pytest

from lab import hosts, playbooks

Seen = TypeVar("Seen")
RELEASES = ("mx35", "mx310", "mx311")
KNOWN, UNKNOWN, FOREIGN = "liz@front.example", "nobody@front.example", "somebody@foreign-to-all.test"
DNSBL = "dnsbl.test"
CACHES = {"mx35": "btree", "mx310": "btree", "mx311": "lmdb"}
SHOWN = "cat /etc/postfix/main.cf /etc/postfix/master.cf; stat --format='%i %Y' /etc/postfix/master.cf"
CONFIGURED = "cat /etc/postfix/main.cf /etc/postfix/master.cf"
# What an administrator may have left there.
OWN = "smtpd_etrn_restrictions=reject"
MASTER = "/etc/postfix/master.cf"
ODD = rf"""
cp --preserve {MASTER} /root/master.cf
sed --in-place 's/^smtp  *inet  *n  *-  *\([yn]\) .*/smtp\tinet n  - \1\t- - smtpd\n# ours\n    -o {OWN}\n/' {MASTER}
postfix reload
"""
PLAIN = f"mv /root/master.cf {MASTER}; postfix reload"
FORGET = "systemctl stop postfix; rm -f /var/lib/postfix/mxrelay_postscreen*; systemctl start postfix"
# It says when the greeting was complete, and what the recipient was told. An early one does not wait for it.
CLIENT = """
import json, socket, sys, time
server, early, *commands = sys.argv[1:]
begun = time.monotonic()
link = socket.create_connection((server, 25), 20)
stream = link.makefile("rwb", 0)
def say(line):
    stream.write(line.encode() + b"\\r\\n")
def hear():
    while True:
        line = stream.readline().decode()
        if line[3:4] != "-":
            return line.strip()
if early == "early":
    say("EHLO tester.lab.example")
banner, waited = hear(), time.monotonic() - begun
heard = []
if early != "early":
    commands = ["EHLO tester.lab.example", *commands]
elif banner.startswith("220"):
    # Who is refused gets no second line of the greeting.
    heard.append(hear())
for command in commands:
    say(command)
    heard.append(hear())
print(json.dumps([banner, waited, heard]))
"""


@dataclasses.dataclass(frozen=True)
class Heard:
    """What a client was told: the last line of the greeting, after how many seconds, and the last answer."""

    banner: str
    waited: float
    last: str


def client(server: str, *commands: str, origin: str = "tester", early: bool = False) -> Heard:
    script = (server + ".lab.example", "early" if early else "", *commands)
    banner, waited, heard = json.loads(hosts.on(origin, "python3", "-c", CLIENT, *script))
    return Heard(banner, waited, heard[-1] if heard else "")


def asks(server: str, recipient: str = KNOWN, origin: str = "tester", early: bool = False) -> Heard:
    commands = (f"MAIL FROM:<{hosts.STRANGER}>", f"RCPT TO:<{recipient}>")
    return client(server, *commands, origin=origin, early=early)


def on_each(look: Callable[[str], Seen]) -> dict[str, Seen]:
    """What `look` sees of each host, at the same time."""
    with ThreadPoolExecutor() as pool:
        return dict(zip(RELEASES, pool.map(look, RELEASES), strict=True))


def apply(mode: str, *sites: str, **settings: object) -> playbooks.Run:
    setting = {"mode": mode, "dnsbl_sites": list(sites)}
    return playbooks.play("front_door", playbooks.PRIMARY, variables={"primary_mx_postscreen": setting, **settings})


def configuration(host: str) -> str:
    return hosts.on(host, "sh", "-c", CONFIGURED)


def forgotten(host: str) -> None:
    """Have postscreen know nobody."""
    hosts.on(host, "sh", "-c", FORGET)


BEFORE: dict[str, str] = {}
ANSWERS: dict[str, list[str]] = {}


def answered(host: str) -> list[str]:
    """What strangers are told of recipients, and of ETRN."""
    return [*(asks(host, recipient).last for recipient in (UNKNOWN, FOREIGN)), client(host, "ETRN front.example").last]


def test_log_lets_everybody_in_and_the_second_run_changes_nothing() -> None:
    on_each(lambda host: hosts.on(host, "sh", "-c", ODD))
    BEFORE.update({host: configuration(host) for host in RELEASES})
    ANSWERS.update({host: answered(host) for host in RELEASES})
    first = apply("log", DNSBL)
    assert first.code == 0, first.said
    assert "mxrelay.postfix.mx : Update the services in master.cf" in first.tasks
    shown = on_each(lambda host: hosts.on(host, "sh", "-c", SHOWN))
    second = apply("log", DNSBL)
    assert (second.code, set(second.changed.values())) == (0, {0}), second.said
    assert on_each(lambda host: hosts.on(host, "sh", "-c", SHOWN)) == shown


@pytest.mark.parametrize("host", RELEASES)
def test_entries_are_as_postscreen_needs_them(host: str) -> None:
    services = hosts.on(host, "postconf", "-M").splitlines()
    fields = {" ".join(line.split()[:2]): line.split()[2:8] for line in services}
    chroot = fields["cleanup unix"][2]
    assert fields["smtp inet"] == ["n", "-", chroot, "-", "1", "postscreen"]
    assert fields["smtpd pass"] == ["-", "-", chroot, "-", "-", "smtpd"]
    assert fields["dnsblog unix"] == ["-", "-", chroot, "-", "0", "dnsblog"]
    assert fields["tlsproxy unix"] == ["-", "-", chroot, "-", "0", "tlsproxy"]
    cache = hosts.on(host, "postconf", "-P", "smtp/inet/postscreen_cache_map")
    assert f"= {CACHES[host]}:" in cache
    # Each other MX host of front.example, by the address that DNS has, and nobody else.
    listed = hosts.on(host, "postconf", "-P", "smtp/inet/postscreen_access_list")
    assert listed.count("=permit") == 3
    assert hosts.on(host, "postconf", "-P", "smtpd/pass/smtpd_etrn_restrictions").endswith("= reject\n")


def test_in_log_mode_early_and_listed_clients_get_in_after_six_seconds() -> None:
    on_each(forgotten)
    for host, heard in on_each(lambda host: asks(host, early=True)).items():
        assert heard.last.startswith("250 "), (host, heard)
    for host in RELEASES:
        assert "PREGREET" in hosts.on(host, "journalctl", "--grep=PREGREET", "--quiet"), host
    assert {host: answered(host) for host in RELEASES} == ANSWERS


def test_enforce_refuses_early_and_listed_clients() -> None:
    run = apply("enforce", DNSBL)
    assert run.code == 0, run.said
    on_each(forgotten)
    for host, heard in on_each(asks).items():
        assert heard.last.startswith("550 5.7.1 Service unavailable; client ["), (host, heard)
    run = apply("enforce")
    assert run.code == 0, run.said
    on_each(forgotten)
    for host, heard in on_each(lambda host: asks(host, early=True)).items():
        assert heard.last.startswith("550 5.5.1 Protocol error"), (host, heard)


def test_other_mx_hosts_are_let_in_at_once_and_a_new_client_after_it_was_tested() -> None:
    for host in RELEASES:
        others = [other for other in RELEASES if other != host]
        for other in others:
            heard = asks(host, origin=other)
            assert heard.last.startswith("250 "), heard
            assert heard.waited < 3
    on_each(forgotten)
    for host, heard in on_each(asks).items():
        assert heard.banner.startswith("220 "), heard
        assert heard.last.startswith("250 "), (host, heard)
        assert 5 < heard.waited < 9
    # It is known by now.
    assert all(heard.waited < 2 for heard in on_each(asks).values())
    assert {host: answered(host) for host in RELEASES} == ANSWERS


def test_mail_of_a_real_mail_server_arrives() -> None:
    unique, text = hosts.new_message()
    # The lab's client waits five seconds for a greeting: the one before it has made it known.
    on_each(asks)
    for host in RELEASES:
        heard = hosts.talk(KNOWN, server=f"{host}.lab.example", message=text)
        assert heard.data is not None
        assert heard.data[0] == 250
    assert hosts.arrived(unique, KNOWN) == len(RELEASES)


def test_own_verification_waits_as_long_as_a_new_client_has_to() -> None:
    on_each(forgotten)
    run = playbooks.play("front_door", playbooks.VERIFY)
    assert run.code == 0, run.said


def test_postscreen_that_is_silent_is_an_error_of_the_check() -> None:
    hosts.on("mx310", "sh", "-c", "postconf -P smtp/inet/postscreen_dnsbl_sites=bl.example*x; postfix reload")
    run = playbooks.play("front_door", playbooks.VERIFY, limit="mx310.lab.example")
    assert run.code != 0
    assert "postscreen (smtp/inet) greets nobody at" in run.said
    # By a reload alone master(8) starts nothing at this port for another minute, as its last processes have failed.
    hosts.on("mx310", "sh", "-c", "postconf -PX smtp/inet/postscreen_dnsbl_sites; systemctl restart postfix")


def test_off_leaves_no_byte_behind() -> None:
    run = apply("off")
    assert run.code == 0, run.said
    assert {host: configuration(host) for host in RELEASES} == BEFORE
    assert {host: answered(host) for host in RELEASES} == ANSWERS
    again = apply("off")
    assert (again.code, set(again.changed.values())) == (0, {0}), again.said
    on_each(lambda host: hosts.on(host, "sh", "-c", PLAIN))
