# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The states of a table's index, in the words of results, findings and reports."""

from __future__ import annotations

CURRENT = "current"
MISSING = "missing"
STALE = "stale"
UNREADABLE = "unreadable"
# The type has no index: Postfix reads the source.
NO_INDEX = "none"
NO_SOURCE = "without a source"
# This Postfix does not have the type, and so can't look into the table at all.
NO_SUCH_TYPE = "type"
# Lookups find what the source says.
GOOD_STATES = (CURRENT, NO_INDEX)
# Of a table that has no index to look at: it was asked, and did not answer.
UNREACHABLE = "unreachable"
