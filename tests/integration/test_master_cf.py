# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module master_cf on a real Postfix: check mode, apply, again, absent, and every error."""

from __future__ import annotations

from typing import Any

import pytest

from integration.host import Host, succeeded

MASTER_CF = "/etc/postfix/master.cf"


def master_cf(host: Host, *services: dict[str, Any], check: bool = False, **arguments: Any) -> dict[str, Any]:
    return host.run("master_cf", {"services": list(services), **arguments}, check)


def test_check_apply_again_absent(host: Host) -> None:
    services = (
        {"name": "relay", "type": "unix", "overrides": {"smtp_fallback_relay": "", "smtp_helo_timeout": "10s"}},
        {"name": "127.0.0.1:10025", "type": "inet", "command": "smtpd", "chroot": False, "overrides": {
            "smtpd_relay_restrictions": ["permit_mynetworks", "reject"]}},
    )  # fmt: skip
    pristine, before = host.text(MASTER_CF), host.state()
    checked = succeeded(master_cf(host, *services, check=True))
    assert host.state() == before
    applied = succeeded(master_cf(host, *services))
    assert (checked["changed"], checked["diff"], checked["changed_services"]) == (
        True, applied["diff"], applied["changed_services"],
    )  # fmt: skip
    assert host.on("postconf", "-P", "relay/unix/smtp_fallback_relay", "relay/unix/smtp_helo_timeout") == (
        "relay/unix/smtp_fallback_relay =\nrelay/unix/smtp_helo_timeout = 10s\n"
    )
    assert host.on("postconf", "-P", "127.0.0.1:10025/inet") == (
        "127.0.0.1:10025/inet/smtpd_relay_restrictions = permit_mynetworks, reject\n"
    )
    assert "relay/unix/syslog_name" in host.on("postconf", "-P")
    after = host.state()
    assert succeeded(master_cf(host, *services))["changed"] is False
    assert host.state() == after
    gone = (
        {"name": "relay", "type": "unix", "overrides": {"smtp_fallback_relay": None, "smtp_helo_timeout": None}},
        {"name": "127.0.0.1:10025", "type": "inet", "state": "absent"},
    )
    assert succeeded(master_cf(host, *gone))["changed"] is True
    assert host.text(MASTER_CF) == pristine
    assert succeeded(master_cf(host, *gone))["changed"] is False


@pytest.mark.parametrize(("level", "meaning"), [("0", True), ("2", False)])
def test_chroot_that_the_default_means_already_is_no_change(host: Host, level: str, meaning: bool) -> None:
    host.on("postconf", f"compatibility_level={level}")
    host.on("postconf", "-F", "relay/unix/chroot=-")
    host.on("touch", "-d", "1 minute ago", "/etc/postfix/main.cf")
    relay = {"name": "relay", "type": "unix"}
    assert succeeded(master_cf(host, {**relay, "chroot": meaning}))["changed"] is False
    assert host.on("postconf", "-F", "relay/unix/chroot") == "relay/unix/chroot = -\n"
    assert succeeded(master_cf(host, {**relay, "chroot": not meaning}))["changed"] is True
    assert host.on("postconf", "-F", "relay/unix/chroot") == f"relay/unix/chroot = {'ny'[not meaning]}\n"


@pytest.mark.parametrize(
    "fields",
    [{"private": True}, {"unprivileged": True}, {"wakeup": "0"}, {"process_limit": "-"}],
)
def test_field_that_the_default_means_already_is_no_change(host: Host, fields: dict[str, Any]) -> None:
    host.on("postconf", "-M", "relay/unix=relay unix - - - - - smtp")
    assert succeeded(master_cf(host, {"name": "relay", "type": "unix", **fields}))["changed"] is False


def test_continuation_lines_comments_and_braces_stay(host: Host) -> None:
    entry = (
        "x unix - n n - 5 pipe -v\n# why\n    -o { a = b  c }\n\n  -oflags_are=d\n"
        "    user=nobody argv=/bin/cat ${sender}\n"
    )
    host.shell(f"cat >> {MASTER_CF}", given=entry)
    before = host.text(MASTER_CF)
    x = {"name": "x", "type": "unix"}
    succeeded(master_cf(host, {**x, "process_limit": "7", "overrides": {"flags_are": "e f"}}))
    assert host.text(MASTER_CF) == before.replace(
        "- 5 pipe", "- 7 pipe").replace("-oflags_are=d", "-o{ flags_are = e f }")  # fmt: skip
    assert host.on("postconf", "-P", "x/unix/flags_are") == "x/unix/flags_are = e f\n"
    succeeded(master_cf(host, {**x, "process_limit": "5", "overrides": {"flags_are": "d"}}))
    assert host.text(MASTER_CF) == before


@pytest.mark.parametrize(
    ("service", "message"),
    [
        ({"name": "a b", "type": "unix", "command": "x"}, "is not a service name"),
        ({"name": "new", "type": "unix"}, "command is missing"),
        ({"name": "new", "type": "unix", "command": "x -o a=b"}, "put overrides in the option overrides"),
        ({"name": "new", "type": "unix", "command": "-v"}, "is not a program"),
        ({"name": "smtp", "type": "inet", "private": True}, "can't be private"),
        ({"name": "relay", "type": "unix", "wakeup": "soon"}, "is not a number of seconds"),
        ({"name": "relay", "type": "unix", "process_limit": "many"}, "is not a number"),
        ({"name": "relay", "type": "unix", "overrides": {"a b": "c"}}, "is not a parameter name"),
        ({"name": "relay", "type": "unix", "overrides": {"a": "b\nc"}}, "contains a line break"),
        ({"name": "relay", "type": "unix", "overrides": {"a": "{"}}, "the braces"),
        ({"name": "relay", "type": "unix", "overrides": {"smtp_helo_timeout": "soon"}}, "is not a time"),
        (
            {"name": "smtp", "type": "inet", "overrides": {"smtpd_client_restrictions": "rejekt"}},
            'did you mean "reject"?',
        ),
        (
            {"name": "relay", "type": "unix", "overrides": {"transport_maps": "hush:/x"}},
            'no lookup tables of type "hush"',
        ),
    ],
)  # fmt: skip
def test_error_leaves_everything_as_it_was(host: Host, service: dict[str, Any], message: str) -> None:
    before = host.state()
    for check in (True, False):
        result = master_cf(host, service, check=check)
        assert result["failed"] is True, result
        assert message in result["msg"]
    assert host.state() == before


def test_service_named_twice_is_refused(host: Host) -> None:
    relay = {"name": "relay", "type": "unix", "chroot": False}
    assert "make them one" in master_cf(host, relay, relay)["msg"]


def test_malformed_file_is_reported_with_its_line_and_left_alone(host: Host) -> None:
    host.shell(f"echo 'smtp inet n' >> {MASTER_CF}")
    before = host.state()
    number = len(host.text(MASTER_CF).splitlines())
    result = master_cf(host, {"name": "relay", "type": "unix", "chroot": False})
    assert f"{MASTER_CF}, line {number}: " in result["msg"]
    assert host.state() == before
