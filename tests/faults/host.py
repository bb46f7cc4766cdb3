# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The host under attack: its tables, each behind an SMTP port of its own, and runs of the module on it."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
import pathlib
import subprocess
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from lab import hosts, playbooks

SCENARIO = "both"
NAME = "mx1.lab.example"
DOMAIN = "faults.example"
# One domain as people write it and as DNS has it.
INTERNATIONAL = ("bücher.example", "xn--bcher-kva.example")
HERE = pathlib.Path(__file__).parent
SUFFIXES = {"hash": ".db", "btree": ".db", "lmdb": ".lmdb", "cdb": ".cdb", "texthash": ""}
INDEXED = ("hash", "btree", "lmdb", "cdb")
# Those whose index postmap can change.
CHANGEABLE = ("hash", "btree", "lmdb")
FIRST_PORT = 2600
# Cases whose table is alone on a small file system, and how many kB it has while nothing is wrong.
OWN_FILE_SYSTEM = ("disk", "copy-disk", "copy-room", "readonly")
ROOMY = 65_536
PACKAGES = ("postfix", "postfix-lmdb", "postfix-cdb", "postfix-pcre", "python3-idna", "strace")
# The host-wide settings: no pauses for a client that only asks, and no domain that is relayed for but the tables' own.
PARAMETERS = {
    "relay_domains": " ".join((DOMAIN, *INTERNATIONAL)),
    "relay_recipient_maps": "",
    "in_flow_delay": "0",
    "smtpd_relay_restrictions": "permit_mynetworks, reject_unauth_destination",
    "smtpd_peername_lookup": "no",
}


def sh(script: str, given: str | None = None) -> str:
    """Run a shell script on the host."""
    return hosts.on(NAME, "sh", "-euc", script, given=given)


def ask(do: str, **arguments: Any) -> Any:
    """Have the agent on the host do something (the functions of agent.py); return what it returned."""
    told = hosts.on(NAME, "python3", "/srv/faults/agent.py", given=json.dumps({"do": do, **arguments}))
    return json.loads(told)


def prepare(cases: Sequence[tuple[str, str]]) -> None:
    """Give the host Postfix with one SMTP port for each case (type of table and name), the agent, and the module."""
    sh(f"DEBIAN_FRONTEND=noninteractive apt-get -qq install --yes {' '.join(PACKAGES)} >/dev/null 2>&1")
    sh("mkdir -p /srv/faults/lists && cat > /srv/faults/agent.py", given=(HERE / "agent.py").read_text())
    services = []
    for number, (kind, name) in enumerate(cases):
        table = Table(kind, name, FIRST_PORT + number)
        services.append(f"{table.port} inet n - y - - smtpd -o relay_recipient_maps={kind}:{table.path}")
        sh(f"mkdir -p {table.directory}")
        if name in OWN_FILE_SYSTEM:
            sh(f"mount -t tmpfs -o mode=755,size={ROOMY}k tmpfs {table.directory}")
    sh("cat >> /etc/postfix/master.cf", given="\n".join([*services, ""]))
    hosts.on(NAME, "postconf", "-e", *(f"{name}={value}" for name, value in PARAMETERS.items()))
    # systemd gives Postfix mounts of its own, made from those that are there when it starts.
    hosts.on(NAME, "systemctl", "restart", "postfix")
    transfer_module()


def transfer_module() -> None:
    """Let Ansible transfer the module as it always does, and keep what it transferred."""
    arguments = {"recipients_file": ["/dev/null"], "remote_src": True, "path": "/nowhere/table", "type": "hash"}
    kept = {"ANSIBLE_PIPELINING": "false", "ANSIBLE_KEEP_REMOTE_FILES": "true"}
    sh("rm -rf /root/.ansible/tmp")
    subprocess.run(
        [
            "ansible",
            *playbooks.inventories(SCENARIO),
            NAME,
            "-m",
            "mxrelay.postfix.relay_recipients",
            "-a",
            json.dumps(arguments),
        ],
        env={**os.environ, **playbooks.SETTINGS, **kept},
        check=False,
        capture_output=True,
    )
    sh(
        "rm -rf /srv/faults/payload && mv /root/.ansible/tmp/ansible-tmp-* /srv/faults/payload"
        " && python3 /srv/faults/payload/AnsiballZ_relay_recipients.py explode >/dev/null"
    )


