# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tables in directories that can't be written, behind symbolic links, of other users, among leftovers."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from faults import host
from faults.lists import in_both, in_neither, two_lists

ROWS = 1_000
LEFT = ".mxrelay-table-dead1234"


@pytest.mark.types(host.SUFFIXES, ("hash", "texthash"))
def test_read_only_directory(kind: str, table_for: Callable[[str, str], host.Table]) -> None:
    table = table_for(kind, "readonly")
    old, new = two_lists("readonly", ROWS)
    table.apply(old)
    with host.probed(table, in_both(ROWS), in_neither(ROWS)):
        host.sh(f"mount -o remount,ro {table.directory}")
        try:
            before = table.at_rest(old)
            assert table.apply(old)["changed"] is False
            for more in ({"_ansible_check_mode": True}, {}):
                message = host.refused(host.ask("run", arguments=table.arguments(new, **more)))
                assert message == (
                    f"{table.path}: can't be changed: {table.directory} is on a file system that is read-only; "
                    "mount its file system for writing"
                )
            assert table.look() == before
        finally:
            host.sh(f"mount -o remount,rw {table.directory}")
        table.converges(new)


@pytest.mark.types(host.SUFFIXES, ("hash", "texthash"))
def test_symlinked_table(kind: str, table_for: Callable[[str, str], host.Table]) -> None:
    """Source and index are links to another directory; they stay links, and what they name is replaced."""
    table = table_for(kind, "symlink")
    old, new = two_lists("symlink", ROWS)
    behind = f"{table.directory}/behind"
    table.apply(old)
    names = [name for name in table.files if not name.startswith(".")]
    host.sh(
        f"mkdir {behind} && cd {table.directory} && for name in {' '.join(names)}; do"
        ' mv "$name" behind/ && ln -s "behind/$name" "$name"; done && postfix reload 2>/dev/null'
    )
    with host.probed(table, in_both(ROWS), in_neither(ROWS)):
        for wanted in (new, old, new):
            assert table.apply(wanted)["changed"] is True
            assert table.apply(wanted)["changed"] is False
            seen = table.look()
            assert (seen["live"], seen["source"]) == (wanted.digest, wanted.digest)
            assert sorted(seen["files"]) == sorted([*table.files, "behind"])
            assert [seen["files"][name][0][0] for name in names] == ["l"] * len(names)
            assert sorted(host.sh(f"ls -A {behind}").split()) == sorted(names)
        last = len(names)
        ended = host.ask("kill_at_call", arguments=table.arguments(old), call="rename", number=last)
        assert ended["code"] == -9
        table.apply(old)
        assert sorted(host.sh(f"ls -A {behind}").split()) == sorted(names)
        assert sorted(table.look()["files"]) == sorted([*table.files, "behind"])


@pytest.mark.types(host.SUFFIXES, ("cdb", "lmdb"))
def test_table_of_another_user(kind: str, table_for: Callable[[str, str], host.Table]) -> None:
    """postmap started by root becomes the owner of the source, who can't write to root's directory."""
    table = table_for(kind, "owner")
    old, new = two_lists("owner", ROWS)
    table.apply(old)
    names = [name for name in table.files if not name.startswith(".")]
    host.sh(f"cd {table.directory} && chown nobody:postfix {' '.join(names)} && chmod 0460 {' '.join(names)}")
    before = table.at_rest(old)
    with host.probed(table, in_both(ROWS), in_neither(ROWS)):
        table.converges(new)
    after = table.look()
    for name in names:
        assert after["files"][name][:3] == before["files"][name][:3]
        assert after["files"][name][3] != before["files"][name][3]
        assert after["files"][name][4] == 1
    assert before["files"]["recipients"][0] == "-r--rw----"


