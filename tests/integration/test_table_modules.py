# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The table modules on a real Postfix: check mode, apply, again, absent, and errors that need a host to be seen."""

from __future__ import annotations

from typing import Any

import pytest

from integration.host import Host, succeeded

CASES = {
    "relay_recipients": (
        {"recipients": ["a@x.example", "b@x.example"]},
        {"recipients": ["a@x.example", "b@x.example"], "state": "absent"},
        {"a@x.example": "x\n", "b@x.example": "x\n"},
    ),
    "transport": (
        {"entries": [{"pattern": "x.example", "nexthop": "mail.x.example", "port": 2525}]},
        {"entries": [{"pattern": "x.example"}], "state": "absent"},
        {"x.example": "relay:[mail.x.example]:2525\n"},
    ),
    "lookup_table": (
        {"path": "/etc/postfix/access", "entries": [{"key": "x.example", "value": "REJECT no"}]},
        {"path": "/etc/postfix/access", "entries": [{"key": "x.example"}], "state": "absent"},
        {"x.example": "REJECT no\n"},
    ),
}


@pytest.mark.parametrize(
    ("module", "type_"),
    [
        *(("relay_recipients", type_) for type_ in ("hash", "btree", "lmdb", "cdb", "texthash")),
        *(("transport", type_) for type_ in ("hash", "lmdb")),
        *(("lookup_table", type_) for type_ in ("hash", "lmdb")),
    ],
)
def test_check_apply_again_absent(host: Host, module: str, type_: str) -> None:
    present, absent, rows = CASES[module]
    path = f"/etc/postfix/{module}"
    present, absent = ({**arguments, "path": path, "type": type_} for arguments in (present, absent))
    before = host.state()
    checked = succeeded(host.run(module, present, check=True))
    assert checked["changed"] is True
    assert host.state() == before
    applied = succeeded(host.run(module, present))
    assert (applied["changed"], applied["reference"], applied["total"]) == (True, f"{type_}:{path}", len(rows))
    for key, value in rows.items():
        assert host.on("postmap", "-q", key, applied["reference"]) == value
    after = host.state()
    assert succeeded(host.run(module, present))["changed"] is False
    assert host.state() == after
    gone = succeeded(host.run(module, absent))
    assert (gone["changed"], gone["total"]) == (True, 0)
    assert succeeded(host.run(module, absent))["changed"] is False


@pytest.mark.parametrize(
    ("module", "arguments", "message"),
    [
        ("relay_recipients", {"recipients": ["bob smith@x.example"]}, "contains white space; quote the local part"),
        ("relay_recipients", {"domains": [{"name": "x.example", "recipients": []}]}, "state: absent"),
        ("relay_recipients", {"recipients": ["a@x.example"], "type": "hush"}, "hush"),
        ("relay_recipients", {"recipients": ["a@x.example"], "owner": "nobody_at_all"}, "is not a user of this host"),
        ("relay_recipients", {"recipients": ["a@x.example"], "path": "/nowhere/table"}, "/nowhere"),
        ("transport", {"entries": [{"pattern": "x.example", "nexthop": "a b"}]}, "a b"),
        ("lookup_table", {"path": "/etc/postfix/main.cf", "entries": [{"key": "a", "value": "b"}]}, "main.cf"),
        (
            "lookup_table",
            {"path": "/etc/postfix/x", "type": "regexp", "entries": [{"key": "/(/", "value": "b"}]},
            "pattern",
        ),
    ],
)  # fmt: skip
def test_error_leaves_everything_as_it_was(host: Host, module: str, arguments: dict[str, Any], message: str) -> None:
    before = host.state()
    for check in (True, False):
        result = host.run(module, arguments, check)
        assert result["failed"] is True, result
        assert message in result["msg"]
    assert host.state() == before


def test_bytes_that_are_not_utf_8_are_kept_and_told_by_their_number(host: Host) -> None:
    path = "/etc/postfix/odd"
    host.shell(f"printf '# caf\\351\\nodd\\351@y.example x\\n' > {path} && postmap hash:{path}")
    arguments = {"recipients": ["a@x.example"], "path": path, "type": "hash"}
    for check in (True, False):
        result = succeeded(host.run("relay_recipients", arguments, check))
        assert (result["changed"], result["added"]) == (True, 1)
    written = host.shell(f"printf '# caf\\351\\nodd\\351@y.example x\\na@x.example x\\n' | cmp - {path} && echo same")
    assert written == "same\n"
    purged = {**arguments, "purge": True, "show_recipients": True}
    host.shell("postconf -e smtputf8_enable=no && touch -d '1 minute ago' /etc/postfix/main.cf")
    assert succeeded(host.run("relay_recipients", purged))["removed_recipients"] == ["odd\\xe9@y.example"]


@pytest.mark.parametrize("kind", ["fifo", "device", "huge"])
def test_what_is_no_list_and_no_table_is_refused_at_once(host: Host, kind: str) -> None:
    made = {"fifo": "mkfifo {0}", "device": "ln -s /dev/zero {0}", "huge": "truncate -s 10T {0}"}[kind]
    told = "is longer than 268435456 bytes" if kind == "huge" else f"is a {kind}, not a regular file; correct the path"
    path = "/etc/postfix/odd"
    host.shell(made.format(path))
    for arguments in ({"recipients": ["a@x.example"], "path": path}, {"recipients_file": [path], "remote_src": True}):
        result = host.run("relay_recipients", {"type": "hash", **arguments})
        assert result["failed"] is True
        assert f"{path}: {told}" in result["msg"]


def test_info_tells_what_there_is(host: Host) -> None:
    succeeded(host.run("relay_recipients", {"recipients": ["a@x.example"], "path": "/etc/postfix/r", "type": "hash"}))
    succeeded(host.run("main_cf", {"parameters": {"relay_recipient_maps": "hash:/etc/postfix/r"}}))
    info = succeeded(host.run("postfix_info", {}))
    assert (info["changed"], info["installed"]) == (False, True)
    assert info["version"] == host.on("postconf", "-h", "mail_version").strip()
    assert info["explicit_parameters"]["relay_recipient_maps"] == "hash:/etc/postfix/r"
    [table] = [found for found in info["tables"] if found["path"] == "/etc/postfix/r"]
    assert (table["reference"], table["entries"]) == ("hash:/etc/postfix/r", 1)
