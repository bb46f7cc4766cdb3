# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The part of the command port that most fakes have no use for."""

from __future__ import annotations

from collections.abc import Sequence

from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.commands import Result, Take


class WholeOutput:
    """Commands whose output is returned whole; nothing may be streamed."""

    def stream(self, argv: Sequence[str], take: Take, seconds: float | None = None) -> Result:
        raise AssertionError(f"{argv} is not to be streamed to {take} for {seconds} s")
