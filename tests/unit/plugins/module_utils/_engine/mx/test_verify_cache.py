# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.mx.info import inform
from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.mx.verify_cache import (
    VerifyCache,
    read_verify_cache,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.host import HostState
from ansible_collections.mxrelay.postfix.tests.unit.plugins.module_utils.fake_mx_host import (
    FakeMxHost,
    FakeNetwork,
    FakeProber,
)
from ansible_collections.mxrelay.postfix.tests.unit.plugins.module_utils.mx_host_plans import CLOSED, plan

NO_BTREE = "unsupported dictionary type: btree"
ASKED = {"name": "x.example", "mail_host": "mail.example", "recipients_policy": "verify"}


@pytest.fixture
def host(tmp_path: Path) -> FakeMxHost:
    return FakeMxHost(str(tmp_path), f"{CLOSED}address_verify_map = btree:$queue_directory/verify_cache\n")


@pytest.mark.parametrize(
    ("cache", "broken", "found"),
    [
        ("btree:/x", set(), VerifyCache()),
        ("proxy:btree:/x", set(), VerifyCache()),
        ("", {"btree"}, VerifyCache()),
        ("btree:/x", {"btree", "hash"}, VerifyCache(NO_BTREE, "lmdb")),
        ("proxy:btree:/x", {"btree", "lmdb"}, VerifyCache(NO_BTREE, "hash")),
        ("btree:/x", {"btree", "hash", "lmdb"}, VerifyCache(NO_BTREE, "")),
        ("cdb:/x", set(), VerifyCache("unsupported non-bulk change request", "lmdb")),
        ("texthash:/x", {"lmdb"}, VerifyCache("unsupported dictionary type: texthash", "btree")),
        ("memcache:/x", set(), VerifyCache("unsupported dictionary type: memcache", "lmdb")),
    ],
)
def test_cache_works_if_its_type_takes_an_entry(
    host: FakeMxHost, cache: str, broken: set[str], found: VerifyCache
) -> None:
    host.broken_types = broken
    assert read_verify_cache(host.postfix(), HostState(values={"address_verify_map": cache}), True) == found


def test_nothing_is_asked_where_nobody_is_verified(host: FakeMxHost) -> None:
    state = HostState(values={"address_verify_map": "cdb:/x"})
    assert read_verify_cache(host.postfix(), state, False) == VerifyCache()
    assert host.commands == []


def refusals(host: FakeMxHost, **fields: Any) -> list[tuple[str, str, str, str]]:
    found = plan(host, {**ASKED, **fields})["refusals"]
    return [(finding["domain"], finding["check"], finding["cause"], finding["remedy"]) for finding in found]


def test_policy_verify_is_refused_where_no_answer_would_be_remembered(host: FakeMxHost) -> None:
    assert refusals(host) == []
    host.broken_types = {"btree"}
    assert refusals(host) == [
        (
            "x.example",
            "verify_cache",
            "address_verify_map is btree:/nowhere/verify_cache, and that type keeps nothing here (unsupported "
            "dictionary type: btree), so no answer of a mail host is remembered: every recipient is accepted, also "
            "those that do not exist",
            "set address_verify_map to lmdb:$data_directory/verify_cache with mxrelay.postfix.main_cf",
        )
    ]
    assert refusals(host, recipients_policy="any") == []


def test_host_that_verifies_and_remembers_nothing_is_found(host: FakeMxHost) -> None:
    host.write(
        "main.cf",
        "relay_domains = x.example\naddress_verify_map = cdb:/x\nunverified_recipient_defer_code = 250\n"
        "smtpd_relay_restrictions = reject_unauth_destination, reject_unverified_recipient\n",
    )
    for cache, found in (("cdb:/x", ["verify_cache"]), ("btree:/x", [])):
        main_cf = Path(host.path("main.cf"))
        main_cf.write_text(main_cf.read_text().replace("cdb:/x", cache))
        results = inform({"domains": ["x.example"]}, host.postfix(), FakeNetwork(), FakeProber()).results
        assert [finding["check"] for finding in results["findings"] if finding["check"] == "verify_cache"] == found
