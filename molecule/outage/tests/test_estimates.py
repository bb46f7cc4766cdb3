# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What queue_info estimates is what then happens, within a fifth."""

from __future__ import annotations

import os
import pathlib
import time
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import pytest

from lab import remote

LONG = bool(os.environ.get("MXRELAY_LAB_LONG"))
MX = ("mx1", "mx35") if LONG else ("mx1",)
WITHIN = 0.2
PORT = 2525
SINK = pathlib.Path(remote.__file__).with_name("slow_sink.py")
# Its bounces lead nowhere.
SENDER = "me@nowhere.example"
BACKUP = "/root/main.cf.before-estimates"


class Setting(NamedTuple):
    """A mail host that takes so many seconds for a message, and what Postfix is set to."""

    messages: int
    seconds: float
    concurrency: int = 20
    rate_delay: int = 0
    # Bytes of each message that waits, and seconds for each megabyte of one.
    size: int = 1000
    per_megabyte: float = 0
    unaided: bool = False
    # When so many are left the estimate is made, by how many there are a second; at once if 0.
    left: int = 0
    more: Mapping[str, str] = {}


class Sender:
    """An MX host that sends mail for domains of nobody's to a slow mail host on a port of its own."""

    def __init__(self, host: str) -> None:
        self.host = host
        self.inside = remote.Remote(host)
        self.inside.shell(
            f"cp -p /etc/postfix/main.cf {BACKUP}; cat > /root/slow_sink.py <<'EOF'\n{SINK.read_text()}\nEOF"
        )

    def set(self, domain: str, **parameters: str) -> None:
        """Start from the settings of the role each time."""
        routes = f"inline:{{{domain}=relay:[127.0.0.1]:{PORT},nowhere.example=discard:}}"
        written = {"transport_maps": routes, **parameters}
        words = " ".join(f"'{name}={value}'" for name, value in written.items())
        self.inside.shell(f"cp -p {BACKUP} /etc/postfix/main.cf; postconf -e {words}; postfix reload")

    def mail_host(self, seconds: float, per_megabyte: float = 0) -> None:
        """Let the mail host answer."""
        listening = f"import socket; socket.create_connection(('127.0.0.1', {PORT}))"
        self.inside.shell(
            f"nohup python3 /root/slow_sink.py {PORT} {seconds} {per_megabyte} >/dev/null 2>&1 &\n"
            "echo $! >/root/slow.pid\n"
            f'until python3 -c "{listening}" 2>/dev/null; do :; done'
        )

    def no_mail_host(self) -> None:
        """Take the mail host away."""
        self.inside.shell("test ! -e /root/slow.pid || kill $(cat /root/slow.pid) || true; rm -f /root/slow.pid")

    def send(self, domain: str, messages: int, size: int = 1000) -> None:
        """Hand in mail, and wait until Postfix has tried it."""
        self.inside.shell(
            f"smtp-source -c -s 5 -m {messages} -l {size} -f {SENDER} -t amy@{domain} 127.0.0.1:25 >/dev/null"
        )
        self.inside.shell(f"while postqueue -j | grep -v '\"deferred\"' | grep -qF '@{domain}'; do sleep 0.3; done")

    def seconds_until_empty(self, domain: str) -> float:
        """Return for how long mail waits for the domain from now on."""
        start = time.monotonic()
        self.inside.shell(f"while postqueue -j | grep -qF '@{domain}'; do sleep 0.3; done")
        return time.monotonic() - start

    def flush(self, domain: str, left: int) -> None:
        """Have mail tried again, and wait until so much is left for the domain."""
        self.inside.shell(
            f"postqueue -f; while test $(postqueue -j | grep -cF '@{domain}') -gt {left}; do sleep 0.3; done"
        )

    def findings(self, domain: str) -> dict[str, dict[str, Any]]:
        """Return what mx_info finds of a domain, by check."""
        return {found["check"]: found for found in self.inside.inform(domains=[domain])["findings"]}

    def close(self) -> None:
        """Leave the host as it was."""
        self.no_mail_host()
        self.inside.shell(f"mv {BACKUP} /etc/postfix/main.cf; postfix reload")
        self.inside.close()


@pytest.fixture(name="sender", scope="module", params=MX)
def _sender(request: pytest.FixtureRequest) -> Iterator[Sender]:
    sender = Sender(request.param)
    yield sender
    sender.close()


SETTINGS = {
    "usual": Setting(80, 1.5),
    "rate delay": Setting(6, 0.5, rate_delay=1),
}
SETTINGS_LONG = {
    "few at a time": Setting(24, 1, concurrency=4),
    "slow": Setting(200, 5),
    "many at a time": Setting(600, 3, concurrency=50),
    "longer rate delay": Setting(10, 0.5, rate_delay=3),
    "larger than usual": Setting(60, 0.5, size=200000, per_megabyte=20),
    "half of it done": Setting(160, 2, concurrency=8, left=80),
    "unaided": Setting(
        100,
        2,
        unaided=True,
        more={"minimal_backoff_time": "10s", "maximal_backoff_time": "40s", "queue_run_delay": "5s"},
    ),
}
ALL = {**SETTINGS, **SETTINGS_LONG} if LONG else SETTINGS


