# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A host that the previous release of the collection has made an MX stays as it is when this one takes over."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import pytest

from lab import faults, hosts, playbooks
from lab.histories import AWAY, GATEWAY

HOST = "mx1"
NAME = "mx1.lab.example"
DECLARED: dict[str, Any] = {
    "primary_mx_domains": [GATEWAY],
    "secondary_mx_domains": [{**AWAY, "subdomains": True}],
    "primary_mx_queue_lifetime": "10d",
    "secondary_mx_queue_lifetime": "10d",
    "primary_mx_limits": {"connections": 20},
    "secondary_mx_limits": {"connections": 20},
    "primary_mx_refused_mail_to": "postmaster@gateway.example",
    "secondary_mx_refused_mail_to": "postmaster@gateway.example",
}
ABSENT = {
    name: [{"name": item["name"], "state": "absent", "force": True} for item in value]
    for name, value in DECLARED.items()
    if name.endswith("_domains")
}
PREVIOUS = os.environ.get("MXRELAY_LAB_PREVIOUS", "")
KEEP = "tar -C / -czpf /root/before-upgrade.tgz etc/postfix"
BRING_BACK = "rm -rf /etc/postfix; tar -C / -xzpf /root/before-upgrade.tgz; postfix reload"


@pytest.fixture(autouse=True)
def host() -> Iterator[None]:
    """The host as it was before, afterwards."""
    hosts.on(HOST, "sh", "-ec", KEEP)
    yield
    hosts.on(HOST, "sh", "-ec", BRING_BACK)


def played(variables: dict[str, Any], *, check: bool = False, previous: bool = False) -> list[playbooks.Run]:
    """Both roles, as this release or the previous one has them."""
    older = {
        "ANSIBLE_COLLECTIONS_PATH": PREVIOUS,
        # What is packed of this release's modules is not to be taken for the previous one's.
        "MXRELAY_LAB_PLUGINS": f"{PREVIOUS}/ansible_collections/mxrelay/postfix/plugins",
        "MXRELAY_LAB_PACKED": f"{PREVIOUS}/packed",
    }
    runs = [
        playbooks.play("histories", playbook, variables=variables, check=check, environment=older if previous else {})
        for playbook in (playbooks.PRIMARY, playbooks.SECONDARY)
    ]
    assert [run.code for run in runs] == [0, 0], "\n".join(run.said for run in runs)
    return runs


@pytest.mark.upgrade
def test_first_run_of_this_release_changes_nothing() -> None:
    untouched = faults.state_of(HOST)
    assert [bool(run.tasks) for run in played(DECLARED, previous=True)] == [True, True]
    left = faults.state_of(HOST)
    assert [run.tasks for run in played(DECLARED, check=True)] == [(), ()]
    assert [run.tasks for run in played(DECLARED)] == [(), ()]
    assert faults.state_of(HOST) == left != untouched
    talk = hosts.talk(("alice@gateway.example", "ivan@away.example", "nobody@away.example"), server=NAME)
    assert [code for code, _text in talk.rcpt] == [250, 250, 550]
    assert [bool(run.tasks) for run in played(ABSENT)] == [True, True]
    talk = hosts.talk(("alice@gateway.example", "ivan@away.example"), server=NAME)
    assert [code for code, _text in talk.rcpt] == [554, 554]
