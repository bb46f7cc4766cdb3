# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A postmap that fails, that is killed, or that has something to say."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from faults import host
from faults.lists import in_both, in_neither, two_alike, two_lists

ROWS = 1_000
# Of so many, two are few enough for each type to be changed in a copy of the index.
ROWS_TO_COPY = 5_000
TRIES = 10
POSTMAP = "/usr/sbin/postmap"
# What stands in for postmap does what it says only where one of its arguments names the table, and not when types are
# tried. The real one is behind it.
FAILS_ONCE = """
case "$*" in *hash:*recipients|*btree:*recipients|*lmdb:*recipients|*cdb:*recipients)
    case " $* " in *" -s "*|*" -q "*) ;; *)
        if mkdir /srv/faults/failed 2>/dev/null; then
            echo "postmap: fatal: write database: Input/output error" >&2
            exit 1
        fi;;
    esac;;
esac
"""
WARNS = """
echo "postmap: warning: /etc/postfix/main.cf: unused parameter: fatal_error=yes" >&2
echo "postmap: warning: hash/btree support is deprecated. Please switch to cdb or lmdb." >&2
"""
# What does something else at the first change of an index, and so for each of the two ways to change one.
CHANGES_BADLY = """
case " $* " in *" {change} "*) if mkdir /srv/faults/failed 2>/dev/null; then {badly}; fi;; esac
"""
BADLY = (
    'echo "postmap: fatal: write database: Input/output error" >&2; exit 1',
    '@REAL@ "$@"; exit 1',
    "cat >/dev/null; exit 0",
    "kill -9 $$",
)
# What takes longer for it than a build would.
CHANGES_SLOWLY = """
case " $* " in *" -i "*) sleep 20;; esac
"""
# An administrator who adds an entry of his own, in place, after the index was looked at.
WRITES_MEANWHILE = """
case "$*" in *mxrelay-probe-*) if mkdir /srv/faults/failed 2>/dev/null; then
    echo "{key} x" | @REAL@ -i {table}
fi;; esac
"""
# A file of which a part can't be read.
LISTS_AND_FAILS = """
case " $* " in *" -s "*)
    @REAL@ "$@"
    echo "postmap: fatal: read database: Input/output error" >&2
    exit 1;;
esac
"""
# What remains where postmap's work was never written: a right exit code and an empty table.
LOSES_ROWS = """
case " $* " in *" -s "*|*" -q "*) ;; *"recipients ")
    for last in "$@"; do :; done
    path=${last#*:}
    cp "$path" "$path.whole" && : > "$path" && @REAL@ "$@" && mv "$path.whole" "$path"
    exit 0;;
esac
"""


@contextmanager
def postmap_with(script: str) -> Iterator[None]:
    """In this block the host's postmap does the script first."""
    real = f"{POSTMAP}.real"
    host.sh(f"rm -rf /srv/faults/failed && cp --preserve=all {POSTMAP} {real}")
    wrapper = "\n".join(["#!/bin/sh", script.replace("@REAL@", real), f'exec {real} "$@"', ""])
    try:
        host.sh(f"cat > {POSTMAP}.new && chmod 755 {POSTMAP}.new && mv {POSTMAP}.new {POSTMAP}", given=wrapper)
        yield
    finally:
        host.sh(f"mv {real} {POSTMAP}")


