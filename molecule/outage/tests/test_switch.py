# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Roles, tables, mail hosts and domains change under load: nobody hears a wrong answer, and no message loses its way.

The short form makes one switch and removes domains on one host; MXRELAY_LAB_LONG makes all of them on each.
"""

from __future__ import annotations

import dataclasses
import itertools
import json
import os
import pathlib
import re
import subprocess
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import pytest

from lab import claims, hosts, load, outages, playbooks

LONG = bool(os.environ.get("MXRELAY_LAB_LONG"))
HOSTS = ("mx1", "mx35") if LONG else ("mx1",)
SCENARIO = playbooks.MOLECULE / "outage"
PROGRAM = pathlib.Path(load.__file__).with_name("probes.py")
WAITING = 30
# Connections that a reload ends before their greeting, or that meet the second in which a package of a table type has
# Postfix restarted (dpkg's trigger on Debian); their senders come again.
LOST_AT_MOST = 0.02
# For how long a process of the SMTP server that a reload has found idle may still take a connection.
OVERLAP = 1.0
RIGHT = {"unknown": 550, "stranger": 554}
UNKNOWN = {"unknown": "nobody@outage.example", "stranger": "stranger@elsewhere.test"}
AMY, BEN, CLEO, ERIN = "amy@outage.example", "ben@outage.example", "cleo@other.example", "erin@flow.example"

OUTAGE = {"name": "outage.example", "recipients": [AMY, BEN]}
OTHER = {"name": "other.example", "role": "secondary", "recipients": [CLEO]}
FLOW = {"name": "flow.example", "role": "primary", "recipients": [ERIN], "mail_host": "mail.lab.example"}


def domains(*items: Mapping[str, Any], **settings: str) -> dict[str, Any]:
    return {"mx_domains": list(items), **settings}


SECONDARY = domains({**OUTAGE, "role": "secondary"}, OTHER)
PRIMARY = domains({**OUTAGE, "role": "primary", "mail_host": "mail.lab.example"}, OTHER)
ELSEWHERE = domains({**OUTAGE, "role": "primary", "mail_host": "tester.lab.example"}, OTHER)
LMDB = {**PRIMARY, "mx_table_type": "lmdb"}
HASH = {**PRIMARY, "mx_table_type": "hash"}
# From what to what.
SWITCHES: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "to_primary": (SECONDARY, PRIMARY),
    "to_another_mail_host": (PRIMARY, ELSEWHERE),
    "to_the_mail_host_again": (ELSEWHERE, PRIMARY),
    "to_lmdb": (PRIMARY, LMDB),
    "to_hash": (LMDB, HASH),
    # Leaves no row in the transport table.
    "to_secondary_and_hash": (LMDB, {**SECONDARY, "mx_table_type": "hash"}),
}
IN_SHORT = ("to_primary",)


def converge(host: str, variables: Mapping[str, Any], playbook: str = "switch") -> playbooks.Run:
    run = playbooks.play("outage", f"{SCENARIO}/{playbook}.yml", variables=variables, limit=claims.host_name(host))
    assert run.code == 0, run.said
    return run


@pytest.fixture(autouse=True)
def nothing_waits() -> Iterator[None]:
    """Each test ends with empty queues."""
    yield
    for host in HOSTS:
        hosts.on(host, "postsuper", "-d", "ALL")


@pytest.fixture(autouse=True, scope="module")
def as_before() -> Iterator[None]:
    """The hosts are secondaries again, as the inventory has them."""
    yield
    for host in HOSTS:
        gone = {"name": "flow.example", "role": "primary", "state": "absent", "force": True}
        converge(host, domains({**OUTAGE, "role": "secondary"}, OTHER, gone, mx_table_type="hash"))


@dataclasses.dataclass(frozen=True)
class Heard:
    """What those who ask all the time have heard of a host."""

    answers: Sequence[tuple[float, str, int, str]]
    taken: Mapping[str, str]
    lost: int

    @property
    def figures(self) -> dict[str, int]:
        """How many answers of which code there were, by kind, and what else happened."""
        counts = Counter(f"{kind} {code}" for _began, kind, code, _said in self.answers)
        return {**dict(sorted(counts.items())), "taken": len(self.taken), "lost connections": self.lost}

    def wrong(self, right: Mapping[str, int]) -> list[tuple[str, int, str]]:
        """Return the answers that are not those that are right for their kinds."""
        return [(kind, code, said) for _began, kind, code, said in self.answers if code != right.get(kind, 250)]

    def after_refusal(self, kind: str) -> list[int]:
        """Return the other answers about a domain that is gone, to who came after it was."""
        refused = min((began for began, each, code, _said in self.answers if (each, code) == (kind, 554)), default=0)
        assert refused, self.figures
        return [
            code
            for began, each, code, _said in self.answers
            if each == kind and code != 554 and began > refused + OVERLAP
        ]


@contextmanager
def asking(host: str, recipients: Mapping[str, str]) -> Iterator[Callable[[], Heard]]:
    """Strangers ask the host about recipients in this block, until what it gives is called; some send messages."""
    order = {
        "server": claims.host_name(host),
        "askers": 3,
        "pause": 0.05,
        "recipients": {**recipients, **UNKNOWN},
        "message_to": list(recipients),
    }
    command = [os.environ["MXRELAY_LAB_ENGINE"], "exec", "--interactive", hosts.container("tester")]
    with subprocess.Popen(
        [*command, "python3", "-c", PROGRAM.read_text()], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdin is not None and process.stdout is not None
        process.stdin.write(json.dumps(order) + "\n")
        process.stdin.flush()
        assert process.stdout.readline() == "begun\n"

        def ended() -> Heard:
            told = json.loads(process.communicate()[0])
            heard = Heard([tuple(answer) for answer in told["answers"]], told["taken"], told["lost"])
            print(host, heard.figures)
            assert heard.lost <= LOST_AT_MOST * len(heard.answers), heard.figures
            return heard

        yield ended


def waiting(host: str, addresses: Sequence[str]) -> dict[str, str]:
    """Send messages that the mail host does not take now; return the recipient of each."""
    sent = load.Load(host, WAITING, addresses).finish()
    assert sent.having("accepted") == set(sent.recipients)
    deferred = [{"queue_name": "deferred"}] * WAITING
    assert hosts.wait_for(
        lambda: len([each for each in hosts.queued(host) if each["queue_name"] == "deferred"]) >= len(deferred), 60
    )
    return sent.recipients


def copies(addresses: Sequence[str]) -> Counter[str]:
    """Count the copies of each message in these mailboxes, and where all is taken."""
    found = Counter({name: len(each) for name, each in load.mailboxes(addresses).items()})
    return found + sunk()


def sunk() -> Counter[str]:
    """Count the copies of each message at the tester, who takes everything."""
    lines = hosts.on("tester", "sh", "-c", f"grep -E '^Message-ID: .*@{load.SENDER_DOMAIN}' /srv/sunk || true")
    return Counter(re.findall(r"(?m)^Message-ID: <([0-9a-f]+)@", lines))


def drained(host: str, messages: Mapping[str, str]) -> None:
    """Flush the queue until none of the messages waits, here or at the mail host."""

    def look() -> bool:
        hosts.on(host, "postqueue", "-f")
        return not any(load.in_queues(messages, (host, "mail")))

    assert hosts.wait_for(look, load.SECONDS_TO_DRAIN), hosts.queued(host)


@pytest.mark.parametrize("host", HOSTS)
@pytest.mark.parametrize("switch", SWITCHES if LONG else IN_SHORT)
def test_switch_under_load_gives_no_wrong_answer_and_each_message_its_new_route(host: str, switch: str) -> None:
    before, after = SWITCHES[switch]
    converge(host, before)
    with outages.closed(), asking(host, {"valid": AMY, "other": CLEO}) as ended:
        queued = waiting(host, [AMY, BEN])
        converge(host, after)
        heard = ended()
    assert heard.wrong(RIGHT) == []
    messages = {**queued, **heard.taken}
    drained(host, messages)
    found = copies([AMY, BEN, CLEO])
    assert {name: found[name] for name in messages} == dict.fromkeys(messages, 1)
    if after is ELSEWHERE:
        assert set(queued) <= set(sunk())


@pytest.mark.long
@pytest.mark.parametrize("host", HOSTS)
def test_row_of_a_table_that_moved_directs_no_mail_of_a_domain_that_needs_none(host: str) -> None:
    converge(host, ELSEWHERE)
    hosts.on(host, "mkdir", "-p", "/etc/postfix/tables")
    elsewhere = {**SECONDARY, "mx_table_directory": "/etc/postfix/tables"}
    try:
        converge(host, elsewhere)
        assert hosts.on(host, "postconf", "-h", "transport_maps").strip() == ""
        assert converge(host, elsewhere).tasks == ()
        unique, text = hosts.new_message()
        assert (hosts.talk(AMY, server=claims.host_name(host), message=text).data or (0, ""))[0] == 250
        assert hosts.arrived(unique, AMY) == 1
    finally:
        converge(host, {**SECONDARY, "mx_table_directory": "/etc/postfix"})
        hosts.on(host, "rm", "-r", "/etc/postfix/tables")


GONE = {"state": "absent", "force": True}


@contextmanager
def second_port() -> Iterator[None]:
    """The mail host listens on port 2525 as well in this block."""
    hosts.on("mail", "sh", "-ec", "postconf -M '2525/inet=2525 inet n - n - - smtpd'; postfix reload 2> /dev/null")
    try:
        yield
    finally:
        hosts.on("mail", "sh", "-ec", "postconf -MX 2525/inet; postfix reload 2> /dev/null")


def routes(host: str) -> list[str]:
    """Return the patterns of the host's transport table."""
    return [row.split()[0] for row in hosts.on(host, "postmap", "-s", "/etc/postfix/transport").splitlines()]


