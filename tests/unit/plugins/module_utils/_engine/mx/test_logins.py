# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from pathlib import Path

import pytest

from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.mx.logins import read_logins
from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.mx.reading import MapReader
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.configuration.master_cf import Service
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.domain import DomainEvidence
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.host import Capture, HostState
from ansible_collections.mxrelay.postfix.tests.unit.plugins.module_utils.fake_mx_host import FakeMxHost

LOGS_IN = {
    "smtp_sasl_auth_enable": "yes",
    "smtp_sasl_password_maps": "inline:{[mail.example]:587=u:p,other.example=u:p}",
}


@pytest.mark.parametrize(
    ("overrides", "route", "logs_in"),
    [
        (LOGS_IN, "relay:[mail.example]:587", True),
        (LOGS_IN, "relay:[other.example]:25", True),
        (LOGS_IN, "relay:[mail.example]", False),
        (LOGS_IN, "relay:[nobody.example]", False),
        ({**LOGS_IN, "smtp_sasl_auth_enable": "no"}, "relay:[mail.example]:587", False),
        ({}, "relay:[mail.example]:587", False),
        (LOGS_IN, "discard:", False),
    ],
)
def test_host_logs_in_where_a_password_is_kept(
    tmp_path: Path, overrides: dict[str, str], route: str, logs_in: bool
) -> None:
    host = FakeMxHost(str(tmp_path))
    relay = Service("relay", "unix", "-", "-", "y", "-", "-", "smtp", overrides)
    domain = DomainEvidence("x.example", "x.example", answer=Capture("hash:/t", "x.example", route))
    read_logins([domain], HostState(services=[relay]), MapReader(host.postfix()))
    assert domain.logs_in is logs_in
