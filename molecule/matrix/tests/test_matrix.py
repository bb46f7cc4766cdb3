# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The same variables make the same MX, whatever Debian it has and however Postfix is set up on it.

The short form has one way on each host; with --long, each two properties of a setup come together on some host.
`./run matrix` has more.
"""

from __future__ import annotations

import concurrent.futures
import contextlib
import os
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from lab import faults, hosts, playbooks, second_instance
from lab.long_form import in_long_form
from lab.matrix import HOSTS, Round, Way, note, outcomes, rounds

ROLES = str(playbooks.MOLECULE / "matrix/roles.yml")
DIRECTORIES = {"first": "/etc/postfix", "second": second_instance.DIRECTORY}
PORTS = {"first": 25, "second": second_instance.PORT}
# By host, the last number of its address.
ADDRESSES = {"dns": 2, "mail": 10, "mx35": 35, "mx37": 37, "mx310": 110, "mx311": 111, "mxnext": 112, "tester": 99}
# What a host finds names by.
NAMES = ("/etc/resolv.conf", "/etc/hosts")
LISTED = ("liz@front.example", "nora@behind.example")
UNKNOWN = ("nobody@front.example", "nobody@behind.example")
BEFORE = "/root/before.tar"
# systemd has no unit of the second instance on every Debian.
BEGIN = f"""
systemctl stop postfix 'postfix@*'
for queue in /var/spool/postfix /var/spool/postfix-second; do
    pid=$(cat $queue/pid/master.pid 2>/dev/null || true)
    if test -n "$pid" && test "$(ps -o comm= -p $pid)" = master; then
        kill $pid
        timeout 60 tail --pid=$pid -f /dev/null
    fi
done
rm -rf /etc/postfix /etc/postfix-second
tar -C / -xpf {BEFORE}
"""


def v4(host: str) -> str:
    """The host's address in the lab's own network."""
    return f"{os.environ['MXRELAY_LAB_NET']}.{ADDRESSES[host]}"


def record(host: str) -> str:
    """What the lab's DNS is told of that address, as its own lines say it."""
    return f"host-record={host}.lab.example,@NET@.{ADDRESSES[host]}"


def v6(host: str) -> str:
    """The host's address in the lab's second network."""
    return f"fd00:253:{os.environ['MXRELAY_LAB_NET'].split('.')[2]}::{ADDRESSES[host]}"


@pytest.fixture(scope="module", autouse=True)
def lab() -> Iterator[None]:
    """The hosts have IPv6 as well and a second instance, and are MX hosts by either; what others share is put back."""
    name = os.environ["MXRELAY_LAB"]
    subnet = ("--subnet", f"{v6('mail').rpartition('::')[0]}::/64")
    hosts.engine("network", "create", "--ipv6", *subnet, "--label", f"mxrelay-lab={name}", f"{name}-6")
    for host in ADDRESSES:
        hosts.engine("network", "connect", "--ip6", v6(host), f"{name}-6", hosts.container(host))
    zone = hosts.zone()
    records = [f"host-record={host}.lab.example,{v6(host)}" for host in ADDRESSES]
    records += [
        record("mxnext"),
        "mx-host=front.example,mxnext.lab.example,10",
        "mx-host=behind.example,mxnext.lab.example,100",
    ]
    hosts.publish(zone + "\n".join([*records, ""]))
    usual = faults.parameter("mail", "inet_protocols")
    mail_host_uses("all")
    for host in HOSTS:
        # Of an earlier session, that tried another controller.
        if not hosts.testinfra_host(host).file(BEFORE).exists:
            second_instance.create(host)
            hosts.on(host, "sh", "-ec", f"tar -C / -cpf {BEFORE} etc/postfix etc/postfix-second")
    yield
    mail_host_uses(usual)
    hosts.publish(zone)
    for host in ADDRESSES:
        hosts.engine("network", "disconnect", f"{name}-6", hosts.container(host))
    hosts.engine("network", "rm", f"{name}-6")


def mail_host_uses(protocols: str) -> None:
    hosts.on("mail", "postconf", "-e", f"inet_protocols={protocols}")
    hosts.engine("restart", "--time", "0", hosts.container("mail"))


@contextlib.contextmanager
def networks(ways: Round) -> Iterator[None]:
    """The hosts have the networks of their ways, and DNS has none of the addresses that they lack."""
    alone = [host for host, way in ways.items() if way.alone]
    if not alone:
        yield
        return
    name = os.environ["MXRELAY_LAB"]
    zone = hosts.zone()
    lacking = {record(host) for host in alone}
    hosts.publish("\n".join([*(line for line in zone.splitlines() if line not in lacking), ""]))
    usual = {(host, file): hosts.on(host, "cat", file) for host in alone for file in NAMES}
    for host in alone:
        hosts.engine("network", "disconnect", name, hosts.container(host))
        # The engine gives each network of its own addresses of IPv4 as well, and keeps those that are gone as names.
        hosts.on(host, "ip", "-4", "address", "flush", "scope", "global")
        hosts.on(host, "tee", "/etc/resolv.conf", given=f"nameserver {v6('dns')}\n")
        hosts.on(host, "tee", "/etc/hosts", given="127.0.0.1 localhost\n::1 localhost\n")
    yield
    for host in alone:
        hosts.engine("network", "connect", "--ip", v4(host), name, hosts.container(host))
    for (host, file), text in usual.items():
        hosts.on(host, "tee", file, given=text)
    hosts.publish(zone)


