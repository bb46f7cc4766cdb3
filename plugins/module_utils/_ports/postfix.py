# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Postfix's own commands, asked about one instance. See postconf(1), postmap(1), postfix(1)."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.configuration.main_cf import MainCf
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.configuration.match_lists import expand
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.errors import HostError, NoAnswer
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.packages import POSTFIX
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.versions import supports
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.commands import Commands, Result, Take
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.files import read_file

# For how long a command that asks a daemon or a server may be silent.
SECONDS_TO_ANSWER = 60
_PARAMETER = re.compile(r"^([^\s=]+) =(?: (.*))?$")


class Postfix:
    """One Postfix instance, named by its configuration directory."""

    def __init__(self, commands: Commands, config_directory: str = "/etc/postfix") -> None:
        self.commands = commands
        self.config_directory = config_directory
        self._release = ""
        self._defaults: dict[str, str] | None = None

    def run(self, *argv: str, data: bytes | None = None, silence: float | None = None) -> Result:
        """Runs `argv[0] -c CONFIG_DIRECTORY argv[1:]`. Raises HostError if Postfix is missing.

        Raises NoAnswer if the command prints nothing for `silence` seconds: those that ask a daemon, as for a
        `proxy:` table, wait for ever for one that can't start.
        """
        try:
            return self.commands.run([argv[0], "-c", self.config_directory, *argv[1:]], data, silence)
        except FileNotFoundError:
            raise _missing(argv[0]) from None
        except TimeoutError:
            raise NoAnswer(
                f"{argv[0]} got no answer within {silence:g} s; see in the mail log which daemon of Postfix fails"
            ) from None

    def stream(self, take: Take, *argv: str, seconds: float | None = None) -> Result:
        """Like run, and hands standard output over in pieces; killed after `seconds`. Raises HostError if missing."""
        try:
            return self.commands.stream([argv[0], "-c", self.config_directory, *argv[1:]], take, seconds)
        except FileNotFoundError:
            raise _missing(argv[0]) from None

    def check(self, *argv: str, data: bytes | None = None, silence: float | None = None) -> str:
        """Like run, and returns standard output. Raises HostError if the command fails."""
        result = self.run(*argv, data=data, silence=silence)
        if result.rc != 0:
            raise HostError(f"{' '.join(argv)} failed: {result.err.strip() or result.out.strip()}")
        return result.out

    def installed(self) -> bool:
        """Whether Postfix's commands and this instance's main.cf are there. Raises HostError if they don't work."""
        try:
            result = self.run("postconf", "-h", "mail_version")
        except HostError:
            return False
        if result.rc != 0 and os.path.exists(self._main_cf):
            raise self._unreadable(result)
        return result.rc == 0

    @property
    def _main_cf(self) -> str:
        return os.path.join(self.config_directory, "main.cf")

    def _unreadable(self, result: Result) -> HostError:
        """The error for parameters that postconf can't make sense of. Its last lines are the reason and the verdict."""
        said = list(dict.fromkeys(line.partition(": ")[2] for line in result.err.strip().split("\n")))
        return HostError(f"postconf failed: {'; '.join(said[-2:])}; correct {self._main_cf}")

    def version(self) -> str:
        """mail_version, such as `3.10.13`."""
        return self.check("postconf", "-h", "mail_version").strip()

    def has(self, feature: str) -> bool:
        """Whether this Postfix has one of versions.FEATURES. Its release is asked once, without reading main.cf."""
        if not self._release:
            self._release = self.check("postconf", "-d", "-h", "mail_version").strip()
        return supports(self._release, feature)

    def parameters(self, names: Sequence[str] = (), options: Sequence[str] = ()) -> dict[str, str]:
        """Effective values of the named parameters (all when none is named), `$name` not expanded.

        One call of postconf whatever their number. A name that Postfix does not know is left out; among all are those
        that the administrator chose, on every release. `options` are postconf's: `-x` expands (done here for a Postfix
        that can't), `-n` gives only those set in main.cf, `-d` the defaults.
        """
        result = self.run("postconf", *options, *names)
        if result.rc != 0 and "-x" in options and "usage:" in result.err:
            return self._expanded(names, [option for option in options if option != "-x"])
        if result.rc != 0:
            raise self._unreadable(result)
        found = parse_parameters(result.out)
        release = found.get("mail_version", "")
        lacking = not names and "-d" not in options and release and not supports(release, "own_names_listed")
        return {**self._written(), **found} if lacking else found

    def _expanded(self, names: Sequence[str], options: Sequence[str]) -> dict[str, str]:
        """What `postconf -x` gives, for a Postfix that does not expand values."""
        every = self.parameters()
        asked = self.parameters(names, options)
        if "-d" not in options:
            own = [name for name in self._written() if name in every and (not names or name in names)]
            asked = {**{name: every[name] for name in own}, **asked}
        return {name: expand(value, every) for name, value in asked.items()}

    def _written(self) -> dict[str, str]:
        """What main.cf sets, whether Postfix knows the name or not."""
        text = (read_file(self._main_cf) or b"").decode("utf-8", "surrogateescape")
        return MainCf(text, self._main_cf).values

    def defaults(self) -> dict[str, str]:
        """What Postfix has for each parameter that it knows, where main.cf says nothing. It is asked once."""
        if self._defaults is None:
            self._defaults = self.parameters(options=("-d",))
        return self._defaults

    def queue_directory(self) -> str:
        """Where the instance's queue is."""
        return self.parameters(["queue_directory"], ["-x"]).get("queue_directory", "")

    def reload(self) -> bool:
        """Tells the running instance to read its files again; False if it is not running."""
        if not self.running():
            return False
        self.check("postfix", "reload")
        return True

    def running(self, daemon_directory: str = "") -> bool:
        """Whether the instance's master runs, by its lock: what `postfix status` asks through a shell script.

        The directory of its daemons is asked of postconf if it is not given.
        """
        daemons = daemon_directory or self.parameters(["daemon_directory"], ["-x"]).get("daemon_directory", "")
        try:
            return self.run(os.path.join(daemons, "master"), "-t").rc != 0
        except HostError:
            # Nor could Postfix be started where daemon_directory names a place without it.
            return False

    def dump(self, table: str) -> Result:
        """`postmap -s type:path`, every row of the index as postmap reads it. Raises NoAnswer if it tells none."""
        return self.run("postmap", "-s", table, silence=SECONDS_TO_ANSWER)

    def dump_to(self, table: str, take: Take, seconds: float) -> Result:
        """Like dump, but hands the rows over in pieces, which need not end where a row does.

        postmap that has not told all after `seconds` is killed: of a damaged btree it would tell for ever.
        """
        return self.stream(take, "postmap", "-s", table, seconds=seconds)

    def ask(self, table: str, keys: bytes) -> Result:
        """`postmap -q -`: the rows of those keys, one a line, that the table has. Raises NoAnswer if it is silent."""
        return self.run("postmap", "-q", "-", table, data=keys, silence=SECONDS_TO_ANSWER)

    def build(self, table: str) -> Result:
        """`postmap type:path`: builds the index from the source."""
        return self.run("postmap", table)

    def insert(self, table: str, lines: bytes, seconds: float) -> Result:
        """`postmap -r -i`: sets these entries, written as in a source, in the index.

        It prints nothing meanwhile. Raises NoAnswer if it is not done after `seconds`.
        """
        return self.run("postmap", "-r", "-i", table, data=lines, silence=seconds)

    def delete(self, table: str, keys: bytes, seconds: float) -> Result:
        """`postmap -d -`: removes these keys, one a line, from the index. Raises NoAnswer as insert does."""
        return self.run("postmap", "-d", "-", table, data=keys, silence=seconds)


def _missing(command: str) -> HostError:
    return HostError(f"{command} was not found: Postfix is not installed on this host; install the package {POSTFIX}")


def parse_parameters(text: str) -> dict[str, str]:
    """`name = value` lines of postconf as a mapping. Only a newline ends a line, whatever else a value holds."""
    found: dict[str, str] = {}
    for line in text.split("\n"):
        match = _PARAMETER.match(line)
        if match:
            found[match.group(1)] = match.group(2) or ""
    return found
