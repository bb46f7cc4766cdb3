# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""How long both roles take to change all, then nothing, in multiples of `ansible -m ping` of the same moment.

The words of the command line are numbers of domains.
"""

from __future__ import annotations

import os
import pathlib
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

from lab import hosts, playbooks

SCENARIO = "both"
HOST = "mx1.lab.example"
PLAYBOOK = str(pathlib.Path(__file__).parent / "both_roles.yml")
NUMBERS = (1, 1000)
RUNS = 5
# The lab's DNS server looks through all its records for each question.
MOST_IN_DNS = 1000


def domains(number: int) -> dict[str, Any]:
    """The lists of both roles: `number` domains on the host, shared between the roles where there are several."""
    names = [f"d{index}.bench.example" for index in range(number)]
    items = [{"name": name, "recipients": [f"info@{name}", f"sales@{name}"]} for name in names]
    half = max(1, number // 2)
    return {
        "primary_mx_domains": [{**item, "mail_host": "mail.lab.example"} for item in items[:half]],
        "secondary_mx_domains": items[half:],
    }


def publish(variables: dict[str, Any]) -> None:
    """Have the lab's DNS name the host as MX of all these domains, so that there is nothing to warn of."""
    records = [f"mx-host={item['name']},mx1.lab.example,10" for item in variables["primary_mx_domains"]]
    for item in variables["secondary_mx_domains"]:
        records += [f"mx-host={item['name']},mail.lab.example,10", f"mx-host={item['name']},mx1.lab.example,100"]
    hosts.publish(hosts.zone() + "\n".join([*records, ""]))


def ping() -> None:
    subprocess.run(
        ["ansible", *playbooks.inventories(SCENARIO), HOST, "-m", "ansible.builtin.ping"],
        check=True,
        stdout=subprocess.DEVNULL,
        env={**os.environ, **playbooks.SETTINGS},
    )


def seconds(work: Callable[[], object]) -> float:
    began = time.monotonic()
    work()
    return time.monotonic() - began


def measure(number: int) -> None:
    """Apply, then print the medians of runs that change nothing and of pings, each beside the other."""
    variables = domains(number)
    if number <= MOST_IN_DNS:
        publish(variables)
    pings, runs = [seconds(ping)], []
    began = time.monotonic()
    run = playbooks.play(SCENARIO, PLAYBOOK, variables=variables)
    applied = time.monotonic() - began
    if run.code:
        sys.exit(run.said)
    first = applied / pings.pop()
    for _run in range(RUNS if number <= MOST_IN_DNS else 1):
        pings.append(seconds(ping))
        began = time.monotonic()
        run = playbooks.play(SCENARIO, PLAYBOOK, variables=variables)
        runs.append(time.monotonic() - began)
        if run.code or run.changed[HOST]:
            sys.exit(f"the run was to change nothing: {run.said}")
    ratio = statistics.median(runs) / statistics.median(pings)
    print(
        f"| {number} | {statistics.median(pings):.2f} | {applied:.2f} | {first:.1f} | {statistics.median(runs):.2f} "
        f"| {ratio:.1f} | {run.ok[HOST]} |",
        flush=True,
    )


def main() -> None:
    print("| domains | ping, s | first apply, s | ratio | both roles change nothing, s | ratio | ok tasks |")
    print("|---|---|---|---|---|---|---|", flush=True)
    for number in [int(word) for word in sys.argv[1:]] or NUMBERS:
        measure(number)


if __name__ == "__main__":
    main()
