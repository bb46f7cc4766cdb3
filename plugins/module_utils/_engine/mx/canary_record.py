# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Remembers what became of the last canary of each domain, for mx_info and the report. There are no addresses in it."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Mapping

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.errors import HostError
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.canary import OUTCOMES, CanaryEvidence
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.files import (
    put_private_file,
    read_file,
    reason,
)

# Only root writes here, unlike Postfix's own data_directory.
DIRECTORY = "/var/lib/mxrelay"


def outcomes_path(config_directory: str, directory: str = DIRECTORY) -> str:
    """The file of an instance of Postfix."""
    return os.path.join(directory, f"canary{config_directory.rstrip('/').replace('/', '-')}.json")


def read_outcomes(path: str, now: float | None = None) -> dict[str, CanaryEvidence]:
    """What is remembered, by domain; nothing if there is no record, or none that we wrote."""
    moment = time.time() if now is None else now
    try:
        known = json.loads((read_file(path) or b"{}").decode("utf-8"))
        found = {
            str(domain): CanaryEvidence(
                str(item["outcome"]), str(item["reason"]), int(item["time"]), max(0, int(moment) - int(item["time"]))
            )
            for domain, item in known.items()
        }
    except (ValueError, KeyError, TypeError, AttributeError, HostError):
        return {}
    return {domain: seen for domain, seen in found.items() if seen.outcome in OUTCOMES}


def write_outcomes(path: str, outcomes: Mapping[str, CanaryEvidence]) -> None:
    """Adds outcomes to the record. Raises HostError."""
    known = {**read_outcomes(path), **outcomes}
    content = {
        domain: {"outcome": seen.outcome, "reason": seen.reason, "time": seen.time}
        for domain, seen in sorted(known.items())
    }
    try:
        os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
    except OSError as error:
        raise HostError(f"{os.path.dirname(path)}: {reason(error)}") from error
    put_private_file(path, json.dumps(content, indent=1).encode())
