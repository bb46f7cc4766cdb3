# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""As whom probes ask. A sender is never forged: it is `<>`, or nobody at a domain that the operator owns."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.errors import InvalidInput
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.names import domain_name

_KEYS = ("ordinary", "spf_fail")


@dataclass(frozen=True)
class ProbeSenders:
    """The domains of senders, "" for one that is not asked: an ordinary one, and one whose SPF excludes this host."""

    ordinary: str = ""
    spf_fail: str = ""

    @property
    def domains(self) -> list[str]:
        return [name for name in (self.ordinary, self.spf_fail) if name]

    @property
    def told(self) -> str:
        """Which senders were tried."""
        return " and ".join(["from <>", *(f"from a sender at {name}" for name in self.domains)])


def read_senders(given: Mapping[str, Any], own: str) -> ProbeSenders:
    """The option probe_senders; of an address the domain counts. `own` is the ordinary domain unless it is given.

    Raises InvalidInput.
    """
    unknown = sorted(set(given) - set(_KEYS))
    if unknown:
        raise InvalidInput(f"probe_senders has no option {unknown[0]}; it takes {' and '.join(_KEYS)}")
    names = {
        key: domain_name(str(given[key]).rpartition("@")[2], f"probe_senders.{key}") for key in _KEYS if given.get(key)
    }
    return ProbeSenders(names.get("ordinary", own), names.get("spf_fail", ""))
