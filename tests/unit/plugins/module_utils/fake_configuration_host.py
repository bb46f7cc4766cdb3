# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A configuration directory with both files, and a Postfix that answers about it and tries what is staged."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.configuration.change import (
    ConfigurationPlan,
    MainCfRequest,
    MasterCfRequest,
    apply_configuration,
    plan_main_cf,
    plan_master_cf,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.configuration.master_cf import ServiceRequest
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.commands import Result
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.postfix import Postfix, parse_parameters
from ansible_collections.mxrelay.postfix.tests.unit.plugins.module_utils.whole_output import WholeOutput

DEFAULTS = """\
compatibility_level = 0
mail_version = 3.10.13
mynetworks = 192.0.2.0/24
relay_domains = ${{$compatibility_level} <level {2} ? {$mydestination} : {}}
smtpd_restriction_classes =
smtp_fallback_relay = $fallback_relay
soft_bounce = no
transport_maps =
inet_interfaces = all
"""


class FakePostconf(WholeOutput):
    """postconf of one release; keeps what it was asked of the live files, and what of staged ones."""

    def __init__(self, live: Path, defaults: str = DEFAULTS) -> None:
        self.live = live
        self.defaults = defaults
        self.asked: list[list[str]] = []
        self.staged: list[str] = []
        self.files: list[str] = []
        self.texts: dict[str, str] = {}
        self.results: dict[str, Result] = {}

    def run(self, argv: Sequence[str], data: bytes | None = None, silence: float | None = None) -> Result:
        assert (argv[1], data, silence) == ("-c", None, None)
        if argv[2] != str(self.live):
            return self._run_staged(Path(argv[2]), " ".join([argv[0], *argv[3:]]))
        self.asked.append(list(argv[3:]))
        assert argv[0] == "postconf"
        if argv[3:] == ["mynetworks"]:
            return Result(0, "mynetworks = 198.51.100.7/32\n", "")
        if argv[3:4] == ["-x"]:
            return Result(0, "inet_interfaces = 127.0.0.1\ninet_protocols = ipv4\n", "")
        assert argv[3:] == ["-d"]
        return Result(0, self.defaults, "")

    def _run_staged(self, directory: Path, command: str) -> Result:
        self.staged.append(command)
        self.files = sorted(os.listdir(directory))
        for name in ("main.cf", "master.cf"):
            self.texts[f"{command}: {name}"] = (directory / name).read_bytes().decode("utf-8", "surrogateescape")
        answers = {
            "postconf -d -h mail_version": parse_parameters(self.defaults)["mail_version"],
            "postconf mail_owner": "mail_owner = nobody\n",
            "postconf -m": "static\ncidr\n",
        }
        result = self.results.get(command, Result(0, answers.get(command, ""), ""))
        return Result(result.rc, result.out, result.err.replace("@", str(directory)))


class ConfigurationHost:
    """A configuration directory with both files, and a Postfix to ask about it."""

    def __init__(self, directory: Path) -> None:
        self.main_cf = directory / "main.cf"
        self.master_cf = directory / "master.cf"
        self.main_cf.write_text("# head\ncompatibility_level = 2\nsoft_bounce = no\n")
        self.master_cf.write_text("smtp inet n - - - - smtpd\nrelay unix - - - - - smtp\n")
        self.commands = FakePostconf(directory)
        self.postfix = Postfix(self.commands, str(directory))

    def plan(self, **request: Any) -> ConfigurationPlan:
        return plan_main_cf(self.postfix, MainCfRequest(**request))

    def change(self, **request: Any) -> ConfigurationPlan:
        return apply_configuration(self.postfix, self.plan(**request))

    def change_services(self, *services: ServiceRequest) -> ConfigurationPlan:
        return apply_configuration(self.postfix, plan_master_cf(self.postfix, MasterCfRequest(services)))

    def refused(self, error: type[Exception], **request: Any) -> str:
        before = self.main_cf.read_bytes()
        with pytest.raises(error) as caught:
            self.plan(**request)
        assert self.main_cf.read_bytes() == before
        return str(caught.value)


def identity(path: Path) -> tuple[int, int]:
    """What changes when the file is replaced or written."""
    status = os.stat(path)
    return status.st_ino, status.st_mtime_ns
