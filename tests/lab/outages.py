# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What happens in an outage to the lab's mail host and to its MX hosts, each by what does it in the world."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from lab import distrust, faults, hosts

MAIL = distrust.MAIL
ORDINARY_ADDRESS = 10
PORT = "smtp inet n - n - - smtpd"
HANG_UP = "postconf -MX smtp/inet; postfix reload 2> /dev/null"
LISTEN = f"postconf -M 'smtp/inet={PORT}'; postfix reload 2> /dev/null"
SECOND = "/etc/postfix-full"
# A container has a disk of 64 MB here; smtpd wants one and a half times the size of the longest message to be free.
DISK = "/dev/shm/full"
BALLAST = "60M"
SPOOL = "/var/spool/postfix"
SECONDS_TO_EMPTY = 60
# On releases with a unit for each instance, Debian's postfix.service does nothing itself, and systemctl does not wait
# for the instances that go along with it.
STOP = "systemctl stop postfix 'postfix@*'"


@contextmanager
def down() -> Iterator[None]:
    """The mail host has no power in this block."""
    with faults.down(MAIL):
        yield


@contextmanager
def closed() -> Iterator[None]:
    """Nothing listens on the mail host's port 25 in this block."""
    hosts.on(MAIL, "sh", "-ec", HANG_UP)
    try:
        yield
    finally:
        hosts.on(MAIL, "sh", "-ec", LISTEN)
        hosts.wait_for(lambda: hosts.talk("postmaster@invalid.test", server="mail.lab.example").mail, SECONDS_TO_EMPTY)


@contextmanager
def parameters(host: str, values: Mapping[str, str]) -> Iterator[None]:
    """The host has these parameters in this block, and its counts of clients begin anew before and after it."""
    forget = ("sh", "-c", "pkill -x anvil || true")
    hosts.on(host, *forget)
    faults.set_parameters(host, values)
    try:
        yield
    finally:
        faults.unset_parameters(host, *values)
        hosts.on(host, *forget)


@contextmanager
def answering(domain: str, answer: str) -> Iterator[None]:
    """The mail host gives this answer to each recipient of the domain in this block."""
    access = f"check_recipient_access inline:{{{{{domain} = {answer}}}}}"
    with parameters(MAIL, {"smtpd_recipient_restrictions": access}):
        yield


@contextmanager
def greylisting(seconds: int) -> Iterator[None]:
    """The mail host puts each new sender off for this time in this block."""
    start = f"postgrey --inet=127.0.0.1:10023 --delay={seconds} --pidfile=/run/postgrey.pid --daemonize 2> /dev/null"
    hosts.on(MAIL, "sh", "-ec", f"rm -rf /var/lib/postgrey/*; {start}")
    try:
        with parameters(MAIL, {"smtpd_recipient_restrictions": "check_policy_service inet:127.0.0.1:10023"}):
            yield
    finally:
        hosts.on(MAIL, "sh", "-c", "kill $(cat /run/postgrey.pid)")


@contextmanager
def rate_limited(connections: int, seconds: int) -> Iterator[None]:
    """The mail host takes so many connections of a client in this time, and answers 421 to the others."""
    limit = {"smtpd_client_connection_rate_limit": str(connections), "anvil_rate_time_unit": f"{seconds}s"}
    with parameters(MAIL, limit):
        yield


@contextmanager
def slow(connections: int, seconds: int) -> Iterator[None]:
    """The mail host has room for few connections, and thinks about each recipient for a while, in this block."""
    limit = {"smtpd_client_connection_count_limit": str(connections)}
    with parameters(MAIL, {"smtpd_recipient_restrictions": f"sleep {seconds}", **limit}):
        yield


@contextmanager
def slow_to_confirm(seconds: int) -> Iterator[None]:
    """The mail host thinks about each message that it has got whole for a while in this block."""
    with parameters(MAIL, {"smtpd_end_of_data_restrictions": f"sleep {seconds}"}):
        yield


def receiving() -> bool:
    """Return whether the mail host has got a part of a message, of more than one of its buffers."""
    return bool(hosts.on(MAIL, "find", f"{SPOOL}/incoming", "-type", "f", "-size", "+4k"))


@contextmanager
def small_queue() -> Iterator[None]:
    """The mail host has its queue on a small disk in this block; all that is there is delivered at the end."""
    hosts.on(
        MAIL,
        "sh",
        "-ec",
        f"mkdir -m 755 {DISK} {DISK}/queue {DISK}/data; chown postfix {DISK}/data; cp -a /etc/postfix {SECOND}\n"
        f"postconf -c {SECOND} -e queue_directory={DISK}/queue data_directory={DISK}/data maillog_file=/var/log/full\n"
        f"{HANG_UP}; postfix -c {SECOND} start 2> /dev/null",
    )
    try:
        yield
    finally:
        queues = " ".join(f"{DISK}/queue/{name}" for name in ("incoming", "active", "deferred"))
        hosts.wait_for(lambda: not hosts.on(MAIL, "sh", "-c", f"find {queues} -type f"), SECONDS_TO_EMPTY)
        hosts.on(MAIL, "sh", "-ec", f"postfix -c {SECOND} stop 2> /dev/null; rm -r {SECOND} {DISK}; {LISTEN}")


@contextmanager
def full_disk() -> Iterator[None]:
    """The small disk of the mail host's queue is full in this block."""
    hosts.on(MAIL, "fallocate", "-l", BALLAST, f"{DISK}/ballast")
    try:
        yield
    finally:
        hosts.on(MAIL, "rm", f"{DISK}/ballast")


@contextmanager
def unplugged() -> Iterator[None]:
    """The mail host has no network in this block: packets get no answer, not even that there is nobody."""
    lab, name = os.environ["MXRELAY_LAB"], hosts.container(MAIL)
    hosts.engine("network", "disconnect", lab, name)
    try:
        yield
    finally:
        address = f"{os.environ['MXRELAY_LAB_NET']}.{ORDINARY_ADDRESS}"
        hosts.engine("network", "connect", "--ip", address, lab, name)


@contextmanager
def throttled(host: str, rate: str) -> Iterator[None]:
    """The host sends no faster than this in this block."""
    hosts.on(host, "tc", "qdisc", "add", "dev", "eth0", "root", "tbf", "rate", rate, "burst", "32kbit", "latency", "1s")
    try:
        yield
    finally:
        hosts.on(host, "tc", "qdisc", "del", "dev", "eth0", "root")


@contextmanager
def small_disk(host: str, size: str) -> Iterator[None]:
    """The MX host's queue is on a disk of this size in this block; it must be empty at the end."""
    hosts.on(
        host,
        "sh",
        "-ec",
        f"{STOP}; cp -a {SPOOL} /root/spool\n"
        f"mount -t tmpfs -o size={size},mode=755 tmpfs {SPOOL}; cp -a /root/spool/. {SPOOL}/; systemctl start postfix",
    )
    try:
        yield
    finally:
        hosts.on(host, "sh", "-ec", f"{STOP}; umount {SPOOL}; rm -r /root/spool; systemctl start postfix")


def rebooted(host: str) -> None:
    """Kill the host, and start it again."""
    hosts.stop(host)
    hosts.start(host)