@dataclasses.dataclass(frozen=True)
class Listing:
    """A list of recipients in a file on the host."""

    path: str
    addresses: tuple[str, ...]

    @property
    def digest(self) -> str:
        """What the agent says of a table that holds exactly these."""
        return hashlib.sha256(b"\n".join(sorted(address.encode() for address in self.addresses))).hexdigest()


def address(number: int) -> str:
    return f"user{number:07}@{DOMAIN}"


def listing(name: str, numbers: Iterable[int]) -> Listing:
    """Put a list on the host."""
    addresses = tuple(address(number) for number in numbers)
    found = Listing(f"/srv/faults/lists/{name}", addresses)
    sh(f"cat > {found.path}", given="\n".join([*addresses, ""]))
    return found


@dataclasses.dataclass(frozen=True)
class Table:
    """A table that the SMTP server at `port` asks for the recipients of DOMAIN, and nobody else does."""

    kind: str
    name: str
    port: int

    @property
    def directory(self) -> str:
        return f"/etc/postfix/faults/{self.kind}-{self.name}"

    @property
    def path(self) -> str:
        return f"{self.directory}/recipients"

    @property
    def index(self) -> str:
        return self.path + SUFFIXES[self.kind]

    @property
    def files(self) -> list[str]:
        """The names of the files of a table that is at rest."""
        indexed = [".recipients.mxrelay", f"recipients{SUFFIXES[self.kind]}"] if SUFFIXES[self.kind] else []
        return sorted(["recipients", *indexed])

    def arguments(self, listing: Listing, **more: Any) -> dict[str, Any]:
        """The module's arguments that make the table hold exactly this list."""
        item = {"name": DOMAIN, "recipients_file": [listing.path]}
        return {"path": self.path, "type": self.kind, "domains": [item], "remote_src": True, **more}

    def apply(self, listing: Listing, **more: Any) -> dict[str, Any]:
        """Run the module to its end; return what it said."""
        return said(ask("run", arguments=self.arguments(listing, **more)))

    def look(self) -> dict[str, Any]:
        return ask("look", kind=self.kind, path=self.path)

    def converges(self, wanted: Listing) -> dict[str, Any]:
        """One more run brings the table to this list, a second one changes nothing, nothing else is left."""
        first = self.apply(wanted)
        seen = self.at_rest(wanted)
        assert self.apply(wanted)["changed"] is False
        assert self.look() == seen
        return first

    def at_rest(self, wanted: Listing) -> dict[str, Any]:
        """The table holds this list and nothing else is left behind; return what the agent saw."""
        seen = self.look()
        assert (seen["live"], seen["source"]) == (wanted.digest, wanted.digest)
        assert sorted(seen["files"]) == self.files
        assert seen["elsewhere"] == []
        assert seen["older"] is False
        return seen


def said(ended: Mapping[str, Any]) -> dict[str, Any]:
    """What a run said that succeeded."""
    assert ended["code"] == 0, ended
    assert ended["said"].get("failed") is not True, ended
    return ended["said"]


def refused(ended: Mapping[str, Any]) -> str:
    """The message of a run that failed with one, and not with a traceback."""
    assert ended["code"] == 1, ended
    assert ended["said"].get("failed") is True, ended
    return ended["said"]["msg"]


@contextmanager
def probed(table: Table, listed: Sequence[str], unlisted: Sequence[str]) -> Iterator[dict[str, Any]]:
    """In this block a stranger asks all the time; whatever was answered wrong fails the test at its end."""
    order = {"server": NAME, "port": table.port, "listed": list(listed), "unlisted": list(unlisted)}
    told: dict[str, Any] = {}
    with subprocess.Popen(
        [
            os.environ["MXRELAY_LAB_ENGINE"],
            "exec",
            "--interactive",
            hosts.container("tester"),
            "python3",
            "-c",
            (HERE / "prober.py").read_text(),
        ],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdin is not None and process.stdout is not None
        process.stdin.write(json.dumps(order) + "\n")
        process.stdin.flush()
        assert process.stdout.readline() == "ready\n"
        began = time.monotonic()
        try:
            yield told
        finally:
            process.stdin.close()
            told.update(json.loads(process.stdout.read()), seconds=time.monotonic() - began)
    assert told["wrong"] == 0, told
    assert told["probes"] > 1, told
