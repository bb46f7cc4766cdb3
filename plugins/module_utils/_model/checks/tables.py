# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Checks of each table that main.cf names, whatever is in it."""

from __future__ import annotations

from collections.abc import Iterator

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.checks.registry import TABLE, Register
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.checks.result import (
    LOCAL,
    NEXTHOP,
    RECIPIENTS,
    Fault,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.tables import TableEvidence
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.tables.index_states import (
    GOOD_STATES,
    NO_SUCH_TYPE,
    UNREACHABLE,
)

check = Register(TABLE)


@check("index", LOCAL, "an index is missing, stale or unreadable, or does not match its source", place=RECIPIENTS)
def index(table: TableEvidence) -> Iterator[Fault]:
    if table.index not in (NO_SUCH_TYPE, UNREACHABLE, *GOOD_STATES):
        yield Fault(
            f"the index of {_where(table)} is {table.index}: lookups fail or are out of date",
            f"run the role again, run postmap {table.reference}, or remove it from {table.parameter}",
            place=_place(table),
        )


@check("table_type", LOCAL, "a map has a type that this Postfix does not support", place=RECIPIENTS)
def table_type(table: TableEvidence) -> Iterator[Fault]:
    if table.index == NO_SUCH_TYPE:
        kind = table.reference.partition(":")[0]
        yield Fault(
            f"{_where(table)} is of type {kind}, which this Postfix does not support: smtpd answers 451",
            f"install support for {kind}, or write the table in a type that postconf -m lists and name that in "
            f"{table.parameter}",
            place=_place(table),
        )


@check(
    "table_unreachable", LOCAL, "a map of transports or relay domains can't be asked: smtpd answers 451", place=NEXTHOP
)
def table_unreachable(table: TableEvidence) -> Iterator[Fault]:
    if table.index == UNREACHABLE:
        yield Fault(
            f"{_where(table)} can't be asked ({table.problem}): smtpd answers 451 (4.3.0), and mail waits",
            f"repair it until postmap -q the.domain {table.reference} ends without an error, or remove it from "
            f"{table.parameter}",
            place=_place(table),
        )


@check("table_mode", LOCAL, "proxymap can't read a table", place=RECIPIENTS)
def table_mode(table: TableEvidence) -> Iterator[Fault]:
    if table.index in GOOD_STATES and table.unreadable_for:
        yield Fault(
            f"{table.unreadable_for} can't read {_where(table)}, which proxymap opens for smtpd: smtpd answers 451",
            f"let {table.unreadable_for} read the table (mode 0644, for example), or remove the prefix proxy:",
            place=_place(table),
        )


def _where(table: TableEvidence) -> str:
    return f"{table.reference} ({table.parameter})"


def _place(table: TableEvidence) -> str:
    return NEXTHOP if table.parameter == "transport_maps" else RECIPIENTS
