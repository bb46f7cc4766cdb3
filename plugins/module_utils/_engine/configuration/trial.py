# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Trying a configuration before it goes live: in a scratch directory, with Postfix's own commands.

`postfix check` makes directories in the queue directory and sets their owners, so it is run only on a copy whose
queue and data are in the scratch directory too, and never in check mode.
"""

from __future__ import annotations

import os
import pwd
import re
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.tables.types import probe_type
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.errors import HostError, Refused
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.tables.types import INDEXED_TYPES
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.commands import Result
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.files import read_file, write_new_file
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.postfix import Postfix
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.scratch import scratch_directory

FILES = ("main.cf", "master.cf")
# What Postfix looks for beside main.cf, of one release or another.
_COMPANIONS = (
    "dynamicmaps.cf",
    "dynamicmaps.cf.d",
    "post-install",
    "postfix-files",
    "postfix-files.d",
    "postfix-script",
)
_WARNING = re.compile(r"warning: (?P<text>.*(?:unused|undefined) parameter.*)")
_TROUBLE = re.compile(r"(?:fatal|panic|error): (?P<text>.*)")
# Commands wait until a main.cf is two seconds old, in case it is being written.
_OLD_ENOUGH = 60


@dataclass(frozen=True)
class Staged:
    """The file to be tried: its place, its text before and after, and table types that it has not named so far."""

    path: str
    before: str
    after: str
    table_types: Sequence[str] = field(default_factory=tuple)


def stage(postfix: Postfix, file: Staged, live: bool) -> list[str]:
    """Warnings of Postfix's commands about the configuration with `file` as it is to be.

    `live`: whether `postfix check` is asked too. Raises Refused if one of them does not accept it; if none would
    have accepted the file as it is now either, that is a warning, since the change may be the first part of a repair.
    Raises HostError for a table type that does not work here. Whatever is raised, nothing was changed.
    """
    with scratch_directory() as scratch:
        trial = _Trial(postfix, os.path.join(scratch, "new"), file.path)
        refusal = trial.run(file.after, live)
        _check_types(trial.postfix, file.table_types)
        if not refusal:
            return trial.warnings
        earlier = _Trial(postfix, os.path.join(scratch, "old"), file.path).run(file.before, live)
    if _without_numbers(earlier) != _without_numbers(refusal):
        raise Refused(f"{file.path}: Postfix does not accept the outcome: {refusal}; nothing was changed")
    return [*trial.warnings, f"{file.path}: Postfix did not accept the configuration before the change: {earlier}"]


class _Trial:
    """A copy of the configuration in `directory`, with another text for the file at `path`."""

    def __init__(self, postfix: Postfix, directory: str, path: str) -> None:
        self._live = postfix
        self._directory = directory
        self._path = path
        self._configuration = os.path.join(directory, "configuration")
        self.postfix = Postfix(postfix.commands, self._configuration)
        self.warnings: list[str] = []

    def run(self, text: str, live: bool) -> str:
        """Why the commands do not accept the text; "" if they do, and `warnings` is what else they say."""
        texts = {name: self._text(name, text) for name in FILES}
        os.makedirs(self._configuration, 0o700)
        for name in _COMPANIONS:
            source = os.path.join(self._live.config_directory, name)
            if os.path.lexists(source):
                os.symlink(source, os.path.join(self._configuration, name))
        for name in FILES:
            self._write(name, texts[name])
        shown = self.postfix.run("postconf", "-n")
        self.warnings = [self._named(found.group("text")) for found in _WARNING.finditer(shown.err)]
        if shown.rc != 0:
            return self._trouble("postconf -n", shown)
        if self.postfix.has("master_cf_listing"):
            listed = self.postfix.run("postconf", "-M")
            if listed.rc != 0:
                return self._trouble("postconf -M", listed)
        return self._check(texts["main.cf"]) if live else ""

    def _text(self, name: str, text: str) -> bytes:
        if name == os.path.basename(self._path):
            return text.encode("utf-8", "surrogateescape")
        return read_file(os.path.join(self._live.config_directory, name)) or b""

    def _write(self, name: str, content: bytes) -> None:
        path = os.path.join(self._configuration, name)
        if os.path.exists(path):
            os.unlink(path)
        write_new_file(path, content)
        os.utime(path, (time.time() - _OLD_ENOUGH,) * 2)

    def _check(self, main_cf: bytes) -> str:
        """`postfix check`, with a queue and data of the scratch directory's own."""
        own = {name: os.path.join(self._directory, name) for name in ("queue_directory", "data_directory")}
        for path in own.values():
            os.mkdir(path, 0o755)
        _give(own["data_directory"], self.postfix.parameters(["mail_owner"]).get("mail_owner", ""))
        lines = "".join(f"{name} = {path}\n" for name, path in own.items())
        self._write("main.cf", main_cf + b"\n" + lines.encode("utf-8"))
        checked = self.postfix.run("postfix", "check")
        return self._trouble("postfix check", checked) if checked.rc != 0 else ""

    def _trouble(self, command: str, result: Result) -> str:
        found = [self._named(match.group("text")) for match in _TROUBLE.finditer(result.err)]
        return found[0] if found else f"{command} ended with {result.rc}, and the mail log says why"

    def _named(self, text: str) -> str:
        """Text of Postfix with the names of the live files."""
        return text.replace(self._configuration, self._live.config_directory)


def _give(path: str, user: str) -> None:
    """Makes the user the owner, as far as that is possible: else `postfix check` warns in the mail log."""
    try:
        os.chown(path, pwd.getpwnam(user).pw_uid, -1)
    except (KeyError, PermissionError):
        return


def _check_types(postfix: Postfix, types: Sequence[str]) -> None:
    if not types:
        return
    known = postfix.check("postconf", "-m").split()
    for table_type in types:
        if table_type not in known:
            raise HostError(
                f'this host\'s Postfix has no lookup tables of type "{table_type}"; it has {", ".join(sorted(known))}. '
                "Install the package for that type, or use another one; nothing was changed"
            )
        if table_type in INDEXED_TYPES:
            probe_type(postfix, table_type)


def _without_numbers(text: str) -> str:
    """The same trouble may be on another line."""
    return re.sub(r"\d+", "", text)
