# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which family of systems this host is of, by os-release(5)."""

from __future__ import annotations

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.families import SystemFamily, family_of
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.files import text_of

OS_RELEASE = "/etc/os-release"


def family_of_host() -> SystemFamily:
    """This host's family. Raises HostError if the file can't be read."""
    return family_of(text_of(OS_RELEASE))
