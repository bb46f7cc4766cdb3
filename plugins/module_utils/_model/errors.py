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

    def cause_and_remedy(self, otherwise: str) -> tuple[str, str]:
        """What is wrong, and what to do: the message up to its last semicolon and after it. `otherwise` is the remedy
        if it has none."""
        cause, semicolon, remedy = self.message.rpartition("; ")
        return (cause, remedy) if semicolon else (self.message, otherwise)


class InvalidInput(MxRelayError):
    """A value that was given can't be right. Nothing was changed."""


class Refused(MxRelayError):
    """The values are valid, but the change would lose, refuse or relay mail. Nothing was changed."""


class HostError(MxRelayError):
    """The host can't do it: Postfix is missing, a file can't be read, a command failed."""


class NoAnswer(HostError):
    """A command waits for a daemon of Postfix that does not answer."""
