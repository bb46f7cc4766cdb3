# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The errors a person meets. Each message names the thing, the place and the remedy."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

# Of more of one kind the rest is counted.
PROBLEMS_SHOWN = 20


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


class InvalidValue(InvalidInput):
    """A value that was given, with its place. `problem` says what is wrong without quoting it."""

    def __init__(self, message: str, problem: str) -> None:
        super().__init__(message)
        self.problem = problem


class Problems:
    """Collects what is wrong with many values, so that all of it is told at once and nothing of it at length."""

    def __init__(self) -> None:
        self.count = 0
        self.first: list[MxRelayError] = []

    def add(self, error: MxRelayError) -> None:
        self.count += 1
        if len(self.first) < PROBLEMS_SHOWN:
            self.first.append(error)

    @contextmanager
    def kept(self) -> Iterator[None]:
        """Keeps an InvalidInput for later."""
        try:
            yield
        except InvalidInput as error:
            self.add(error)

    def tell(self, what: str) -> None:
        """Raises InvalidInput for what was collected, if anything was; `what` are the values: recipients."""
        if self.count == 1:
            raise self.first[0]
        if self.count:
            left = self.count - len(self.first)
            lines = [error.message for error in self.first] + ([f"and {left} more"] if left else [])
            raise InvalidInput(f"{self.count} {what} are not valid:" + "".join(f"\n- {line}" for line in lines))


class Refused(MxRelayError):
    """The values are valid, but the change would lose, refuse or relay mail. Nothing was changed."""


class HostError(MxRelayError):
    """The host can't do it: Postfix is missing, a file can't be read, a command failed."""


class NoAnswer(HostError):
    """A command waits for a daemon of Postfix that does not answer."""


class SourceError(HostError):
    """A source of recipients can't be read, or what it says can't be believed."""