@pytest.mark.types(host.SUFFIXES, ("cdb", "texthash"))
def test_user_who_can_write_to_the_directory_cannot_make_root_change_other_files(
    kind: str, table_for: Callable[[str, str], host.Table]
) -> None:
    """He puts links in the place of scratch directories while root works, and one in the place of the table before."""
    table = table_for(kind, "theirs")
    old, new = two_lists("theirs", ROWS)
    table.apply(old)
    secret = f"/srv/faults/secret-{kind}"
    names = [name for name in table.files if not name.startswith(".")]
    user = int(host.sh("id -u nobody"))
    host.sh(
        f"mkdir {secret} && cd {secret} && touch recipients.source recipients.record {' '.join(names)} && chmod 0600 *"
        f" && chown nobody {table.directory}"
    )
    before = host.sh(f"stat -c '%n %U %a %s %Z' {secret}/*"), table.look()
    try:
        given = table.arguments(new, owner="nobody")
        for arguments in (given, {**given, "_ansible_check_mode": True}):
            message = host.refused(host.ask("run_swapped", arguments=arguments, secret=secret, user=user))
            assert message.startswith(f"{table.path}: {table.directory} belongs to nobody, who could make root change")
            assert (host.sh(f"stat -c '%n %U %a %s %Z' {secret}/*"), table.look()) == before
        host.sh(f"cd {table.directory} && for name in {' '.join(names)}; do ln -sfn {secret}/$name $name; done")
        host.refused(host.ask("run", arguments=given))
        assert host.sh(f"stat -c '%n %U %a %s %Z' {secret}/*") == before[0]
    finally:
        host.sh(f"rm -f {table.directory}/recipients* && chown root {table.directory}")
    table.converges(new)
    # A lock that he holds on what he can read keeps nobody waiting.
    holding = "import fcntl, os, sys, time; fcntl.flock(os.open(sys.argv[1], 0), fcntl.LOCK_EX); time.sleep(100)"
    holder = host.sh(
        f"setpriv --reuid={user} --clear-groups python3 -c '{holding}' {table.directory} >/dev/null 2>&1 & echo $!;"
        f" while flock --nonblock {table.directory} true; do :; done"
    )
    assert table.apply(old)["changed"] is True
    host.sh(f"kill {holder}")


@pytest.mark.types(host.SUFFIXES, ("btree", "cdb"))
def test_leftovers_of_killed_runs(kind: str, table_for: Callable[[str, str], host.Table]) -> None:
    """What killed runs left goes with the next run, even one that has nothing else to do; what others left stays."""
    table = table_for(kind, "leftovers")
    old, new = two_lists("leftovers", ROWS)
    table.apply(old)
    others = ["recipients.cdb.tmp", "__db.recipients", ".mxrelay-table-file", ".mxrelay-table-link", "precious"]
    host.sh(
        f"cd {table.directory} && mkdir -p precious && touch precious/file && ln -s precious .mxrelay-table-link"
        " && echo other > recipients.cdb.tmp && echo other > __db.recipients && echo other > .mxrelay-table-file"
    )
    with host.probed(table, in_both(ROWS), in_neither(ROWS)):
        for wanted in (old, new):
            host.sh(f"cd {table.directory} && mkdir -m 700 {LEFT} && cp recipients {LEFT}/ && echo x > {LEFT}/x")
            assert table.apply(wanted)["changed"] is True
            assert table.apply(wanted)["changed"] is False
            seen = table.look()
            assert (seen["live"], seen["source"]) == (wanted.digest, wanted.digest)
            assert sorted(seen["files"]) == sorted([*table.files, *others])
        assert host.sh(f"ls {table.directory}/precious").split() == ["file"]
        # Two killed runs, one on the leftovers of the other.
        for number in (2, 1):
            ended = host.ask("kill_at_call", arguments=table.arguments(old), call="rename", number=number)
            assert ended["code"] in (-9, 0)
        table.apply(old)
        seen = table.look()
        assert (seen["live"], seen["source"]) == (old.digest, old.digest)
        assert sorted(seen["files"]) == sorted([*table.files, *others])
