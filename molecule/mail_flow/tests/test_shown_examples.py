# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What modules, roles and guides show runs in check mode on MX hosts, and changes nothing there."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from lab import examples, faults, hosts, playbooks
from lab.long_form import in_long_form

HOSTS = ("mx1", "mx2")
RUNNABLE = examples.runnable("mx1.lab.example")


@pytest.mark.parametrize("name", in_long_form(RUNNABLE))
def test_example_runs_in_check_mode(name: str, tmp_path: Path) -> None:
    for host in HOSTS:
        hosts.on(host, "sh", "-ec", examples.HOST)
    before = [faults.bytes_of(host) for host in HOSTS]
    for file, text in examples.LISTS.items():
        (tmp_path / file).write_text(text)
    playbook = tmp_path / "examples.yml"
    playbook.write_text(yaml.safe_dump(RUNNABLE[name], allow_unicode=True, sort_keys=False))
    run = playbooks.play("mail_flow", str(playbook), check=True)
    assert run.code == 0, run.said
    assert set(run.failed.values()) == {0}
    assert [faults.bytes_of(host) for host in HOSTS] == before
