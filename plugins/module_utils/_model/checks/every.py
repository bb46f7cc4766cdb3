# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""All checks. Who asks here has every file of them imported, so that none is left out.

A check added to one of these files is run, listed and documented by being registered alone; a new file is named here.
"""

from __future__ import annotations

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.checks import (
    admission,
    canary,
    certificate,
    distrust,
    dns,
    domain,
    etrn,
    host,
    lists,
    load_balancers,
    mail_host,
    outage,
    postscreen,
    reception,
    recipients,
    refused,
    sending,
    several_hosts,
    standby,
    stranger,
    tables,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.checks.registry import (
    SUBJECTS,
    Check,
    registered,
)

FILES = (
    host,
    admission,
    certificate,
    postscreen,
    recipients,
    sending,
    reception,
    refused,
    standby,
    etrn,
    tables,
    canary,
    domain,
    lists,
    outage,
    dns,
    distrust,
    mail_host,
    stranger,
    load_balancers,
    several_hosts,
)


def checks_of(*subjects: str) -> list[Check]:
    """The checks of these subjects, in the order in which they are made."""
    return registered(*subjects)


def every_check() -> list[Check]:
    """All of them, in the order in which they are made and documented."""
    return registered(*SUBJECTS)
