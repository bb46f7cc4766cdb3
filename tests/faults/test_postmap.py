# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A postmap that fails, that is killed, or that has something to say."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from faults import host
from faults.lists import in_both, in_neither, two_lists

ROWS = 1_000
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


@pytest.mark.types(host.INDEXED, ("hash", "lmdb"))
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
