# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The program that writes metrics, which a timer starts on a host that need not have Ansible, and monitoring as well.

    mxrelay-metrics.pyz write [CONFIGURATION]    writes the file of metrics
    mxrelay-metrics.pyz print [CONFIGURATION]    prints it
    mxrelay-metrics.pyz check [CONFIGURATION]    prints the line of a Nagios or Icinga plugin

The configuration, by default beside the program, is JSON, with the names of MetricsRequest.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Sequence
from dataclasses import fields
from typing import Any

from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.metrics.collect import MetricsRequest, collected
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.errors import InvalidInput, MxRelayError
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.metrics.collected import VERIFIED, MetricsFound
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.metrics.exposition import exposition, read_sample
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.metrics.plugin_line import (
    UNKNOWN,
    plugin_line,
    read_thresholds,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.people import unnamed
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.systemd_units import instance_suffix
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.commands import Commands, LocalCommands
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.exposed_files import exposed_text, put_exposed_file
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.local_network import LocalNetwork
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.network import Network, SystemNetwork
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.postfix import Postfix
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.smtp_probe import SmtpProber

WRITE, PRINT, CHECK = "write", "print", "check"
_WORDS = (WRITE, PRINT, CHECK)
FAILED = 1


def main(argv: Sequence[str], commands: Commands | None = None) -> int:
    """What the program does when it is started so; its exit status."""
    word = argv[1] if len(argv) > 1 else ""
    failed = UNKNOWN if word == CHECK else FAILED
    try:
        if word not in _WORDS or len(argv) > 3:
            raise InvalidInput(f"usage: {argv[0]} {{{'|'.join(_WORDS)}}} [CONFIGURATION]")
        request = read_metrics_request(argv[2] if len(argv) > 2 else f"{os.path.splitext(argv[0])[0]}.json")
        found = _look(request, commands or LocalCommands())
        if word == CHECK:
            line, failed = plugin_line(found, read_thresholds(request.thresholds))
            sys.stdout.write(f"{line}\n")
            return failed
        text = metrics_text(request, found)
        if word == PRINT:
            sys.stdout.write(text)
        else:
            put_exposed_file(request.path, text.encode("utf-8"))
    except MxRelayError as error:
        stream = sys.stdout if word == CHECK else sys.stderr
        stream.write(f"{'MXRELAY UNKNOWN - ' if word == CHECK else ''}{unnamed(error.message)}\n")
        return failed
    for part, problem in sorted(found.problems.items()):
        sys.stderr.write(f"{part}: {problem}\n")
    return 0


def read_metrics_request(path: str) -> MetricsRequest:
    """The configuration of this path. Raises InvalidInput."""
    try:
        with open(path, encoding="utf-8") as stream:
            given: dict[str, Any] = json.load(stream)
        known = {field.name for field in fields(MetricsRequest)}
        return MetricsRequest(**{name: value for name, value in given.items() if name in known})
    except (OSError, ValueError, AttributeError) as error:
        raise InvalidInput(
            f"{path}: can't be read as a configuration ({error}); run the role mx_metrics again"
        ) from error


def _look(request: MetricsRequest, commands: Commands) -> MetricsFound:
    network: Network = SystemNetwork(request.resolver) if request.dns else LocalNetwork()
    verified = read_sample(exposed_text(request.path), VERIFIED) if request.path else None
    return collected(request, Postfix(commands, request.config_directory), network, SmtpProber(), verified)


def metrics_text(request: MetricsRequest, found: MetricsFound) -> str:
    """The file. What is of another instance than the host's first says so in each of its samples."""
    directory = request.config_directory.rstrip("/")
    labels = {"config_directory": directory} if instance_suffix(directory) else {}
    return exposition([(labels, found.families(request.domains))])
