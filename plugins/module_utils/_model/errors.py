# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The errors a person meets. Each message names the thing, the place and the remedy."""

from __future__ import annotations

from typing import Any


class MxRelayError(Exception):
    """Something a person can act on. `details` are added to the module's result as they are."""

    def __init__(self, message: str, **details: Any) -> None:
        super().__init__(message)
        self.message = message
        self.details = details


class InvalidInput(MxRelayError):
    """A value that was given can't be right. Nothing was changed."""


class Refused(MxRelayError):
    """The values are valid, but the change would lose, refuse or relay mail. Nothing was changed."""


class HostError(MxRelayError):
    """The host can't do it: Postfix is missing, a file can't be read, a command failed."""
