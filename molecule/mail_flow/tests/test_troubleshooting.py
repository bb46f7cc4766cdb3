# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Each row of docs/troubleshooting.md: its fault is made, its line is seen, its remedy is applied, and it is gone."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator
from contextlib import nullcontext
from typing import Any

import pytest

from lab import distrust, hosts, playbooks, symptoms
from lab.long_form import in_long_form
from lab.symptoms import Symptom

SECONDS = 90
ROLES = {"mx1": playbooks.PRIMARY, "mx2": playbooks.SECONDARY}
MAIL = "mail"
SAVE = "tar -C / -czpf /root/before-symptoms.tgz etc/postfix"
RESTORE = "rm -rf /etc/postfix; tar -C / -xzpf /root/before-symptoms.tgz"
# Also what Postfix keeps of what was wrong: daemons that died, files in its chroot, the answers of mail hosts.
BEGIN = f"{RESTORE}; postsuper -d ALL 2> /dev/null; rm -f /var/lib/postfix/verify_cache.*; systemctl restart postfix"
NAMED = symptoms.names(symptoms.GUIDE.read_text(encoding="utf-8"))


@pytest.fixture(scope="module", autouse=True)
def usual() -> Iterator[None]:
    """The hosts as they were before all of it."""
    for host in (*ROLES, MAIL):
        hosts.on(host, "sh", "-ec", SAVE)
    yield


@pytest.fixture(autouse=True)
def as_usual() -> Iterator[None]:
    yield
    for host in ROLES:
        hosts.on(host, "sh", "-c", BEGIN)
    hosts.on(MAIL, "sh", "-ec", f"{RESTORE}; pkill -x anvil || true; postfix reload 2> /dev/null")


class Meeting:
    """What a stranger does with a host that has a symptom, and what it and its log say from then on."""

    def __init__(self, symptom: Symptom) -> None:
        self.symptom = symptom
        shown = hosts.on(symptom.host, "journalctl", "--lines=0", "--show-cursor", "--output=cat")
        self.cursor = shown.rpartition("cursor: ")[2].strip()
        self.unique, self.answers = "", [""]

    def meet(self) -> None:
        symptom = self.symptom
        if symptom.ask:
            self.answers = [hosts.on("tester", "sh", "-c", f"({symptom.ask}) 2>&1 || true")]
            return
        self.unique, message = hosts.new_message(symptom.sender)
        filled = message + f"{'x' * 70}\r\n" * (symptom.size // 72)
        server = f"{symptom.host}.lab.example"
        said = hosts.talk(symptom.recipient, server=server, sender=symptom.sender, message=filled)
        heard = [answer for answer in (said.mail, *said.rcpt, said.data) if answer]
        refusals = [error for _server, error in said.tried if error]
        self.answers = [*refusals, *(f"{code} {text}" for code, text in heard)]

    def said(self) -> str:
        """Everything that was said since."""
        if self.symptom.nudge:
            hosts.on(self.symptom.host, "sh", "-c", self.symptom.nudge)
        log = hosts.on(self.symptom.host, "journalctl", "--no-pager", f"--after-cursor={self.cursor}")
        return "\n".join([*self.answers, log])

    def taken(self) -> bool:
        """Whether the last answer is as it should be, once it is met."""
        self.meet()
        wanted = "250" if self.symptom.well == "delivered" else self.symptom.well
        return wanted in self.answers[-1]

    def well(self) -> bool:
        if not hosts.wait_for(self.taken, SECONDS):
            return False
        symptom = self.symptom
        return symptom.well != "delivered" or hosts.flushed(symptom.host, self.unique, symptom.recipient) == 1


def apply(remedy: str, host: str) -> None:
    """Do what the guide says, in its own words."""
    command = symptoms.in_lab(ROLES[host] if remedy == symptoms.ROLE else remedy)
    words = shlex.split(command)
    if words[0] == "ansible-playbook":
        assert words[2:4] == ["-i", "hosts.yml"]
        run_playbook(words[1], given(words[4:]))
    elif remedy == symptoms.ROLE:
        run_playbook(command, {})
    else:
        hosts.on(host, "sh", "-ec", command)


def given(words: list[str]) -> dict[str, Any]:
    """The variables of options of ansible-playbook."""
    variables: dict[str, Any] = {}
    for option, value in zip(words[::2], words[1::2], strict=True):
        assert option == "-e"
        variables.update(json.loads(value) if value.startswith("{") else [value.split("=", 1)])
    return variables


def run_playbook(name: str, variables: dict[str, Any]) -> None:
    if name == "mxrelay.postfix.trust_mx":
        # The mail host is in the inventory of the scenario that is about trust.
        run = playbooks.play("trust", name, variables=variables, limit="mail.lab.example")
    else:
        run = playbooks.play("mail_flow", name, variables=variables)
    assert run.code == 0, run.said


@pytest.mark.parametrize("name", in_long_form(NAMED, short=2))
def test_symptom_is_seen_and_its_remedy_ends_it(name: str) -> None:
    symptom, row = NAMED[name]
    seen = symptoms.pattern(row.seen)
    with distrust.distrusting(*symptom.ways) if symptom.ways else nullcontext():
        hosts.on(symptom.on or symptom.host, "sh", "-ec", symptom.wrong)
        ill = Meeting(symptom)
        ill.meet()
        assert hosts.wait_for(lambda: seen.search(ill.said()), SECONDS), ill.said()
        hosts.on(symptom.on or symptom.host, "sh", "-ec", symptom.right)
        for remedy in row.remedy:
            apply(remedy, symptom.host)
        mended = Meeting(symptom)
        assert mended.well(), mended.said()
        assert not seen.search(mended.said()), mended.said()
