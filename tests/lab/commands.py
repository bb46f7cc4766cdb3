# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run commands for a session."""

from __future__ import annotations

from collections.abc import Mapping

import nox
import nox.command


def succeeds(session: nox.Session, *command: str, env: Mapping[str, str] | None = None, quietly: bool = False) -> bool:
    """Run a command, and return whether its code was 0; what it says is shown, if `quietly` only where it failed."""
    try:
        session.run(*command, env=env, external=True, silent=quietly, log=not quietly)
    except nox.command.CommandFailed:
        return False
    return True


def said(session: nox.Session, *command: str) -> str:
    """Run a command, and return what it says; the session fails where the command does."""
    return str(session.run(*command, external=True, silent=True, log=False))
