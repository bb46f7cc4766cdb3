# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.mx import postscreen
from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.mx.postscreen import (
    read_postscreen,
    with_greeting,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.configuration.master_cf import Service
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.host import HostState, MxRecord
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.postscreen import PostscreenEvidence
from ansible_collections.mxrelay.postfix.tests.unit.plugins.module_utils.fake_mx_host import FakeNetwork

SCREEN = Service("smtp", "inet", "n", "-", "y", "-", "1", "postscreen", {})
VALUES = {
    "myhostname": "mx.example",
    "postscreen_cache_map": "btree:/var/lib/postfix/postscreen_cache",
    "postscreen_access_list": "permit_mynetworks, cidr:/t/who",
    "proxy_interfaces": "",
}


class Reader:
    """Tables that say what they are given to say."""

    def ask(self, _table: str, keys: Any) -> dict[str, str]:
        return {key: "permit" for key in keys if key == "192.0.2.20"} | {"192.0.2.21": "reject"}


def host(*services: Service, **values: str) -> HostState:
    every = {**VALUES, **values}
    own = frozenset({"127.0.0.1", "::1", "2001:db8::9", "192.0.2.9"})
    return HostState(parameters=every, values=every, services=services, own_addresses=own, service_active=True)


def read(
    state: HostState, wanted: bool, monkeypatch: pytest.MonkeyPatch, working: tuple[str, ...] = ("btree", "lmdb")
) -> PostscreenEvidence:
    monkeypatch.setattr(postscreen, "cache_problem", lambda _postfix, kind: "" if kind in working else "no such type")
    network = FakeNetwork()
    network.records["x.example"] = (
        MxRecord(10, "mx.example", ("192.0.2.9",)),
        MxRecord(20, "mx2.example", ("192.0.2.20",)),
        MxRecord(30, "mx3.example", ("192.0.2.21",)),
    )
    reader: Any = Reader()
    return read_postscreen(None, network, state, reader, ["x.example"], wanted).postscreen


def test_host_without_postscreen_is_asked_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    assert read(host(), False, monkeypatch) == PostscreenEvidence()


def test_other_mx_hosts_are_read_with_whom_a_table_lets_in(monkeypatch: pytest.MonkeyPatch) -> None:
    assert read(host(SCREEN), False, monkeypatch) == PostscreenEvidence(
        exchangers={"mx2.example": ["192.0.2.20"], "mx3.example": ["192.0.2.21"]},
        let_in=frozenset({"192.0.2.20"}),
    )


@pytest.mark.parametrize(
    ("working", "value", "kind"),
    [
        (("btree", "lmdb"), "btree:/x", "btree"),
        (("btree", "lmdb"), "lmdb:/x", "lmdb"),
        (("lmdb",), "btree:/x", "lmdb"),
        (("btree", "lmdb", "cdb", "memcache"), "memcache:/x", "btree"),
        (("cdb",), "cdb:/x", ""),
    ],
)
def test_cache_gets_the_type_of_the_release_if_that_works(
    working: tuple[str, ...], value: str, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = read(host(postscreen_cache_map=value), True, monkeypatch, working)
    assert (found.cache_type, found.cache_problem) == (kind, "")


def test_cache_in_use_keeps_its_type_while_that_works(monkeypatch: pytest.MonkeyPatch) -> None:
    ours = replace(SCREEN, overrides={"postscreen_cache_map": "lmdb:/x/mxrelay_postscreen"})
    assert read(host(ours), True, monkeypatch).cache_type == "lmdb"
    lost = read(host(ours), True, monkeypatch, ("btree",))
    assert (lost.cache_type, lost.cache_problem) == ("btree", "no such type")


def test_greeting_is_awaited_at_the_address_that_others_reach() -> None:
    network = FakeNetwork()
    network.failures["192.0.2.9:25"] = "it does not answer"
    found = with_greeting(host(SCREEN), network).postscreen
    assert (found.asked, found.silent) == ("192.0.2.9", "it does not answer")
    named = replace(SCREEN, name="[2001:db8::9]:smtp")
    assert with_greeting(host(named), network).postscreen.asked == "2001:db8::9"
    balanced = replace(SCREEN, overrides={"postscreen_upstream_proxy_protocol": "haproxy"})
    assert with_greeting(host(balanced), network).postscreen.asked == ""


def test_nobody_is_greeted_without_postscreen_or_while_postfix_does_not_run() -> None:
    network: Any = FakeNetwork()
    stopped = replace(host(SCREEN), service_active=False)
    assert with_greeting(host(), network).postscreen == PostscreenEvidence()
    assert with_greeting(stopped, network).postscreen == PostscreenEvidence()
