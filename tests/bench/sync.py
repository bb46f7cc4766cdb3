# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""How long a sync takes that changes nothing of a list in a directory, beside one ping, and the read alone.

In each round one follows the other, so that what else the machine does falls on all of them; see docs/speed.md.
"""

from __future__ import annotations

import argparse
import pathlib
import re
import statistics
import sys
import time
from typing import Any

from lab import hosts, playbooks, sources

HERE = pathlib.Path(__file__).parent
GUIDE = HERE.parents[1] / "docs/speed.md"
SECTION = re.compile("(<!-- figures of sync -->\n\n).*?(<!-- end of figures of sync -->)", re.DOTALL)
SCENARIO = "sync"
HOST = "mx1.lab.example"
DOMAIN = "bench.example"
PING, READ, SYNC = "playbook with one ping", "playbook with one read of the directory", "sync_recipients"
PLAYBOOKS = {
    PING: str(HERE / "ping.yml"),
    READ: str(HERE / "read.yml"),
    SYNC: "mxrelay.postfix.sync_recipients",
}
MOST = 2.5
# Makes so many people below ou=bench, each with one address, without the checks that need no repetition here.
PEOPLE = r"""
top=dc=directory,dc=example
printf 'dn: olcDatabase={1}mdb,cn=config\nchangetype: modify\nreplace: olcDbMaxSize\nolcDbMaxSize: 1073741824\n' |
    slapmodify -n 0 -F /etc/ldap/slapd.d
{
    printf 'dn: ou=bench,%s\nobjectClass: organizationalUnit\n\n' $top
    seq "$1" | awk -v top=$top '{
        printf "dn: uid=bench%d,ou=bench,%s\nobjectClass: inetOrgPerson\nobjectClass: recipient\n", $1, top
        printf "cn: User\nsn: %d\nmail: user%d@bench.example\n\n", $1, $1
    }'
} | slapadd -q -n 1 -F /etc/ldap/slapd.d
chown -R openldap:openldap /etc/ldap/slapd.d /var/lib/ldap
"""


def variables() -> dict[str, Any]:
    """One domain whose list is what the directory has below ou=bench."""
    directory = {**sources.declared()["directory"], "bases": ["ou=bench,dc=directory,dc=example"], "timeout": 300}
    item = {"name": DOMAIN, "recipients_from": ["directory"], "mail_host": f"{sources.HOST}.lab.example"}
    return {"primary_mx_recipient_sources": {"directory": directory}, "primary_mx_domains": [item]}


def fill(rows: int) -> None:
    """Put the people into the directory."""
    hosts.on(sources.HOST, "systemctl", "stop", "slapd")
    hosts.on(sources.HOST, "sh", "-euc", PEOPLE, "people", str(rows))
    hosts.on(sources.HOST, "systemctl", "start", "slapd")


def seconds(playbook: str, changed: int | None = 0) -> float:
    """How long a playbook takes, which is to change so much."""
    began = time.monotonic()
    run = playbooks.play(SCENARIO, playbook, variables=variables(), limit=HOST)
    took = time.monotonic() - began
    if run.code or changed not in (None, run.changed.get(HOST, 0)):
        sys.exit(f"{playbook}: code {run.code}, {run.changed}: {run.said}")
    return took


def measure(rounds: int) -> dict[str, list[float]]:
    """The seconds of each, by rounds."""
    found: dict[str, list[float]] = {name: [] for name in PLAYBOOKS}
    for _round in range(rounds):
        for name, playbook in PLAYBOOKS.items():
            found[name].append(seconds(playbook))
    return found


def report(rows: int, found: dict[str, list[float]]) -> str:
    """The figures as Markdown."""
    median = {name: statistics.median(times) for name, times in found.items()}
    read = median[READ] - median[PING]
    ratio = (median[SYNC] - read) / median[PING]
    lines = [f"| {rows:,} recipients, no change | s |", "|---|---:|"]
    lines += [f"| {name} | {took:.2f} |" for name, took in median.items()]
    lines += ["", "| aim | seen | |", "|---|---|---|"]
    told = f"{ratio:.2f} ({median[SYNC]:.2f} s, of which {read:.2f} s is the read)"
    lines.append(
        f"| beside the read, at most {MOST} times the ping | {told} | {'reached' if ratio <= MOST else '**missed**'} |"
    )
    number = len(found[PING])
    return "\n".join([*lines, "", f"Medians of {number}."]) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(prog="./run bench sync", description=__doc__)
    parser.add_argument("--rows", type=int, default=100_000, help="how many recipients the directory has")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--publish", action="store_true", help="put the figures into docs/speed.md")
    options = parser.parse_args()
    fill(options.rows)
    seconds(str(HERE / "apply.yml"), changed=None)
    text = report(options.rows, measure(options.rounds))
    print(text)
    if options.publish:
        page = GUIDE.read_text(encoding="utf-8")
        GUIDE.write_text(SECTION.sub(lambda marks: f"{marks[1]}{text}\n{marks[2]}", page), encoding="utf-8")


if __name__ == "__main__":
    main()
