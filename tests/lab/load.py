# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Put an MX host under load, and account for each message: what its sender was told, and what became of it.

A message has one recipient and an id, which is the local part of its sender and of its Message-ID. So each can be
followed from the sender's side to the queue, the mailbox or the bounce.
"""

from __future__ import annotations

import dataclasses
import itertools
import json
import os
import pathlib
import re
import subprocess
import threading
import uuid
from collections import Counter
from collections.abc import Iterable, Sequence

from lab import claims, hosts

PROGRAM = pathlib.Path(__file__).with_name("sender.py")
SENDER_DOMAIN = "tester.test"
SECONDS_TO_SEND = 180
SECONDS_TO_DRAIN = 300
# Both are in each copy: the second names the MX host and its queue id, and with that how often a sender gave it.
FOLLOWED = (
    r"^Message-ID: <[0-9a-f]+@tester\.test>",
    r"by mx[0-9]+\.lab\.example \(Postfix\) with [A-Z]+ id [0-9A-Za-z]+",
)
NO_ANSWER = "message may be sent more than once"


class Load:
    """Messages on their way to an MX host, from several senders at once."""

    def __init__(
        self, server: str, count: int, recipients: Sequence[str], *, senders: int = 8, size: int = 2000
    ) -> None:
        self.recipients = {uuid.uuid4().hex: each for each in itertools.islice(itertools.cycle(recipients), count)}
        self._outcomes: list[tuple[str, str]] = []
        self.answers: Counter[str] = Counter()
        order = {
            "server": claims.host_name(server),
            "senders": senders,
            "size": size,
            "seconds": SECONDS_TO_SEND,
            "messages": list(self.recipients.items()),
        }
        command = [os.environ["MXRELAY_LAB_ENGINE"], "exec", "--interactive", hosts.container("tester")]
        self._process = subprocess.Popen(
            [*command, "python3", "-c", PROGRAM.read_text()], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(order))
        self._process.stdin.close()
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            told = json.loads(line)
            self._outcomes.append((told["id"], told["outcome"]))
            self.answers[f"{told['outcome']}: {told['answer'].partition(' as ')[0]}"] += 1

    def having(self, outcome: str) -> set[str]:
        """Return the messages of which a try had this outcome, in the words of sender.py."""
        return {name for name, each in list(self._outcomes) if each == outcome}

    def heard(self, words: str) -> bool:
        """Return whether a sender got an answer with these words."""
        return any(words in answer for answer in list(self.answers))

    def await_accepted(self, count: int) -> None:
        """Wait until so many messages were accepted."""
        if not hosts.wait_for(lambda: len(self.having("accepted")) >= count, SECONDS_TO_SEND):
            raise RuntimeError(f"{len(self.having('accepted'))} of {count} messages were accepted: {self.answers}")

    def finish(self) -> Load:
        """Wait until the senders have nothing left to send; return the load."""
        self._reader.join()
        if self._process.wait() != 0:
            raise RuntimeError(f"the senders ended with code {self._process.returncode}")
        return self


@dataclasses.dataclass(frozen=True)
class Account:
    """What became of each message of a load. A message that was accepted is delivered, queued, bounced or lost."""

    sent: frozenset[str]
    accepted: frozenset[str]
    in_doubt: frozenset[str]
    copies: dict[str, list[str]]
    queued: frozenset[str]
    bounced: frozenset[str]

    @property
    def delivered(self) -> set[str]:
        return set(self.copies)

    @property
    def lost(self) -> set[str]:
        return set(self.accepted - self.delivered - self.queued - self.bounced)

    @property
    def duplicated(self) -> set[str]:
        return {name for name, found in self.copies.items() if len(found) > 1}

    @property
    def given_twice(self) -> set[str]:
        """Return the duplicates that a sender made: the MX accepted the message more than once."""
        return {name for name in self.duplicated if len(set(self.copies[name])) > 1}

    @property
    def relayed_twice(self) -> set[str]:
        """Return the duplicates that the MX made: it accepted the message once, and delivered it more than once."""
        return {name for name in self.duplicated if len(set(self.copies[name])) < len(self.copies[name])}

    @property
    def figures(self) -> dict[str, int]:
        """Return how many messages each figure of the account is about; those that are 0 are left out."""
        names = ("sent", "accepted", "delivered", "duplicated", "queued", "bounced", "lost")
        return {name: len(getattr(self, name)) for name in names if getattr(self, name)}


def account(load: Load, *mx_hosts: str) -> Account:
    """Account for a load at this moment.

    Queues are looked at before mailboxes: a message leaves the queue after it was delivered, so none is between them.
    """
    names = load.recipients.keys()
    queued, bounced = in_queues(names, (*mx_hosts, "mail"))
    bounced |= names & set(re.findall(rf"([0-9a-f]+)@{SENDER_DOMAIN}", bounces()))
    copies = {name: found for name, found in mailboxes(set(load.recipients.values())).items() if name in names}
    return Account(
        sent=frozenset(names),
        accepted=frozenset(load.having("accepted")),
        in_doubt=frozenset(load.having("in doubt")),
        copies=copies,
        queued=frozenset(queued - copies.keys()),
        bounced=frozenset(bounced),
    )


def in_queues(names: Iterable[str], queue_hosts: Iterable[str]) -> tuple[set[str], set[str]]:
    """Return the messages that wait on these hosts, and those whose bounce does."""
    entries = [entry for host in queue_hosts for entry in hosts.queued(host)]
    senders = {entry["sender"].partition("@")[0] for entry in entries}
    recipients = {each["address"].partition("@")[0] for entry in entries for each in entry["recipients"]}
    return set(names) & senders, set(names) & recipients


def bounces() -> str:
    """Return the lines by which the bounces that arrived at the senders' host name whom they are for."""
    return hosts.on("tester", "sh", "-c", f"grep '^To: .*@{SENDER_DOMAIN}' /srv/sunk || true")


