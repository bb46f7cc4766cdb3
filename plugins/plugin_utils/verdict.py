# Copyright the mxrelay.postfix authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the findings about one instance of Postfix come to: what it does, what is wrong, and what was not checked."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.checks.result import ERROR, INFO, WARNING
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.tables.recipients import PRESENT
from ansible_collections.mxrelay.postfix.plugins.plugin_utils.roles import DEFAULT_DIRECTORY

# So many findings of one check are shown.
SHOWN = 20


def verdict(
    evidence: Mapping[str, Any],
    outside: Mapping[str, Any] | None,
    fail_on: Collection[str],
    outage: str,
    instance: Mapping[str, Any],
    differing: Sequence[Mapping[str, Any]] = (),
) -> dict[str, Any]:
    """The texts of the `errors` of these scopes, of the `others` worth telling, and the `summary`.

    `evidence` is the result of mx_info for the `instance`, `outside` that of the probe as a stranger, None if there was
    none, and `differing` are the findings of what it differs in from other hosts.
    """
    findings = [*evidence["findings"], *differing, *(outside or {}).get("findings", [])]
    errors, others = _split(findings, fail_on)
    accepted = [finding for finding in findings if finding.get("accepted")]
    parts = [
        _relayed(evidence["domains"], instance.get("declared")),
        _counted(errors, others, accepted),
        _unchecked(evidence, outside is not None, outage),
    ]
    directory = instance["config_directory"]
    place = "" if directory == DEFAULT_DIRECTORY else f"{directory}: "
    return {
        "errors": texts(errors),
        "others": texts([*others, *accepted]),
        "summary": place + "; ".join(part for part in parts if part),
    }


def _split(
    findings: Sequence[Mapping[str, Any]], fail_on: Collection[str]
) -> tuple[list[Mapping[str, Any]], list[Mapping[str, Any]]]:
    """The errors of these scopes, and what else is more than information."""
    errors: list[Mapping[str, Any]] = []
    others: list[Mapping[str, Any]] = []
    for finding in findings:
        if finding["severity"] == ERROR and finding["scope"] in fail_on:
            errors.append(finding)
        elif finding["severity"] != INFO:
            others.append(finding)
    return errors, others


def texts_to_show(findings: Sequence[Mapping[str, Any]], fail_on: Collection[str]) -> dict[str, list[str]]:
    """The texts of the `errors` of these scopes, and of the `others` that are more than information."""
    errors, others = _split(findings, fail_on)
    return {"errors": texts(errors), "others": texts(others)}


def texts(findings: Sequence[Mapping[str, Any]]) -> list[str]:
    """The texts of the findings, of each check at most so many, and how many more there are of which."""
    told: list[str] = []
    counts: Counter[str] = Counter()
    for finding in findings:
        counts[finding["check"]] += 1
        if counts[finding["check"]] <= SHOWN:
            told.append(finding["text"])
    return told + [f"and {count - SHOWN} more of {check}" for check, count in counts.items() if count > SHOWN]


def _relayed(domains: Mapping[str, Mapping[str, Any]], declared: Sequence[Mapping[str, Any]] | None) -> str:
    relayed = {name for name, domain in domains.items() if domain["relayed"]}
    if not declared:
        return f"no domain is declared in the inventory, {len(relayed) or 'none'} relayed"
    wanted = {str(item["name"]).lower() for item in declared if item["required"] and item["state"] == PRESENT}
    return f"{len(wanted & relayed)} of {number(wanted, 'declared domain')} relayed"


def _counted(
    errors: Sequence[Mapping[str, Any]], others: Sequence[Mapping[str, Any]], accepted: Sequence[Mapping[str, Any]]
) -> str:
    harmless = [finding for finding in others if finding["severity"] == ERROR]
    scopes = " and ".join(dict.fromkeys(finding["scope"] for finding in harmless))
    warnings = [finding for finding in others if finding["severity"] == WARNING]
    counted = [
        number(errors, "error") if errors else "no errors that fail the play" if harmless else "no errors",
        f"{number(harmless, 'error')} of scope {scopes} (not in verify_fail_on)" if harmless else "",
        number(warnings, "warning") if warnings else "",
        f"{len(accepted)} accepted" if accepted else "",
    ]
    return ", ".join(part for part in counted if part)


def _unchecked(evidence: Mapping[str, Any], probed: bool, outage: str) -> str:
    left = [
        "" if probed else "SMTP from outside and to the mail hosts (verify_probe)",
        "" if evidence["dns"] else "DNS",
        "" if outage else "how long mail may wait (verify_outage)",
    ]
    named = ", ".join(part for part in left if part)
    return f"not checked: {named}" if named else ""


def number(things: Collection[Any], noun: str) -> str:
    """How many there are of what: `1 error`, `2 errors`."""
    return f"{len(things)} {noun}{'' if len(things) == 1 else 's'}"
