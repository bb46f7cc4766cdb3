# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A host with mail for two domains in its queue, and a systemd that notes the timers it is asked for."""

from __future__ import annotations

from collections.abc import Sequence

from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.commands import Result
from ansible_collections.mxrelay.postfix.tests.unit.plugins.module_utils.fake_mx_host import FakeMxHost
from ansible_collections.mxrelay.postfix.tests.unit.plugins.module_utils.fake_postqueue import queue_entry

MAIN_CF = """\
relay_domains = x.example, y.example
transport_maps = inline:{x.example=relay:[mail.example],y.example=retrying:[mail.example]}
"""


class LimitedHost(FakeMxHost):
    """The command port. `timers` are the units that run, with their seconds; none starts if `refusal` is not empty."""

    def __init__(self, config_directory: str, main_cf: str = MAIN_CF) -> None:
        super().__init__(config_directory, main_cf)
        self.queue = queue_entry("A1", "deferred", "a@x.example")
        self.timers: dict[str, str] = {}
        self.refusal = ""

    def run(self, argv: Sequence[str], data: bytes | None = None, silence: float | None = None) -> Result:
        if argv[0] == "systemd-run":
            if self.refusal:
                return Result(1, "", f"{self.refusal}\n")
            options = dict(option.lstrip("-").split("=", 1) for option in argv[1:] if option.startswith("--"))
            assert list(argv[-3:]) == [self.path(".mxrelay-limits.py"), self.config_directory, options["unit"]]
            self.timers[options["unit"]] = options["on-active"]
            return Result(0, "", "")
        if list(argv[:2]) == ["systemctl", "stop"]:
            self.timers.pop(argv[2].rpartition(".")[0], None)
            return Result(0, "", "")
        return super().run(argv, data, silence)

    def main_cf(self) -> str:
        with open(self.path("main.cf"), encoding="utf-8") as stream:
            return stream.read()