def set_up(host: str, way: Way) -> None:
    """The host is as it was before the roles, set up in this way, and Postfix runs."""
    level = "2" if (host, way.level) == ("mx35", "3.6") else way.level  # until 3.6 it was a number
    directory = DIRECTORIES[way.instance]
    chroot = "y" if way.chroot else "n"
    commands = [
        f"postconf -c {directory} -e compatibility_level={level} inet_protocols={way.family}",
        f"postconf -c {directory} -F '*/inet/chroot={chroot}' '*/unix/chroot={chroot}'",
        f"for service in local virtual proxymap proxywrite; do postconf -c {directory} -F $service/unix/chroot=n; done",
        "systemctl start postfix",
    ]
    hosts.on(host, "sh", "-ec", "\n".join([BEGIN, *commands]))


def state_of(host: str) -> str:
    return faults.state_of(host, *DIRECTORIES.values())


def variables(ways: Round, state: str = "present") -> dict[str, Any]:
    rows = {
        f"{host}.lab.example": {"type": way.type, "directory": DIRECTORIES[way.instance]} for host, way in ways.items()
    }
    return {"matrix": rows, "matrix_state": state}


def answers(host: str, way: Way, recipients: tuple[str, ...], message: str | None = None) -> hosts.Conversation:
    server = v6(host) if way.ipv6 else f"{host}.lab.example"
    return hosts.talk(recipients, server=server, port=PORTS[way.instance], message=message)


EXTENT = os.environ.get("MXRELAY_LAB_MATRIX", "")
ROUNDS = in_long_form(rounds(EXTENT, outcomes()), short=1)


# Of the full product each way is changed, run again and asked; check mode and removal are seen with the pairs.
WHOLE = EXTENT != "full"


@pytest.fixture(scope="module", params=ROUNDS, ids=lambda number: number[0])
def done(request: pytest.FixtureRequest) -> Iterator[dict[str, dict[str, Any]]]:
    """What became of each host of a round: how many changes were foreseen, made, and made again; then what it says."""
    ways: Round = request.param[1]
    with networks(ways):
        yield tried(ways)


def tried(ways: Round) -> dict[str, dict[str, Any]]:
    def each(look: Callable[[str, Way], Any]) -> dict[str, Any]:
        """What is seen on each host, on all at the same time."""
        with concurrent.futures.ThreadPoolExecutor() as pool:
            return dict(zip(ways, pool.map(look, *zip(*ways.items(), strict=True)), strict=True))

    def play(**how: Any) -> playbooks.Run:
        return playbooks.play("matrix", ROLES, variables=variables(ways, how.pop("state", "present")), **how)

    def states() -> dict[str, Any]:
        return each(lambda host, _way: state_of(host))

    each(set_up)
    plays, untouched = [], []
    if WHOLE:
        begun = states()
        plays.append(play(check=True))
        untouched.append((begun, states()))
    plays.append(play())
    before = states()
    plays.append(play())
    untouched.append((before, states()))
    said = each(talked)
    told = {
        host: {
            "way": way,
            "runs": [
                (played.failed[f"{host}.lab.example"], bool(played.changed[f"{host}.lab.example"])) for played in plays
            ],
            "untouched": [earlier[host] == later[host] for earlier, later in untouched],
            **said[host],
        }
        for host, way in ways.items()
    }
    if WHOLE:
        plays.append(play(state="absent"))
        refused = each(lambda host, way: [code for code, _text in answers(host, way, LISTED).rcpt])
        for host, what in told.items():
            what["gone"] = (plays[-1].failed[f"{host}.lab.example"], refused[host])
    for what in told.values():
        what["said"] = [played.said for played in plays]
    return told


def talked(host: str, way: Way) -> dict[str, Any]:
    """What a stranger is told, and how often a message for each domain arrives."""
    unique, message = hosts.new_message()
    return {
        "rcpt": [code for code, _text in answers(host, way, (*LISTED, *UNKNOWN, hosts.STRANGER)).rcpt],
        "data": answers(host, way, LISTED, message).data,
        "arrived": [hosts.arrived(unique, address) for address in LISTED],
    }


WANTED = {"runs": [(0, True), (0, False)], "untouched": [True], "rcpt": [250, 250, 550, 550, 554], "arrived": [1, 1]}
FORESEEN_AND_REMOVED = {
    "runs": [(0, True), *WANTED["runs"]],
    "untouched": [True, *WANTED["untouched"]],
    "gone": (0, [554, 554]),
}


@pytest.mark.parametrize("host", HOSTS)
def test_host_becomes_the_mx_that_is_declared(host: str, done: dict[str, dict[str, Any]]) -> None:
    what = done[host]
    wanted = {**WANTED, **(FORESEEN_AND_REMOVED if WHOLE else {})}
    seen = {name: what[name] for name in wanted}
    if EXTENT:
        note(str(what["way"]), HOSTS[host], passed=seen == wanted)
    assert seen == wanted, (str(what["way"]), what["data"], what["said"])
