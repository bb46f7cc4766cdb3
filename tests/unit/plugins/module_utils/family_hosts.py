# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Hosts of systems that are not run here, as their packages are published: see docs/releases.md.

`fixtures/families` has the main.cf that each package installs, without comments. What is compiled in is here.
"""

from __future__ import annotations

import os
import pathlib
from collections.abc import Sequence
from dataclasses import dataclass

import pytest

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.configuration.main_cf import MainCf
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.families import family_of
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports import os_release, service
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.commands import Result
from ansible_collections.mxrelay.postfix.tests.unit.plugins.module_utils.fake_host import SUFFIXES
from ansible_collections.mxrelay.postfix.tests.unit.plugins.module_utils.fake_mx_host import DEFAULTS, FakeMxHost
from ansible_collections.mxrelay.postfix.tests.unit.plugins.module_utils.release_defaults import (
    DEFAULTS as BY_RELEASE,
)
from ansible_collections.mxrelay.postfix.tests.unit.plugins.module_utils.release_defaults import (
    default_in,
)

FIXTURES = pathlib.Path(__file__).parents[2] / "fixtures/families"
# conf/master.cf of Postfix since 3.0, which all of them install: no service is in a chroot.
MASTER_CF = """\
smtp      inet  n       -       n       -       -       smtpd
relay     unix  -       -       n       -       -       smtp
"""


@dataclass(frozen=True)
class System:
    """A system; `types` are the indexed types that its Postfix has at once, or with a package that it installs always.

    `compiled` is the default type that Postfix was built with. `source` is where that is published.
    """

    name: str
    version: str
    compiled: str
    types: frozenset[str]
    verify_map: str
    source: str
    openrc: bool = False

    def text(self, name: str) -> str:
        return (FIXTURES / self.name / name).read_text(encoding="utf-8")


_BDB, _LMDB = frozenset({"hash", "btree"}), frozenset({"lmdb"})
_CACHE = "{}:$data_directory/verify_cache"
SYSTEMS = (
    System("el8", "3.5.8", "hash", _BDB, _CACHE.format("btree"), "openela-main/postfix, postfix.spec of 3.5.8"),
    System("el9", "3.5.25", "hash", _BDB, _CACHE.format("btree"), "openela-main/postfix, postfix.spec of 3.5.25"),
    # Built with NO_DB, but the defaults stay those of Berkeley DB; main.cf sets one of them.
    System("el10", "3.8.5", "hash", _LMDB, _CACHE.format("btree"), "openela-main/postfix, postfix.spec of 3.8.5"),
    System("opensuse", "3.10.8", "lmdb", _LMDB, _CACHE.format("lmdb"), "openSUSE Factory, postfix.spec of 3.10.8"),
    System("alpine", "3.5.7", "lmdb", _LMDB, _CACHE.format("lmdb"), "alpinelinux/aports, APKBUILD of 3.5.7", True),
)


class FamilyHost(FakeMxHost):
    """FakeMxHost with the files, the defaults and the table types of a system, right after Postfix was installed."""

    def __init__(self, directory: pathlib.Path, system: System, patch: pytest.MonkeyPatch, main_cf: str = "") -> None:
        written = system.text("main.cf")
        super().__init__(str(directory), written + main_cf)
        self.write("master.cf", MASTER_CF)
        self.system = system
        level = MainCf(written).values["compatibility_level"]
        number = tuple(int(part) for part in level.split("."))
        known = {name: default_in(system.version, number, name) for name in BY_RELEASE}
        self.defaults = {
            **{name: value for name, value in DEFAULTS.items() if name not in BY_RELEASE},
            **{name: value for name, value in known.items() if value is not None},
            "address_verify_map": system.verify_map,
            "default_database_type": system.compiled,
            "mail_version": system.version,
            "smtpd_restriction_classes": "",
        }
        self.broken_types = set(SUFFIXES) - system.types
        release = directory / "os-release"
        release.write_text(system.text("os-release"), encoding="utf-8")
        patch.setattr(os_release, "OS_RELEASE", str(release))
        self.runlevels = directory.parent / f"{directory.name}-runlevels"
        if system.openrc:
            (self.runlevels / "default").mkdir(parents=True)
            patch.setattr(service, "OPENRC", str(self.runlevels))
            patch.setattr(service, "RUNLEVELS", str(self.runlevels))

    def install(self, package: str) -> None:
        """Has the type of the package, if the system has such a package."""
        types = {name: kind for kind, name in family_of(self.system.text("os-release")).types.items()}
        self.broken_types.remove(types[package])

    def run(self, argv: Sequence[str], data: bytes | None = None, silence: float | None = None) -> Result:
        if argv[0] == "systemctl" and self.system.openrc:
            raise FileNotFoundError(argv[0])
        if os.path.basename(argv[0]) == "master" and self.installed:
            return self._master(list(argv[3:]), data)
        return super().run(argv, data, silence)
