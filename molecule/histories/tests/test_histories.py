# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Each history of tests/lab/histories.py: the host is right, or the run refused, or verify tells why not.

`./run molecule histories --long` makes more of each kind.
"""

from __future__ import annotations

import base64
import dataclasses
import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pytest

from lab import faults, hosts, playbooks
from lab.histories import HISTORIES, MAILBOXES, VARIANTS, ZONE, History
from lab.long_form import in_long_form

HOST = "mx1"
NAME = "mx1.lab.example"
SECONDS = 30
PROBE = {"verify_probe": True, "verify_probe_from": "tester.lab.example"}
# Parameters of main.cf that are the roles' to set.
MANAGED = (
    "relay_domains",
    "relay_recipient_maps",
    "transport_maps",
    "smtpd_relay_restrictions",
    "smtpd_etrn_restrictions",
)
SETTLE = "touch --date=2020-01-01 /etc/postfix/main.cf /etc/postfix/master.cf"
# What waits is from the history before, whose configuration may be one that Postfix does not even read.
BEGIN = "postsuper -d ALL || true; rm -rf /etc/postfix; tar -C / -xzpf /root/before.tgz"
START = f"{SETTLE}; postfix reload"
READ = """
import base64, json, pathlib, sys
files = [path for root in sys.argv[1:] for path in sorted(pathlib.Path(root).rglob("*")) if path.is_file()]
texts = [path for path in files if path.suffix not in (".db", ".lmdb", ".so")]
print(json.dumps({str(path): base64.b64encode(path.read_bytes()).decode() for path in texts}))
"""


MORE = {
    "virtual_mailbox_domains": " ".join(dict.fromkeys(address.partition("@")[2] for address in MAILBOXES)),
    "virtual_mailbox_maps": "texthash:/etc/mailboxes-of-histories",
}


@pytest.fixture(scope="module", autouse=True)
def lab() -> Iterator[None]:
    """The names and mailboxes that the histories need; the host as it was before all of them."""
    zone = hosts.zone()
    hosts.publish(zone + ZONE)
    rows = "".join(f"{address} {address.partition('@')[2]}/{address.partition('@')[0]}/\n" for address in MAILBOXES)
    hosts.on("mail", "sh", "-c", "cat > /etc/mailboxes-of-histories", given=rows)
    usual = {name: hosts.on("mail", "postconf", "-h", name).strip() for name in MORE}
    faults.set_parameters("mail", {name: f"{usual[name]} {more}" for name, more in MORE.items()})
    hosts.on(HOST, "sh", "-ec", "tar -C / -czpf /root/before.tgz etc/postfix")
    yield
    hosts.on(HOST, "sh", "-ec", f"{BEGIN}; {START}")
    faults.set_parameters("mail", usual)
    hosts.publish(zone)


SOON = [history for history in HISTORIES if not history.late]
LATE = in_long_form([*(history for history in HISTORIES if history.late), *VARIANTS])


@pytest.mark.parametrize("history", [*SOON, *LATE], ids=lambda history: history.name)
def test_history_comes_out_right(history: History) -> None:
    hosts.on(HOST, "sh", "-ec", f"{BEGIN}; rm -rf {' '.join(history.theirs)}")
    hosts.on(HOST, "sh", "-ec", f"{history.state}\n{START} || true")
    before = files_of(history)
    if history.refusal:
        assert_refused(history, before)
        return
    planned = converged(history, check=True)
    assert files_of(history) == before
    run = converged(history)
    assert (planned.tasks, bool(run.tasks)) == (run.tasks, True)
    assert_theirs_stay(before, files_of(history), history)
    if history.told:
        found = look_again(history)
        assert (found.code != 0, found.tasks, history.told in found.said) == (True, (), True), found.said
        history = dataclasses.replace(history, declared=history.mended)
        assert converged(history).tasks
    hosts.on(HOST, "sh", "-ec", history.later)
    settled = faults.state_of(HOST)
    found = look_again(history)
    assert (found.code, found.tasks) == (0, ()), found.said
    assert faults.state_of(HOST) == settled
    assert_mail_is_right(history)
    converged(history, variables=declared_absent(history))
    before, after = (without_declared(files, history) for files in (before, files_of(history)))
    assert_theirs_stay(before, after, history)
    assert {path: after.get(path) for path in before if path not in CONFIGURATION} == {
        path: content for path, content in before.items() if path not in CONFIGURATION
    }


CONFIGURATION = ("/etc/postfix/main.cf", "/etc/postfix/master.cf")


def files_of(history: History) -> dict[str, bytes]:
    """What every file holds that the roles could touch, indexes apart."""
    found = json.loads(hosts.on(HOST, "python3", "-c", READ, "/etc/postfix", *history.theirs))
    return {path: base64.b64decode(content) for path, content in found.items()}


def without_declared(files: Mapping[str, bytes], history: History) -> dict[str, bytes]:
    """The files without the recipients that were declared, and are not any more, whoever had listed them before."""
    ends = tuple(f"@{item['name']}".encode() for item in items(history.declared))
    return {
        path: b"".join(line for line in content.splitlines(True) if not line.split(b" ")[0].endswith(ends))
        for path, content in files.items()
    }


def items(declared: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The domains that are declared, whatever the role."""
    return [item for name in ("primary_mx_domains", "secondary_mx_domains") for item in declared.get(name, ())]


