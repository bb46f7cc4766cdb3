# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which types of local tables there are, which of them work on this host, and what file their index is in."""

from __future__ import annotations

import os
import re

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.errors import HostError, InvalidInput
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.tables.pattern_table import PATTERN_TYPES
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.tables.types import INDEXED_TYPES, UNSAFE_TYPES
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.files import write_new_file
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.os_release import family_of_host
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.postfix import Postfix
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.scratch import scratch_directory

_LONGEST_WORDS = 400
INDEX_SUFFIXES = {"hash": ".db", "btree": ".db", "lmdb": ".lmdb", "cdb": ".cdb"}
UNSAFE_SUFFIXES = (".dir", ".pag")
# Types that daemons may keep a cache in, and that are no files of this host.
_CACHES_ELSEWHERE = ("memcache",)
SOURCE_TYPES = ("texthash", *PATTERN_TYPES)
_LONG_AGO = 86400
_LINE = re.compile(r"line \d+")


def check_type(table_type: str, allowed: tuple[str, ...], place: str) -> None:
    """Raises InvalidInput if tables of this type are not ours to write."""
    if table_type in allowed:
        return
    if table_type in UNSAFE_TYPES:
        raise InvalidInput(
            f'"{table_type}" ({place}) keeps its index in two files, which can\'t be replaced in one step; '
            f"give the option type, one of {', '.join(INDEXED_TYPES)}, and name that table in main.cf instead"
        )
    if table_type == "inline":
        raise InvalidInput(
            f'"inline" ({place}) keeps its entries in main.cf itself; edit that parameter with '
            "mxrelay.postfix.main_cf, or use a table of type texthash"
        )
    raise InvalidInput(
        f'"{table_type}" ({place}) is not a type of local table that can be edited here; '
        f"use one of {', '.join(allowed)}"
    )


def index_suffix(postfix: Postfix, table_type: str, redirected: bool) -> str:
    """What postmap appends to the path; empty for a type without index.

    Where Postfix 3.11 redirects Berkeley DB types to another one, only a build shows it. Raises HostError.
    """
    if table_type not in INDEX_SUFFIXES:
        return ""
    if redirected and INDEX_SUFFIXES[table_type] == ".db":
        return probe_type(postfix, table_type)
    return INDEX_SUFFIXES[table_type]


def probe_type(postfix: Postfix, table_type: str) -> str:
    """Builds and queries a scratch table; returns the suffix of the index that appeared.

    `postconf -m` also lists types that can't be used. Raises HostError if the type does not work.
    """
    with scratch_directory() as directory:
        source = os.path.join(directory, "probe")
        write_new_file(source, _probe_text(table_type))
        # Postfix waits for two seconds before it believes a text file as young as this one would be.
        os.utime(source, (_LONG_AGO, _LONG_AGO))
        if table_type in INDEX_SUFFIXES:
            result = postfix.build(f"{table_type}:{source}")
            if result.rc != 0:
                raise _failed(postfix, table_type, result.err)
        found = postfix.run("postmap", "-q", "192.0.2.1", f"{table_type}:{source}")
        if found.rc != 0 or found.out.strip() != "found":
            raise _failed(postfix, table_type, found.err)
        suffixes = [name[len("probe") :] for name in os.listdir(directory) if name != "probe"]
        return suffixes[0] if len(suffixes) == 1 else ""


def cache_problem(postfix: Postfix, table_type: str) -> str:
    """Why no daemon can keep what it learns in a table of this type, "" if it can: a scratch table gets an entry.

    Of a type whose tables are elsewhere only whether Postfix has it can be told.
    """
    if table_type in _CACHES_ELSEWHERE:
        listed = postfix.check("postconf", "-m").split()
        return "" if table_type in listed else f"unsupported dictionary type: {table_type}"
    with scratch_directory() as directory:
        table = f"{table_type}:{os.path.join(directory, 'probe')}"
        result = postfix.run("postmap", "-i", table, data=b"192.0.2.1 found\n")
        found = postfix.run("postmap", "-q", "192.0.2.1", table) if result.rc == 0 else result
    if found.rc == 0 and found.out.strip() == "found":
        return ""
    return last_words(found.err).partition("fatal: ")[2] or "it keeps no entry"


def _probe_text(table_type: str) -> bytes:
    return b"/^192\\.0\\.2\\.1$/ found\n" if table_type in ("regexp", "pcre") else b"192.0.2.1 found\n"


def pattern_problems(postfix: Postfix, table_type: str, path: str, content: bytes) -> list[str]:
    """What Postfix warns of in a source of patterns with this content, `path` being where it is or is to be.

    Postfix only warns, and then never matches the pattern. Raises InvalidInput if it can't read the source at all.
    """
    with scratch_directory() as directory:
        source = os.path.join(directory, "patterns")
        write_new_file(source, content)
        result = postfix.run("postmap", "-q", "192.0.2.1", f"{table_type}:{source}")
    lines = [line.replace(source, path) for line in result.err.split("\n") if line]
    if result.rc not in (0, 1) or any("fatal" in line for line in lines):
        text = "; ".join(lines) or f"postmap ended with {result.rc}"
        raise InvalidInput(f"{path}: Postfix can't read it ({text}); correct it. Nothing was changed")
    return [line.partition("warning: ")[2] for line in lines if "warning: " in line and "192.0.2.1" not in line]


def refuse_new_problems(path: str, before: list[str], after: list[str]) -> None:
    """Raises InvalidInput if `after` has a problem that `before` has not; line numbers don't count."""
    known = [_LINE.sub("", problem) for problem in before]
    for problem in after:
        text = _LINE.sub("", problem)
        if text not in known:
            raise InvalidInput(f"{path}: Postfix would reject a pattern ({problem}); correct it. Nothing was changed")
        known.remove(text)


def last_words(said: str) -> str:
    """The last line by which a command tells what is wrong; Berkeley DB prints thousands before, one a page."""
    lines = [line for line in said.strip().split("\n") if "fatal" in line or "error" in line]
    return lines[-1][:_LONGEST_WORDS] if lines else ""


def _failed(postfix: Postfix, table_type: str, problem: str) -> HostError:
    """The error for a probe that failed: no program of Postfix runs with a main.cf that it can't read."""
    found = postfix.run("postmap", "-q", "x", "static:found")
    if found.out.strip() == "found":
        return unusable(table_type, problem)
    return HostError(
        f"no program of Postfix runs with this main.cf ({last_words(problem)}); correct it there, where a comment "
        "needs a line of its own; nothing was changed"
    )


def unusable(table_type: str, problem: str) -> HostError:
    """The error for a type that this host's Postfix can't build or read."""
    package = family_of_host().types.get(table_type, "")
    remedy = f"install the package {package}, or use another type" if package else "use another type"
    words = last_words(problem)
    detail = f" ({words})" if words else ""
    return HostError(f"tables of type {table_type} don't work on this host{detail}; {remedy}; nothing was changed")


def working_types(postfix: Postfix) -> list[str]:
    """The types that work here, probed, in the order hash, btree, lmdb, cdb, texthash, regexp, pcre, cidr.

    Only what `postconf -m` lists is probed. Raises HostError if Postfix is missing.
    """
    listed = set(postfix.check("postconf", "-m").split())
    working = []
    for table_type in (*INDEXED_TYPES, *SOURCE_TYPES):
        if table_type not in listed:
            continue
        try:
            probe_type(postfix, table_type)
        except HostError:
            continue
        working.append(table_type)
    return working
