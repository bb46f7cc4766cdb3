# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Show an outage of a primary MX to a person: each step, what servers answered, and where the mail is."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from lab import claims, hosts, playbooks

SCENARIO = "mail_flow"
PRIMARY, SECONDARY = "mx1", "mx2"
SECONDS_BETWEEN_SIGNS = 5
ERIN = "erin@flow.example"
FRANK = "frank@flow.example"
UNKNOWN = "nobody@flow.example"


class Surprise(Exception):
    """The lab did not do what the demonstration is about."""


def say(text: str = "") -> None:
    print(text, flush=True)


@contextmanager
def progress(what: str) -> Iterator[None]:
    """Print what takes long, a sign of life while it lasts, and how long it took."""
    began = time.monotonic()
    print(f"   {what} ", end="", flush=True)
    over = threading.Event()

    def live() -> None:
        while not over.wait(SECONDS_BETWEEN_SIGNS):
            print(".", end="", flush=True)

    sign = threading.Thread(target=live)
    sign.start()
    try:
        yield
    finally:
        over.set()
        sign.join()
        print(f" {time.monotonic() - began:.0f} s", flush=True)


def molecule(word: str) -> None:
    """Run one molecule step of the scenario quietly; show its output where it fails."""
    result = subprocess.run(
        ["molecule", word, "--scenario-name", SCENARIO], capture_output=True, text=True, check=False
    )
    if result.returncode != 0:
        raise Surprise(f"molecule {word} failed:\n{result.stdout}{result.stderr}")


def apply_role(title: str, playbook: str, check: bool = False) -> None:
    """Run a shipped playbook, and say how many tasks changed each host."""
    with progress(title):
        run = playbooks.play(SCENARIO, playbook, check=check)
    if run.code != 0:
        raise Surprise(f"{playbook} failed:\n{run.said or run.output}")
    for host, changed in run.changed.items():
        say(f"     {host}: {run.ok[host]} tasks, {changed} {'would change' if check else 'changed'} something")


def show(said: hosts.Conversation, recipient: str) -> None:
    """Print a conversation as the sender saw it."""
    for server, error in said.tried:
        say(f"   {server}: {'connected' if error is None else f'no answer ({error})'}")
    for code, text in said.rcpt:
        say(f"     RCPT TO:<{recipient}>  ->  {code} {text}")
    if said.data is not None:
        say(f"     DATA (the message)  ->  {said.data[0]} {said.data[1]}")


def expect(true: bool, what: str) -> None:
    if not true:
        raise Surprise(f"expected: {what}")


def post(recipient: str, server: str) -> str:
    """Send a message as a stranger's mail server does, which must end at this server; return the message's id."""
    unique, message = hosts.new_message()
    said = hosts.talk(recipient, message=message)
    show(said, recipient)
    expect(said.server == server and said.data is not None and said.data[0] == 250, f"{server} takes the message")
    return unique


def refused(recipient: str, server: str, code: int, status: str) -> None:
    """Show that a server refuses a recipient with this code and status."""
    said = hosts.talk(recipient, server=server)
    show(said, recipient)
    expect(
        [(answer, text.split()[0]) for answer, text in said.rcpt] == [(code, status)],
        f"{server} answers {code} {status}",
    )


def in_mailbox(unique: str, recipient: str) -> None:
    expect(hosts.arrived(unique, recipient) == 1, f"one copy in the mailbox of {recipient}")
    say(f"     where it is: in the mailbox of {recipient} on mail.lab.example, one copy")


def in_queue(unique: str, recipient: str) -> None:
    claims.keeps_in_queue(SECONDARY, unique, recipient)
    reason = next(
        waiting.get("delay_reason", "")
        for entry in hosts.queued(SECONDARY)
        for waiting in entry["recipients"]
        if waiting["address"] == recipient
    )
    say(f"     where it is: in the queue of mx2.lab.example ({reason})")


def answers(server: str) -> None:
    """Show what a server answers to a recipient that does not exist and to a relay attempt."""
    refused(UNKNOWN, server, 550, "5.1.1")
    refused(hosts.STRANGER, server, 554, "5.7.1")


def walk() -> None:
    """Bring the lab up and go through the outage."""
    say("1. The lab: a DNS server, the mail host of flow.example, a stranger on the Internet, and two new Debian hosts")
    with progress("starting them"):
        molecule("destroy")
        molecule("create")
    say("     DNS: flow.example  MX 10 mx1.lab.example, MX 100 mx2.lab.example")
    say()
    say("2. What would the roles change? (check mode, on hosts that have no Postfix yet)")
    apply_role("mxrelay.postfix.primary_mx --check", playbooks.PRIMARY, check=True)
    apply_role("mxrelay.postfix.secondary_mx --check", playbooks.SECONDARY, check=True)
    say()
    say("3. Make mx1 the primary MX and mx2 the secondary MX of flow.example")
    apply_role("mxrelay.postfix.primary_mx", playbooks.PRIMARY)
    apply_role("mxrelay.postfix.secondary_mx", playbooks.SECONDARY)
    say()
    say("4. All is well: a stranger writes to Erin")
    first = post(ERIN, "mx1.lab.example")
    in_mailbox(first, ERIN)
    say("   and tries an unknown recipient and a relay attempt on both")
    answers("mx1.lab.example")
    answers("mx2.lab.example")
    say()
    say("5. The primary MX goes down")
    hosts.stop(PRIMARY)
    say("   mx1.lab.example: power off")
    say("   a stranger writes to Erin and to Frank")
    kept = [(post(address, "mx2.lab.example"), address) for address in (ERIN, FRANK)]
    with progress("mx2 tries to deliver"):
        for unique, address in kept:
            claims.keeps_in_queue(SECONDARY, unique, address)
    for unique, address in kept:
        in_queue(unique, address)
    say("   and is still told the truth about the rest")
    answers("mx2.lab.example")
    say()
    say("6. The primary MX comes back, and the queue of the secondary is flushed")
    with progress("mx1.lab.example: power on"):
        hosts.start(PRIMARY)
    hosts.on(SECONDARY, "postqueue", "-f")
    for unique, address in kept:
        in_mailbox(unique, address)
    expect(bool(hosts.wait_for(lambda: not hosts.queued(SECONDARY), claims.SECONDS_TO_QUEUE)), "mx2's queue is empty")
    say("   queue of mx2.lab.example: empty; every message arrived once, none was lost")
    say()
    engine = sys.argv[1]
    say(f"The lab stays up. Look inside: {engine} exec -it {hosts.container(SECONDARY)} bash   (or mx1, mail, tester)")
    say("Remove it: ./run demo --remove")


def main(walk_through: Callable[[], None] = walk) -> int:
    try:
        walk_through()
    except (Surprise, AssertionError, RuntimeError) as error:
        say()
        say(f"The demonstration stopped: {error}")
        say("The lab stays up; remove it: ./run demo --remove")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
