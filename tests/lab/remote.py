# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Have the work of some modules done on hosts of the lab, by the collection as it is installed there."""

from __future__ import annotations

import json
import os
import pathlib
import subprocess
from typing import Any

from lab import hosts

FOLDER = "/root/mxrelay-judge"
COLLECTION = "ansible_collections/mxrelay/postfix/plugins"


class Remote:
    """A host on which judge.py waits for orders."""

    def __init__(self, host: str) -> None:
        plugins = pathlib.Path(os.environ["ANSIBLE_COLLECTIONS_PATH"]) / COLLECTION
        hosts.on(host, "mkdir", "-p", f"{FOLDER}/{COLLECTION}")
        hosts.engine("cp", f"{plugins}/module_utils", f"{hosts.container(host)}:{FOLDER}/{COLLECTION}/")
        hosts.engine(
            "cp", str(pathlib.Path(__file__).with_name("judge.py")), f"{hosts.container(host)}:{FOLDER}/judge.py"
        )
        command = [os.environ["MXRELAY_LAB_ENGINE"], "exec", "--interactive", "--env", f"PYTHONPATH={FOLDER}"]
        self._process = subprocess.Popen(
            [*command, hosts.container(host), "python3", f"{FOLDER}/judge.py"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def _order(self, **order: Any) -> dict[str, Any]:
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.write(json.dumps(order) + "\n")
        self._process.stdin.flush()
        answer: dict[str, Any] = json.loads(self._process.stdout.readline())
        if "error" in answer:
            raise RuntimeError(answer["error"])
        return answer

    def shell(self, script: str) -> str:
        """Run a script with `sh -e`; return what it said, raise where it fails."""
        return str(self._order(shell=script)["out"])

    def inform(self, **params: Any) -> dict[str, Any]:
        """Return what mx_info returns on that host."""
        return self._order(inform=params)

    def stranger(self, **params: Any) -> dict[str, Any]:
        """Return what mx_info with probe_server returns on that host."""
        return self._order(stranger=params)

    def plan(self, **params: Any) -> dict[str, Any]:
        """Return what mx_plan returns on that host."""
        return self._order(plan=params)

    def read(self, **params: Any) -> dict[str, Any]:
        """Return what recipients_info returns on that host."""
        return self._order(read=params)

    def estimate(self, domain: str, log_bytes: int = 0) -> dict[str, Any]:
        """Return what queue_info estimates for a domain that mail waits for on that host."""
        found: dict[str, Any] = self._order(estimate={"domains": [domain], "log_bytes": log_bytes})[domain]
        return found

    def close(self) -> None:
        """Let the host go."""
        self._process.communicate()
