# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The state after a change, as it is foreseen, is the one that is read once main.cf was changed."""

from __future__ import annotations

import tempfile
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.configuration.change import (
    MainCfRequest,
    plan_main_cf,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.mx.host import read_parameters
from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.mx.reading import MapReader
from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.mx.relay_domains import read_relay_domains
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.configuration.main_cf import split_items
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.host import HostState
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.mx.after import host_after
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.mx.plan import MainCfChange
from ansible_collections.mxrelay.postfix.tests.unit.plugins.module_utils.fake_mx_host import FakeMxHost

DOMAINS = ("x.example", "y.example", ".y.example")
TABLES = ("hash:/t/one", "hash:/t/two")
RESTRICTIONS = ("permit_mynetworks", "reject_unauth_destination", "defer_unauth_destination")


def lists(*members: str) -> st.SearchStrategy[str]:
    return st.lists(st.sampled_from(members), max_size=3, unique=True).map(", ".join)


# Names that others may refer to come first, so that none refers to itself.
MAIN_CF = st.fixed_dictionaries(
    {},
    optional={
        "theirs": lists(*DOMAINS),
        "mine": lists("$theirs", "z.example"),
        "mydestination": lists("$myhostname", "$mine"),
        "relay_domains": lists(*DOMAINS, "$mine", "$mydestination"),
        "transport_maps": lists(*TABLES, "hash:/t/$myhostname"),
        "relay_recipient_maps": lists(*TABLES, "$transport_maps"),
        "smtpd_recipient_restrictions": lists(*RESTRICTIONS),
        "smtpd_relay_restrictions": lists(*RESTRICTIONS, "$smtpd_recipient_restrictions"),
        "virtual_alias_domains": lists("${relay_domains}", "$theirs"),
        "virtual_mailbox_domains": lists("$virtual_alias_domains"),
    },
)
CHANGES = st.builds(
    MainCfChange,
    parameters=st.fixed_dictionaries(
        {},
        optional={
            "smtpd_relay_restrictions": lists(*RESTRICTIONS),
            "maximal_queue_lifetime": st.just("10d"),
            "proxy_interfaces": st.just("192.0.2.1"),
        },
    ),
    absent=st.lists(st.just("smtpd_recipient_restrictions"), max_size=1),
    add_items=st.fixed_dictionaries(
        {},
        optional={
            "relay_domains": st.lists(st.sampled_from(DOMAINS), min_size=1, unique=True),
            "transport_maps": st.just([TABLES[0]]),
            "relay_recipient_maps": st.just([TABLES[1]]),
        },
    ),
    remove_items=st.fixed_dictionaries({}, optional={"transport_maps": st.just([TABLES[1]])}),
)


def read(host: FakeMxHost) -> HostState:
    reader = MapReader(host.postfix())
    state = read_parameters(host.postfix(), reader)
    return state.having(read_relay_domains([], state, reader))


@given(main_cf=MAIN_CF, change=CHANGES)
def test_state_that_is_foreseen_is_what_is_read_afterwards(main_cf: dict[str, str], change: MainCfChange) -> None:
    if TABLES[1] not in split_items(main_cf.get("transport_maps", "")):
        change = replace(change, remove_items={})
    with tempfile.TemporaryDirectory() as directory:
        host = FakeMxHost(directory, "".join(f"{name} = {value}\n" for name, value in main_cf.items()))
        foreseen = host_after(read(host), change, {})
        request = MainCfRequest(change.parameters, change.absent, change.add_items, change.remove_items)
        host.write("main.cf", plan_main_cf(host.postfix(), request).after)
        seen = read(host)
    assert foreseen.values == seen.values
    assert foreseen.parameters == seen.parameters
    assert foreseen.explicit == seen.explicit
    assert foreseen.relayed == seen.relayed
