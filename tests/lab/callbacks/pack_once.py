# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Have Ansible pack a module once for all runs of a lab, instead of once for each run.

Ansible keeps the modules that it packed in the folder for temporary files of one run. Here that folder is a link to one
that lasts until Ansible or what a file of the plugins says is another: it is packed by Ansible as ever, and once.
"""

from __future__ import annotations

import hashlib
import os
import pathlib
import shutil

from ansible import constants
from ansible.plugins.callback import CallbackBase
from ansible.release import __version__ as ansible_version

DOCUMENTATION = """
name: pack_once
type: aggregate
short_description: Share packed modules between the runs of a lab
description: Links Ansible's folder of packed modules to E(MXRELAY_LAB_PACKED).
"""


class CallbackModule(CallbackBase):
    """Links the folder before the first task; later callbacks are of no interest."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "aggregate"
    CALLBACK_NAME = "pack_once"
    CALLBACK_NEEDS_ENABLED = True

    def __init__(self) -> None:
        super().__init__()
        plugins = pathlib.Path(os.environ["MXRELAY_LAB_PLUGINS"])
        shared = pathlib.Path(os.environ["MXRELAY_LAB_PACKED"], state_of(plugins))
        shared.mkdir(parents=True, exist_ok=True)
        for old in set(shared.parent.iterdir()) - {shared}:
            shutil.rmtree(old, ignore_errors=True)
        pathlib.Path(constants.DEFAULT_LOCAL_TMP, "ansiballz_cache").symlink_to(shared)


def state_of(plugins: pathlib.Path) -> str:
    """A name that is another when Ansible is, or what a file below the folder says."""
    seen = [(str(path), path.read_bytes()) for path in sorted(plugins.rglob("*.py"))]
    return hashlib.sha256(repr((ansible_version, seen)).encode()).hexdigest()
