# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Lists the keys of lookup tables, of every type that can be listed. A table is what Postfix has, not its source."""

from __future__ import annotations

import glob
import grp
import pwd

from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.mx.reading import odd_file
from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.tables.index import NO_LISTING, cdb_records
from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.tables.types import last_words
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.configuration.match_lists import without_proxy
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.errors import NoAnswer
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.contents import spoken_by_name
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.sources.postfix_lists import (
    ListedTable,
    unlisted_users,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.tables.table import Table, encode
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.tables.types import KEYED_TYPES, UNSAFE_TYPES
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.files import read_file
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.postfix import Postfix

NAME_SERVICES = "/etc/nsswitch.conf"
# Services that many hosts name and few use, with the files that they have nothing to say without.
SERVICE_FILES = {"sss": ("/etc/sssd/sssd.conf", "/etc/sssd/conf.d/*.conf")}
_LISTABLE = (*KEYED_TYPES, *UNSAFE_TYPES, "inline")


class TableLister:
    """Lists tables, each once. postmap that has not listed one after `seconds` is killed."""

    def __init__(self, postfix: Postfix, seconds: float) -> None:
        self._postfix = postfix
        self._seconds = seconds
        self._listed: dict[str, ListedTable] = {}

    def table(self, name: str) -> ListedTable:
        """The table that main.cf names so."""
        plain = without_proxy(name)
        if plain not in self._listed:
            self._listed[plain] = self._list(plain)
        return self._listed[plain]._replace(name=name)

    def _list(self, name: str) -> ListedTable:
        kind, _colon, path = name.partition(":")
        if spoken_by_name(name):
            return ListedTable(name, every=True)
        if kind == "unix":
            return (
                _users(name)
                if path == "passwd.byname"
                else ListedTable(name, [group.gr_name for group in grp.getgrall()])
            )
        if kind not in _LISTABLE:
            return ListedTable(name, problem="whose type can't be listed")
        return self._dumped(name)

    def _dumped(self, name: str) -> ListedTable:
        problem = odd_file(name)
        if problem:
            return ListedTable(name, problem=f"which can't be listed ({problem})")
        text = bytearray()
        result = self._postfix.dump_to(name, text.extend, self._seconds)
        if result.rc == 0:
            return ListedTable(name, _keys(bytes(text)))
        if NO_LISTING in result.err:
            return self._asked(name)
        reason = last_words(result.err) or f"postmap has not ended after {self._seconds:g} s"
        return ListedTable(name, problem=f"which can't be listed ({reason})")

    def _asked(self, name: str) -> ListedTable:
        """A cdb table where postmap can't list it: asked for the keys of its source, which may not be all it has."""
        path = name.partition(":")[2]
        source = Table.parse(read_file(path) or b"").mapping(True)
        try:
            answer = self._postfix.ask(name, encode("".join(f"{key}\n" for key in source)))
            whole = cdb_records(f"{path}.cdb") == len(source)
        except (NoAnswer, OSError, ValueError):
            whole = False
        if not whole:
            return ListedTable(name, problem="which can't be listed, and has other entries than its source")
        return ListedTable(name, _keys(encode(answer.out)))


def _keys(text: bytes) -> list[str]:
    """The keys that postmap told; those that no lookup finds, since they are not in lower case, are left out."""
    decoded = text.decode("utf-8", "surrogateescape")
    keys = [line.partition("\t")[0] for line in decoded.split("\n")]
    return [key for key in keys if key and (key == key.lower() or not key.isascii())]


def _users(name: str) -> ListedTable:
    unused = [service for service, paths in SERVICE_FILES.items() if not any(map(glob.glob, paths))]
    services = unlisted_users((read_file(NAME_SERVICES) or b"").decode("utf-8", "replace"), unused)
    problem = f"whose users of {' and '.join(services)} can't be listed" if services else ""
    users = [user.pw_name for user in pwd.getpwall()]
    return ListedTable(name, [user for user in users if user == user.lower()], problem=problem)