def queue_up(sender: Sender, name: str, setting: Setting) -> str:
    """Deliver some mail, of which the log tells, queue more without a mail host, and bring that back."""
    domain = f"{name.replace(' ', '-')}.{int(time.time())}.example"
    limits = {"relay_destination_concurrency_limit": str(setting.concurrency), **setting.more}
    sender.set(domain, **limits)
    sender.mail_host(setting.seconds, setting.per_megabyte)
    for size in (1000, 5000, 20000, 60000) if setting.per_megabyte else (1000,):
        sender.send(domain, 8, size)
    sender.no_mail_host()
    sender.set(domain, relay_destination_rate_delay=f"{setting.rate_delay}s", **limits)
    sender.send(domain, setting.messages, setting.size)
    sender.mail_host(setting.seconds, setting.per_megabyte)
    return domain


@pytest.mark.parametrize("name", ALL)
@pytest.mark.long
def test_drain_takes_as_long_as_estimated(sender: Sender, name: str) -> None:
    setting = ALL[name]
    domain = queue_up(sender, name, setting)
    if setting.left:
        sender.flush(domain, setting.left)
    found = sender.inside.estimate(domain, 4 << 20)
    if not (setting.unaided or setting.left):
        sender.flush(domain, setting.messages)
    took = sender.seconds_until_empty(domain)
    sender.no_mail_host()
    estimated, rate = found["drain"], found["rate"]["per_second"]
    expected = estimated["unaided" if setting.unaided else "seconds"]
    print(f"{sender.host} {name}: {estimated}, took {took:.1f} s, ratio {expected / took:.2f}")
    assert (estimated["deliveries"] <= (setting.left or setting.messages), estimated["from"]) == (True, "measured")
    assert (rate is not None) == bool(setting.left)
    assert expected == pytest.approx(took, rel=WITHIN)


# The lifetime, the least and the longest wait, and the time between two queue runs.
LIVES = {"20s": ("20s", "2s", "2s", "1s")}
LIVES_LONG = {"60s": ("60s", "10s", "10s", "5s"), "100s": ("100s", "5s", "15s", "5s")}


@pytest.mark.parametrize("name", {**LIVES, **LIVES_LONG} if LONG else LIVES)
@pytest.mark.long
def test_first_mail_bounces_when_estimated(sender: Sender, name: str) -> None:
    lifetime, minimal, maximal, run = {**LIVES, **LIVES_LONG}[name]
    domain = f"bounce.{int(time.time())}.example"
    sender.set(
        domain,
        maximal_queue_lifetime=lifetime,
        bounce_queue_lifetime=lifetime,
        minimal_backoff_time=minimal,
        maximal_backoff_time=maximal,
        queue_run_delay=run,
    )
    sender.send(domain, 1)
    estimated = sender.inside.estimate(domain)
    took = sender.seconds_until_empty(domain)
    print(f"{sender.host} {name}: {estimated['to_first_bounce']} s, took {took:.1f} s")
    assert estimated["to_first_bounce"] == pytest.approx(took, rel=WITHIN)


# Makes a queue file that of a message which came so many seconds earlier.
AGED = """
import re, sys
def earlier(match):
    return match.group(1) + b"%d" % (int(match.group(2)) - int(sys.argv[2]))
with open(sys.argv[1], "r+b") as file:
    aged = re.sub(rb"(T.)(\\d{10})", earlier, file.read(), count=1)
    file.seek(0)
    file.write(aged)
"""


def test_mail_that_bounces_soon_is_found(sender: Sender) -> None:
    domain = f"aged.{int(time.time())}.example"
    sender.set(domain)
    sender.send(domain, 1)
    assert "first_bounce" not in sender.findings(domain)
    find = f"file=$(find /var/spool/postfix/deferred -type f -exec grep -lF '@{domain}' {{}} +)"
    # As if its 5 days were over in 8000 s; it is tried in 900 s, and every 4000 s from then on.
    sender.inside.shell(f"{find}; python3 -c '{AGED}' $file 424000; touch --date='15 minutes' $file")
    found = sender.findings(domain)["first_bounce"]
    estimated = sender.inside.estimate(domain)["to_first_bounce"]
    sender.inside.shell(f"{find}; postsuper -d $(basename $file)")
    assert (found["severity"], found["message"]) == (
        "warning",
        "the first queued message bounces in 3 h unless it is delivered before",
    )
    # With a queue run each 300 s, what is due in 4000 s is tried in 4200.
    assert estimated == pytest.approx(900 + 200 + 2 * 4200, abs=60)
