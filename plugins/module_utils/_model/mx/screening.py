# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The setting `postscreen` as it is given."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Mapping

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.errors import InvalidInput

OFF = "off"
LOG = "log"
ENFORCE = "enforce"
MODES = (OFF, LOG, ENFORCE)
# As postscreen_dnsbl_sites takes it: domain=filter*weight.
_SITE = re.compile(r"[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)+(=[0-9]+(\.([0-9]+|\[[0-9.;]+\])){3})?(\*-?[0-9]{1,5})?\Z")


@dataclass(frozen=True)
class Screening:
    """The setting, read: no mode where it is not given."""

    mode: str = ""
    sites: tuple[str, ...] = ()


def read_screening(given: Any) -> Screening:
    """The setting as it was given. Raises InvalidInput."""
    if given in (None, "", {}):
        return Screening()
    if not isinstance(given, Mapping) or set(given) - {"mode", "dnsbl_sites"}:
        raise InvalidInput(
            "postscreen is not a mapping of mode and dnsbl_sites; give it as {mode: log, dnsbl_sites: []}"
        )
    # YAML takes a bare `off` for false.
    mode = OFF if given.get("mode") is False else given.get("mode")
    if mode not in MODES:
        raise InvalidInput(f'postscreen has the mode "{mode or ""}"; use one of {", ".join(MODES)}')
    sites = given.get("dnsbl_sites") or []
    sites = re.split(r"[,\s]+", sites.strip()) if isinstance(sites, str) else list(sites)
    for site in sites:
        if not isinstance(site, str) or not _SITE.match(site):
            raise InvalidInput(
                f'postscreen has the DNSBL site "{site}", which postscreen could not read: it would not start; give '
                "a domain such as bl.example, bl.example*2 or bl.example=127.0.0.[2..4]*2"
            )
    return Screening(str(mode), tuple(dict.fromkeys(sites)))