@pytest.mark.long
@pytest.mark.parametrize("host", HOSTS)
def test_domain_that_goes_under_load_takes_its_mail_along_as_asked(host: str) -> None:
    """The mail of one domain is retried first, that of another returned, and that of the third keeps its way."""
    there = {"role": "primary", "mail_host": "mail.lab.example"}
    retried = {**OTHER, **there}
    returned = {**OUTAGE, **there, "port": 2525}
    kept = {**FLOW, "port": 2525}
    converge(host, domains(retried, returned, kept))
    gone = domains(
        {**retried, **GONE, "waiting_mail": "flush"},
        {**returned, **GONE, "waiting_mail": "bounce"},
        {**kept, **GONE, "waiting_mail": "keep"},
    )
    with asking(host, {"retried": CLEO, "returned": AMY, "kept": ERIN}) as ended:
        with outages.closed():
            queued = waiting(host, [CLEO, AMY, ERIN])
        run = converge(host, gone)
        heard = ended()
    for kind in ("retried", "returned", "kept"):
        assert heard.after_refusal(kind) == []
    assert [answer for answer in heard.wrong(RIGHT) if answer[:2] not in _refused(heard)] == []
    assert re.search(r"other\.example: \d+ messages wait for it in the queue, and are tried again first", run.said)
    assert re.search(
        r"outage\.example: \d+ messages wait for it in the queue, and are returned to the senders", run.said
    )
    assert re.search(r"rows of flow\.example stay for now: \d+ messages wait for it in the queue", run.said)
    assert re.search(r"\d+ messages for other\.example were retried; 0 are still in the queue", run.said)
    assert re.search(r"\d+ messages for outage\.example were returned .* 0 are still in the queue", run.said)
    kinds = {
        **{name: {CLEO: "retried", AMY: "returned", ERIN: "kept"}[to] for name, to in queued.items()},
        **heard.taken,
    }
    of = {kind: {name for name, each in kinds.items() if each == kind} for kind in set(kinds.values())}
    assert load.in_queues(kinds, [host]) == (of["kept"], set())
    assert of["returned"] == set(kinds) & set(re.findall(r"([0-9a-f]{32})@", load.bounces()))
    assert routes(host) == ["flow.example"]
    found = load.mailboxes([CLEO, AMY, ERIN])
    assert {name: len(found.get(name, ())) for name in kinds} == {name: int(name in of["retried"]) for name in kinds}
    with second_port():
        drained(host, kinds)
    found = load.mailboxes([ERIN])
    assert {name: len(found.get(name, ())) for name in of["kept"]} == dict.fromkeys(of["kept"], 1)
    assert converge(host, gone).changed[claims.host_name(host)] > 0
    assert routes(host) == []
    assert converge(host, gone).changed == {claims.host_name(host): 0}


def _refused(heard: Heard) -> list[tuple[str, int]]:
    """The answers that are right once a domain is gone."""
    kinds = {kind for _began, kind, _code, _said in heard.answers} - set(UNKNOWN)
    return [*itertools.product(kinds, [554]), ("unknown", 554)]


@pytest.mark.long
@pytest.mark.parametrize("host", HOSTS)
def test_flush_takes_the_new_route_without_a_reload(host: str) -> None:
    converge(host, PRIMARY)
    with outages.closed():
        queued = waiting(host, [AMY])
        converge(host, {}, "route")
        assert hosts.wait_for(lambda: not load.in_queues(queued, [host])[0], 60)
    found = sunk()
    assert {name: found[name] for name in queued} == dict.fromkeys(queued, 1)
