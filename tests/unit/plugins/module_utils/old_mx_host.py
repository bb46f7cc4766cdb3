# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A host with an old Postfix: its commands print and refuse what those of that release do.

No such Postfix is run here. What is imitated is in release notes and manual pages, and was seen in a trial of 2.0.20
to 2.9.15: postconf before 2.9 prints built-in names alone, has no -x before 2.10 and no -P before 2.11; postmap has no
-s before 2.2; there is no `postfix status` before 2.5.
"""

from __future__ import annotations

from collections.abc import Sequence

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.configuration.main_cf import MainCf
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.versions import release
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.commands import Result
from ansible_collections.mxrelay.postfix.tests.unit.plugins.module_utils.fake_mx_host import DEFAULTS, FakeMxHost
from ansible_collections.mxrelay.postfix.tests.unit.plugins.module_utils.release_defaults import (
    DEFAULTS as BY_RELEASE,
)
from ansible_collections.mxrelay.postfix.tests.unit.plugins.module_utils.release_defaults import (
    default_in,
    shipped_guard,
)


class OldMxHost(FakeMxHost):
    """FakeMxHost with the commands, the defaults and the master.cf of an old release."""

    def __init__(self, config_directory: str, version: str, main_cf: str = "") -> None:
        super().__init__(config_directory, main_cf)
        self.version = version
        self.release = release(version)
        known = {**DEFAULTS, "mail_version": version, "smtpd_restriction_classes": ""}
        for name in ("compatibility_level", *BY_RELEASE):
            value = default_in(version, (0,), name) if name in BY_RELEASE else None
            known.pop(name, None)
            if value is not None:
                known[name] = value
        if self.release >= (2, 3):
            # Known by its new name alone; main.cf may still set it.
            del known["fallback_relay"]
        self.known = known
        overrides = "".join(f" -o {name}={value}" for name, value in shipped_guard(self.release).items())
        self.write("master.cf", f"smtp inet n - n - - smtpd\nrelay unix - - n - - smtp{overrides}\n")

    def run(self, argv: Sequence[str], data: bytes | None = None, silence: float | None = None) -> Result:
        if list(argv[:1]) == ["postmap"] and "-s" in argv and self.release < (2, 2):
            return _usage("postmap", "s", "[-Nfinoprvw] [-c config_dir] [-d key] [-q key] [map_type:]file...")
        return super().run(argv, data, silence)

    def _postconf(self, arguments: list[str], data: bytes | None) -> Result:
        for option, since in (("x", (2, 10)), ("P", (2, 11)), ("M", (2, 9))):
            if f"-{option}" in arguments and self.release < since:
                return _usage("postconf", option, "[-c config_dir] [-d (defaults)] [name...]")
        if arguments == ["-m"]:
            return super()._postconf(arguments, data)
        with open(self.path("main.cf"), encoding="utf-8") as stream:
            written = MainCf(stream.read()).values
        own = {name: value for name, value in written.items() if name not in self.known}
        set_here = {name: value for name, value in written.items() if name in self.known}
        shown = self.known if "-d" in arguments else {**self.known, **set_here}
        if "-n" in arguments:
            shown = set_here
        if self.release >= (2, 9) and "-d" not in arguments:
            shown = {**shown, **own}
        if "-h" in arguments:
            return Result(0, f"{shown['mail_version']}\n", "")
        names = [name for name in arguments if not name.startswith("-")] or list(shown)
        return Result(0, "".join(f"{name} = {shown[name]}\n" for name in names if name in shown), "")


def _usage(command: str, option: str, words: str) -> Result:
    return Result(1, "", f"{command}: invalid option -- '{option}'\n{command}: fatal: usage: {command} {words}\n")
