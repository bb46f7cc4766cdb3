# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads a source of type dovecot: the users of the Dovecot of this host. Nothing is changed. See doveadm-user(1)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.errors import SourceError
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.people import unnamed
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.sources.addresses import reading_of
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.sources.formats import LINES, entries_of
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.sources.reading import Reading
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.commands import Commands

COMMAND = ("doveadm", "user", "*")
_LONGEST_WORDS = 400


def read_dovecot_source(definition: Mapping[str, Any], commands: Commands) -> Reading:
    """The users that Dovecot lists. Raises SourceError, also if it lists only some."""
    listed = bytearray()
    seconds = float(definition["timeout"])
    try:
        result = commands.stream(COMMAND, listed.extend, seconds)
    except FileNotFoundError:
        raise SourceError("doveadm was not found: there is no Dovecot on this host; correct the host") from None
    said = unnamed(" ".join(result.err.split()))[-_LONGEST_WORDS:]
    if result.rc < 0:
        raise SourceError(f"doveadm user has not ended after {seconds:g} s; see the log of Dovecot, or raise timeout")
    if result.rc or "Error:" in said:
        raise SourceError(f"doveadm user failed ({said or f'status {result.rc}'}); see the log of Dovecot")
    entries = entries_of(bytes(listed), LINES, definition, "the list of doveadm user")
    return reading_of(entries, definition["skip_invalid"], definition["default_domain"])