def look_again(history: History) -> playbooks.Run:
    """Run the role once more, and look at the host from inside and from outside."""
    role = "primary_mx" if "primary_mx_domains" in history.declared else "secondary_mx"
    playbook = str(playbooks.MOLECULE / "histories" / f"{role}.yml")
    return playbooks.play("histories", playbook, variables={**history.declared, **PROBE})


def converge(history: History, *, check: bool = False, variables: Mapping[str, Any] | None = None) -> playbooks.Run:
    given = variables or history.declared
    playbook = playbooks.PRIMARY if "primary_mx_domains" in given else playbooks.SECONDARY
    return playbooks.play("histories", playbook, variables=given, check=check)


def converged(history: History, **options: Any) -> playbooks.Run:
    run = converge(history, **options)
    assert run.code == 0, run.said
    return run


def declared_absent(history: History) -> dict[str, Any]:
    """What takes the domains of the history back, though DNS still names the host."""
    return {
        name: (
            [{"name": item["name"], "state": "absent", "force": True} for item in value]
            if name.endswith("_domains") and isinstance(value, list)
            else value
        )
        for name, value in history.declared.items()
    }


def assert_refused(history: History, before: Mapping[str, bytes]) -> None:
    run = converge(history, check=True)
    assert run.code != 0 and history.refusal in run.said, run.said
    # What is wrong with the inventory itself is told on the controller, before the host is asked.
    assert "nothing was changed" in run.said or "mx_plan: " in run.said
    assert files_of(history) == before


def assert_theirs_stay(before: Mapping[str, bytes], after: Mapping[str, bytes], history: History) -> None:
    """Every line of others is where it was; the lines of the roles' own parameters apart."""
    lost = {}
    for path, content in before.items():
        if path.rpartition("/")[2] not in history.edited:
            lines = [line for line in content.splitlines() if line.split(b" ")[0].decode() not in MANAGED]
            missing = left_out(lines, after.get(path, b"").splitlines())
            if missing:
                lost[path] = missing
    assert lost == {}
    assert {path: after.get(path) for path in before if path.startswith(history.theirs)} == {
        path: content for path, content in before.items() if path.startswith(history.theirs)
    }


def left_out(lines: Sequence[bytes], among: Sequence[bytes]) -> list[bytes]:
    """The lines that are not among the others in this order."""
    rest = iter(among)
    return [line for line in lines if line not in rest]


def assert_mail_is_right(history: History) -> None:
    """What a stranger sees, and what lies in the mailboxes then."""
    unique, message = hosts.new_message()
    orders = [
        {"server": NAME, "sender": hosts.STRANGER, "recipients": [address], "message": message}
        for address in (*history.delivered, *history.accepted)
    ]
    orders += [
        {"server": NAME, "sender": hosts.STRANGER, "recipients": [address]}
        for address in (*history.unknown, "somebody@elsewhere.test")
    ]
    heard = hosts.talk_often(orders)
    taken = len(history.delivered) + len(history.accepted)
    answers = [talk.rcpt[0][0] if talk.rcpt else 0 for talk in heard]
    assert answers == [250] * taken + [550] * len(history.unknown) + [554], heard
    for address in history.delivered:
        assert hosts.wait_for(lambda who=address: hosts.copies(unique, who), SECONDS) == 1, hosts.queued(HOST)
    assert not hosts.sunk(unique)
