# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""systemd on this host."""

from __future__ import annotations

import os

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.errors import HostError
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.postfix import Postfix

# There while systemd runs the host, see sd_booted(3).
SYSTEMD = "/run/systemd/system"


def runs_systemd() -> bool:
    """Whether systemd runs this host."""
    return os.path.isdir(SYSTEMD)


def systemctl(postfix: Postfix, *words: str) -> None:
    """Raises HostError if it fails; that there is no failure to reset is none."""
    done = postfix.commands.run(["systemctl", *words])
    if done.rc != 0 and words[0] != "reset-failed":
        said = " ".join((done.err or done.out).split())
        raise HostError(f"systemctl {' '.join(words)} failed: {said}; see journalctl -u {words[-1]}")