def mailboxes(addresses: Iterable[str]) -> dict[str, list[str]]:
    """Return for each message in these mailboxes what its copies say of the MX that relayed them."""
    folders = sorted(
        f"/srv/mail/{domain}/{user}/new" for user, _at, domain in (each.partition("@") for each in addresses)
    )
    script = f"find {' '.join(folders)} -type f 2>/dev/null | xargs -r grep -HoE '{'|'.join(FOLLOWED)}' || true"
    found: dict[str, list[str]] = {}
    for line in hosts.on("mail", "sh", "-c", script).splitlines():
        path, _colon, match = line.partition(":")
        found.setdefault(path, []).append(match)
    copies: dict[str, list[str]] = {}
    for relayed, *named in found.values():
        for name in named:
            copies.setdefault(name[len("Message-ID: <") :].partition("@")[0], []).append(relayed)
    return copies


def drained(load: Load, *mx_hosts: str) -> Account:
    """Flush the hosts' queues until nothing of the load waits, here or at the mail host; return the account.

    Once is not enough: what was put off before a host is asked again is not tried by the same flush.
    """

    def look() -> bool:
        for host in mx_hosts:
            hosts.on(host, "postqueue", "-f")
        return not any(in_queues(load.recipients, (*mx_hosts, "mail")))

    if not hosts.wait_for(look, SECONDS_TO_DRAIN):
        raise RuntimeError(f"mail still waits: {[hosts.queued(host) for host in mx_hosts]}")
    return account(load, *mx_hosts)


def unanswered(host: str) -> set[str]:
    """Return the messages that the MX has sent whole without an answer, as it says itself in its log."""
    log = hosts.on(host, "journalctl", "--output=cat", "SYSLOG_FACILITY=2")
    waiting = {line.partition(":")[0] for line in log.splitlines() if NO_ANSWER in line}
    senders = re.findall(rf"(?m)^([0-9A-Za-z]+): from=<([0-9a-f]+)@{SENDER_DOMAIN}>", log)
    return {sender for queue_id, sender in senders if queue_id in waiting}
