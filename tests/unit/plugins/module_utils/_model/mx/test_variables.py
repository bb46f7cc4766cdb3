# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.errors import InvalidInput
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.mx.settings import SETTINGS
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.mx.variables import (
    refuse_unknown_settings,
    refuse_unknown_variables,
)


@pytest.mark.parametrize(
    ("role", "name", "message"),
    [
        ("secondary_mx", "secondary_mx_domain", "did you mean secondary_mx_domains?"),
        ("primary_mx", "primary_mx_mailhost_tls", "did you mean primary_mx_mail_host_tls?"),
        ("mx", "mx_verfy", "did you mean mx_verify?"),
    ],
)
def test_mistyped_variable_is_refused(role: str, name: str, message: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        refuse_unknown_variables(["inventory_hostname", f"{role}_domains", name], role)
    assert refused.value.message == f"no variable {name}; {message}"


@pytest.mark.parametrize("role", ["secondary_mx", "primary_mx", "mx"])
def test_every_setting_and_the_list_are_variables(role: str) -> None:
    refuse_unknown_variables([f"{role}_{name}" for name in ("domains", *SETTINGS)], role)


@pytest.mark.parametrize(
    ("role", "name"),
    [
        ("secondary_mx", "primary_mx_domain"),
        ("mx", "secondary_mx_domain"),
        ("mx", "mx_zzz"),
        ("secondary_mx", "secondary_mx_domain_owners"),
        ("secondary_mx", "secondary_mx_hosts"),
        ("mx", "mxdomain"),
    ],
)
def test_variable_of_someone_else_is_none_of_the_role(role: str, name: str) -> None:
    refuse_unknown_variables([name], role)


def test_mistyped_setting_is_refused() -> None:
    refuse_unknown_settings(SETTINGS)
    with pytest.raises(InvalidInput) as refused:
        refuse_unknown_settings(["ipv6", "queue_lifetme"])
    assert refused.value.message == 'no setting "queue_lifetme"; did you mean queue_lifetime?'
    with pytest.raises(InvalidInput) as refused:
        refuse_unknown_settings(["domains"])
    assert refused.value.message.startswith('no setting "domains"; there are recipient_check, proxy_interfaces, ')
