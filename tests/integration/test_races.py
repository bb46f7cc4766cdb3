# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Edits of others at the same time, and runs that are killed."""

from __future__ import annotations

import random

import pytest

from integration.host import Host, succeeded

MAIN_CF = "/etc/postfix/main.cf"
MASTER_CF = "/etc/postfix/master.cf"
EDITORS = 20
KILLS = (20, 100)


def test_parallel_postconf_loses_nothing_and_is_not_lost(host: Host) -> None:
    commands = [["postconf", "-e", f"theirs_{number} = {number}"] for number in range(EDITORS)]
    runs = [
        {
            "parameters": {f"ours_{number}": str(number)},
            "allow_unknown": True,
            "add_items": {"relay_domains": [f"d{number}.example"]},
        }
        for number in range(3)
    ]
    done = host.ask("parallel", module="main_cf", runs=runs, commands=commands)
    assert done["failed"] == []
    for result in done["results"]:
        assert succeeded(result)["changed"] is True
    lines = host.text(MAIN_CF).splitlines()
    for number in range(EDITORS):
        assert lines.count(f"theirs_{number} = {number}") == 1
    for number in range(len(runs)):
        assert lines.count(f"ours_{number} = {number}") == 1
    [domains] = [line for line in lines if line.startswith("relay_domains")]
    assert sorted(domains.partition(" = ")[2].split(", ")) == [f"d{number}.example" for number in range(len(runs))]


@pytest.mark.parametrize("part", ["whole run", "while locked"])
@pytest.mark.parametrize(("module", "path"), [("main_cf", MAIN_CF), ("master_cf", MASTER_CF)])
def test_killed_run_leaves_the_old_file_or_the_new_one(
    host: Host, module: str, path: str, part: str, long: bool
) -> None:
    """Anywhere in a run; and, since most of one only reads, after it has taken its lock."""
    old = host.text(path)
    seed = random.SystemRandom().randrange(10**6)
    killed = counted = 0
    rounds = [edit(module, number) for number in range(KILLS[long])]
    found = host.ask("kill_often", module=module, rounds=rounds, path=path, part=part, seed=seed)["rounds"]
    for number, (ended, before, after) in enumerate(found):
        new = edited(module, old, number)
        assert after in (before, new), (number, seed)
        assert ended or after == new, (number, seed)
        counted += after == new
        killed += bool(ended)
    assert succeeded(host.run(module, edit(module, len(rounds))))["changed"] is True
    assert host.text(path) == edited(module, old, len(rounds))
    left = host.shell("find /etc/postfix -name '.mxrelay*'; ls -d /tmp/mxrelay* 2>/dev/null || true")
    assert left == ""
    print(f"\n{module}, {part}: {killed} of {len(rounds)} runs killed (seed {seed}), {counted} had made the change")
    assert killed >= KILLS[long] // 4


def edit(module: str, number: int) -> dict[str, object]:
    if module == "main_cf":
        return {"parameters": {"mail_name": f"n{number}"}}
    return {"services": [{"name": "relay", "type": "unix", "overrides": {"mail_name": f"n{number}"}}]}


def edited(module: str, old: str, number: int) -> str:
    """The file after that edit, whichever of the earlier ones were made."""
    if module == "main_cf":
        return f"{old}mail_name = n{number}\n"
    syslog = "        -o syslog_name=${multi_instance_name?{$multi_instance_name}:{postfix}}/$service_name\n"
    before, found, after = old.partition(f"relay{old.partition(chr(10) + 'relay')[2].partition(syslog)[0]}{syslog}")
    assert found
    return f"{before}{found}        -o mail_name=n{number}\n{after}"
