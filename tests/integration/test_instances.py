# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A second instance of postmulti: its files are changed, its table types are used, and nothing of the first one is."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from integration.host import Host, succeeded
from lab import hosts

SECONDS_TO_START = 30
FIRST = "/etc/postfix"
SECOND = "/etc/postfix-second"


@pytest.fixture
def second(host: Host) -> Iterator[str]:
    """The configuration directory of another instance, whose default table type is not the first one's."""
    host.shell(
        "postmulti -e init && postmulti -e create -I postfix-second"
        f" && postconf -c {SECOND} default_database_type=lmdb"
        f" && touch -d '1 minute ago' {FIRST}/*.cf {SECOND}/*.cf"
    )
    yield SECOND
    host.shell(f"rm -rf {SECOND} /var/spool/postfix-second /var/lib/postfix-second")


def test_only_the_files_of_the_instance_are_changed(host: Host, second: str) -> None:
    before = host.state(FIRST)
    request = {"parameters": {"soft_bounce": True}, "add_items": {"relay_domains": ["x.example"]}}
    services = [{"name": "relay", "type": "unix", "overrides": {"smtp_helo_timeout": "9s"}}]
    main_cf = {"config_directory": second, **request}
    master_cf = {"config_directory": second, "services": services}
    assert succeeded(host.run("main_cf", main_cf))["path"] == f"{second}/main.cf"
    assert succeeded(host.run("master_cf", master_cf))["path"] == f"{second}/master.cf"
    shown = host.on("postconf", "-c", second, "-h", "soft_bounce", "relay_domains")
    assert shown == "yes\nx.example\n"
    assert host.on("postconf", "-c", second, "-h", "-P", "relay/unix/smtp_helo_timeout") == "9s\n"
    assert succeeded(host.run("main_cf", main_cf))["changed"] is False
    assert succeeded(host.run("master_cf", master_cf))["changed"] is False
    assert host.state(FIRST) == before


def test_table_is_of_the_type_of_the_instance_and_beside_its_files(host: Host, second: str) -> None:
    before = host.state(FIRST)
    added = succeeded(host.run("relay_recipients", {"config_directory": second, "recipients": ["a@x.example"]}))
    assert added["reference"] == f"lmdb:{second}/relay_recipients"
    assert host.on("postmap", "-c", second, "-q", "a@x.example", added["reference"]) == "x\n"
    assert host.state(FIRST) == before


def test_only_the_instance_is_reloaded(host: Host, second: str) -> None:
    table = {"type": "texthash", "path": f"{second}/transport"}
    entries = [{"pattern": "x.example", "nexthop": "mail.x.example"}]
    host.shell(f"postfix -c {FIRST} start; postmulti -i postfix-second -e enable; postfix -c {second} start")
    try:
        first, other = queue_manager(host, "/var/spool/postfix"), queue_manager(host, "/var/spool/postfix-second")
        assert first.isdigit() and other.isdigit()
        maps = {"transport_maps": f"texthash:{second}/transport"}
        succeeded(host.run("main_cf", {"config_directory": second, "parameters": maps}))
        succeeded(host.run("transport", {"config_directory": second, **table, "entries": entries}))
        assert queue_manager(host, "/var/spool/postfix") == first
        assert hosts.wait_for(lambda: queue_manager(host, "/var/spool/postfix-second") != other, SECONDS_TO_START)
    finally:
        host.shell(f"postfix -c {second} stop; postfix -c {FIRST} stop")


def queue_manager(host: Host, queue_directory: str) -> str:
    """The process number of the queue manager, which each reload of its instance replaces."""
    command = f"pgrep -x qmgr -P $(tr -d ' ' < {queue_directory}/pid/master.pid) || true"
    return hosts.wait_for(lambda: host.shell(command).strip(), SECONDS_TO_START)
