# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Answers of SMTP servers, and what they say by the first digit of their codes (RFC 5321, 4.2.1)."""

from __future__ import annotations

# The code and the text.
Answer = tuple[int, str]


def accepts(answer: Answer) -> bool:
    """Whether the server goes on."""
    return answer[0] < 400


def defers(answer: Answer) -> bool:
    """Whether it refuses for now: the client is to try again later."""
    return 400 <= answer[0] < 500


def rejects(answer: Answer) -> bool:
    """Whether it refuses for good: what the client has bounces."""
    return answer[0] >= 500