@pytest.mark.types(host.INDEXED, ("hash",))
def test_failing_killed_and_warning_postmap(kind: str, table_for: Callable[[str, str], host.Table]) -> None:
    table = table_for(kind, "postmap")
    old, new = two_lists("postmap", ROWS)
    table.apply(old)
    before = table.at_rest(old)
    with host.probed(table, in_both(ROWS), in_neither(ROWS)):
        with postmap_with(FAILS_ONCE):
            message = host.refused(host.ask("run", arguments=table.arguments(new)))
            assert message == (
                f"{table.path}: postmap failed: postmap: fatal: write database: Input/output error; "
                "the table is as it was"
            )
            assert table.look() == before
            table.converges(new)
        with postmap_with(LOSES_ROWS):
            before = table.look()
            message = host.refused(host.ask("run", arguments=table.arguments(old)))
            told = f"{table.path}: the index that postmap built does not match the source (0 rows read"
            assert message.startswith(told), message
            assert table.look() == before
        with postmap_with(LISTS_AND_FAILS):
            message = host.refused(host.ask("run", arguments=table.arguments(old)))
            told = f"{table.path}: the index that postmap built can't be read back; the table is as it was"
            assert message.startswith(told), message
        assert table.look() == before
        table.converges(old)
        with postmap_with(WARNS):
            assert table.converges(new)["changed"] is True
        order = {"arguments": table.arguments(old), "pattern": f" {kind}:{table.directory}/.mxrelay"}
        for _attempt in range(TRIES):
            before = table.look()
            ended = host.ask("kill_builder", **order)
            if ended["code"]:
                break
            # It had built the index before it was found.
            table.converges(new)
        assert "postmap failed: it ended with code -9; the table is as it was" in host.refused(ended)
        assert table.look() == before
        table.converges(old)


@pytest.mark.types(host.CHANGEABLE, ("hash",))
def test_copy_is_given_up_where_postmap_does_not_change_it(
    kind: str, table_for: Callable[[str, str], host.Table]
) -> None:
    """It fails, whatever it has done, does nothing, or is killed: the index is built, as each run wants it."""
    table = table_for(kind, "copy-postmap")
    old, new = two_alike("copy-postmap", ROWS_TO_COPY)
    table.apply(old)
    with host.probed(table, in_both(ROWS_TO_COPY), in_neither(ROWS_TO_COPY)):
        for change, badly in itertools.product(("-i", "-d"), BADLY):
            with postmap_with(CHANGES_BADLY.format(change=change, badly=badly)):
                assert table.apply(new)["changed"] is True
            assert table.at_rest(new)["copies"] == 0, (change, badly)
            old, new = new, old
            assert table.apply(new)["changed"] is True
            assert table.at_rest(new)["copies"] == 1, (change, badly)
            old, new = new, old


@pytest.mark.types(host.CHANGEABLE, host.CHANGEABLE)
def test_index_that_others_write_is_not_copied(kind: str, table_for: Callable[[str, str], host.Table]) -> None:
    """Before the run, or while it plans: their entry is not in the source, so no index made of theirs may go live."""
    table = table_for(kind, "copy-race")
    old, new = two_alike("copy-race", ROWS_TO_COPY)
    table.apply(old)
    theirs = host.address(3 * ROWS_TO_COPY)
    host.sh(f"echo '{theirs} x' | postmap -i {kind}:{table.path}")
    assert table.apply(new)["changed"] is True
    assert table.at_rest(new)["copies"] == 0
    with postmap_with(WRITES_MEANWHILE.format(key=theirs, table=f"{kind}:{table.path}")):
        assert table.apply(old)["changed"] is True
    assert table.at_rest(old)["copies"] == 0


@pytest.mark.types(host.CHANGEABLE, host.CHANGEABLE)
def test_index_whose_keys_have_another_form_is_not_copied(
    kind: str, table_for: Callable[[str, str], host.Table]
) -> None:
    """Keys without their final null, beside ours that have it: a daemon would find those of one form alone."""
    table = table_for(kind, "copy-form")
    old, new = two_alike("copy-form", ROWS_TO_COPY)
    table.apply(old)
    host.sh(f"postmap -n {kind}:{table.path} && postfix reload 2>/dev/null")
    with host.probed(table, in_both(ROWS_TO_COPY), in_neither(ROWS_TO_COPY)):
        assert table.apply(new)["changed"] is True
        assert table.at_rest(new)["copies"] == 0


@pytest.mark.types(host.CHANGEABLE, ("lmdb",))
def test_copy_is_given_up_where_postmap_takes_long_to_change_it(
    kind: str, table_for: Callable[[str, str], host.Table]
) -> None:
    table = table_for(kind, "copy-slow")
    old, new = two_alike("copy-slow", ROWS_TO_COPY)
    table.apply(old)
    with postmap_with(CHANGES_SLOWLY):
        assert table.apply(new)["changed"] is True
    assert table.at_rest(new)["copies"] == 0
