# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.configuration.master_cf import MasterCf
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.host import HostState
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.postscreen import PostscreenEvidence
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.mx.after import services_after
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.mx.decide import Decision
from ansible_collections.mxrelay.postfix.tests.unit.plugins.module_utils.mx_decisions import (
    checks,
    host,
    listed,
    secondary,
)

# As an administrator may have left it: tabs, comments, an override of their own.
MASTER = """# service
smtp\tinet n - y\t-   -  smtpd
# why not
\t-o smtpd_banner=$myhostname  ESMTP
    -o content_filter=
#smtp      inet  n       -       y       -       1       postscreen
#smtpd     pass  -       -       y       -       -       smtpd
relay     unix  -       -       y       -       -       smtp
dnsblog   unix  -       -       y       -       0       dnsblog"""
VALUES = {
    "smtpd_service_name": "smtpd",
    "dnsblog_service_name": "dnsblog",
    "tlsproxy_service_name": "tlsproxy",
    "postscreen_access_list": "permit_mynetworks",
    "postscreen_greet_action": "ignore",
    "master_service_disable": "",
}
KNOWN = PostscreenEvidence(
    exchangers={"mx2.x.example": ["192.0.2.20", "2001:db8::20"], "self": ["192.0.2.9"]}, cache_type="btree"
)
OURS = {
    "postscreen_greet_action": "enforce",
    "postscreen_dnsbl_action": "enforce",
    "postscreen_denylist_action": "enforce",
    "postscreen_access_list": "permit_mynetworks,inline:{192.0.2.20=permit,2001:db8::20=permit}",
    "postscreen_cache_map": "btree:$data_directory/mxrelay_postscreen",
}
LOGGING = {**OURS, **dict.fromkeys([*OURS][:3], "ignore")}


def mx(text: str = MASTER, known: PostscreenEvidence = KNOWN, **fields: Any) -> HostState:
    values = {**VALUES, **fields.pop("values", {})}
    services = MasterCf(text).effective
    return host(values=values, services=services, postscreen=known, own_addresses=frozenset({"192.0.2.9"}), **fields)


def asked(mode: str, on: HostState, *domains: Mapping[str, Any], sites: tuple[str, ...] = ()) -> Decision:
    return secondary(*(domains or [listed()]), on=on, postscreen={"mode": mode, "dnsbl_sites": [*sites]})


def done(text: str, decision: Decision) -> str:
    file = MasterCf(text)
    for key, change in decision.services.items():
        file.apply(change.request(key).checked("x"), lambda: "n", lambda: True)
    return str(file)


def overrides(text: str, key: str = "smtp/inet") -> dict[str, str]:
    (found,) = [service for service in MasterCf(text).effective if service.key == key]
    return found.overrides


def test_not_given_changes_nothing() -> None:
    assert "smtp/inet" not in secondary(listed(), on=mx()).services


def test_server_moves_behind_postscreen_with_all_that_it_has() -> None:
    text = done(MASTER, asked("enforce", mx(), sites=("bl.example*2", "b.example")))
    moved = MASTER.replace("smtp\tinet n - y", "smtpd\tpass - - y", 1)
    assert text.startswith(moved)
    assert text[len(moved) :] == (
        "\nsmtp      inet  n       -       y       -       1       postscreen\n"
        "  -o smtpd_banner=$myhostname\n"
        + "".join(f"  -o {name}={value}\n" for name, value in OURS.items())
        + "  -o postscreen_dnsbl_sites=bl.example*2,b.example\n"
        "  -o dnsblog_service_name=dnsblog\n"
        "tlsproxy  unix  -       -       y       -       0       tlsproxy"
    )


@pytest.mark.parametrize("end", ["", "\n", "\n# the end\n"])
def test_off_gives_the_bytes_of_before(end: str) -> None:
    before = MASTER + end
    once = done(before, asked("log", mx(before)))
    assert overrides(once) == {**LOGGING, "smtpd_banner": "$myhostname", "dnsblog_service_name": "dnsblog"}
    again = asked("log", mx(once))
    assert done(once, again) == once
    enforced = done(once, asked("enforce", mx(once), sites=("bl.example",)))
    assert overrides(enforced)["postscreen_dnsbl_sites"] == "bl.example"
    back = done(enforced, asked("log", mx(enforced)))
    assert overrides(back) == overrides(once)
    assert done(back, asked("off", mx(back))) == before
    assert asked("off", mx(before)).services == {}


def test_off_needs_no_domain_and_keeps_what_was_set_meanwhile() -> None:
    text = done(MASTER, asked("log", mx())).replace(
        "-o content_filter=\n", "-o content_filter=\n    -o smtpd_timeout=9s\n"
    )
    decision = asked("off", mx(text), {"name": "x.example", "state": "absent"})
    assert done(text, decision) == MASTER.replace(
        "-o content_filter=\n", "-o content_filter=\n    -o smtpd_timeout=9s\n"
    )


def test_what_an_administrator_adds_to_our_entry_stays_until_it_goes() -> None:
    text = done(MASTER, asked("log", mx())).replace("dnsblog_service_name=dnsblog", "postscreen_greet_wait=3s")
    assert overrides(done(text, asked("log", mx(text))))["postscreen_greet_wait"] == "3s"


def test_old_names_are_used_by_old_releases() -> None:
    text = done(MASTER, asked("log", mx(version=(3, 5, 25))))
    assert overrides(text)["postscreen_blacklist_action"] == "ignore"
    assert "postscreen_denylist_action" not in overrides(text)


def test_address_that_is_let_in_stays_and_hosts_with_another_one_each_time_change_nothing() -> None:
    text = done(MASTER, asked("log", mx()))
    other = replace(KNOWN, exchangers={"mx2.x.example": ["192.0.2.20", "192.0.2.21"], "gone": []})
    assert done(text, asked("log", mx(text, other))) == text
    new = replace(KNOWN, exchangers={"mx3.x.example": ["192.0.2.3"]})
    inline = "inline:{192.0.2.20=permit,192.0.2.3=permit,2001:db8::20=permit}"
    assert overrides(done(text, asked("log", mx(text, new))))["postscreen_access_list"] == f"permit_mynetworks,{inline}"


def test_list_of_exceptions_of_main_cf_still_counts() -> None:
    values = {"postscreen_access_list": "permit_mynetworks, cidr:/etc/postfix/who"}
    text = done(MASTER, asked("log", mx(known=PostscreenEvidence(cache_type="lmdb"), values=values)))
    assert overrides(text)["postscreen_access_list"] == "permit_mynetworks,cidr:/etc/postfix/who"
    assert overrides(text)["postscreen_cache_map"] == "lmdb:$data_directory/mxrelay_postscreen"


def test_other_mx_hosts_can_not_be_named_before_inline_tables() -> None:
    decision = asked("log", mx(version=(2, 11, 0)))
    assert overrides(done(MASTER, decision))["postscreen_access_list"] == "permit_mynetworks"
    assert any("is not told of the other MX hosts" in note for note in decision.notes)


def test_refused_mail_sets_its_override_where_the_server_then_is() -> None:
    values = {"smtpd_discard_ehlo_keywords": "", "internal_mail_filter_classes": "", "notify_classes": ""}
    on = mx(MASTER, values=values)
    decision = asked("log", on, listed(refused_mail="hold"))
    assert decision.services["smtpd/pass"].renamed_from == "smtp/inet"
    after = services_after(on.services, decision.services)
    assert {service.key for service in after} >= {"smtpd/pass", "smtp/inet", "tlsproxy/unix"}


@pytest.mark.parametrize(
    ("text", "fields", "words"),
    [
        (MASTER, {"version": (2, 7, 0)}, "Postfix before 2.8 has no postscreen"),
        (MASTER, {"known": PostscreenEvidence()}, "neither btree nor lmdb works on this host"),
        (MASTER.replace("  smtpd", "  amavisd", 1), {}, "smtp/inet of master.cf runs amavisd"),
        (MASTER.replace("smtp\tinet", "127.0.0.1:smtp inet"), {}, "master.cf has no server at port 25"),
        ("25 inet n - y - - smtpd\n" + MASTER, {}, "master.cf has 25/inet and smtp/inet at port 25"),
        (MASTER + "\nsmtpd pass - - y - - smtpd\n", {}, "already has a service smtpd/pass"),
        (MASTER, {"values": {"smtpd_upstream_proxy_protocol": "haproxy"}}, "smtpd_upstream_proxy_protocol is haproxy"),
        (MASTER, {"values": {"smtpd_tls_wrappermode": "yes"}}, "smtp/inet speaks TLS from the first byte"),
        (MASTER, {"values": {"master_service_disable": "pass"}}, "master_service_disable contains pass"),
    ],
)
def test_server_that_can_not_be_moved_is_refused(text: str, fields: dict[str, Any], words: str) -> None:
    decision = asked("log", mx(text, **fields))
    assert [words in refusal.cause for refusal in decision.refusals if refusal.check == "postscreen"] == [True]
    assert "smtpd/pass" not in decision.services


THEIRS = MASTER.replace("smtp\tinet n - y\t-   -  smtpd", "smtpd pass - - y - - smtpd").replace(
    "#smtp      inet", "smtp      inet"
)


@pytest.mark.parametrize(
    ("mode", "values", "sites", "words"),
    [
        ("off", {}, (), ["what was there before is not known"]),
        ("log", {}, (), []),
        ("log", {"postscreen_greet_action": "drop"}, (), ["its postscreen_greet_action is drop"]),
        ("enforce", {}, (), ["its postscreen_greet_action is ignore"]),
        ("enforce", {"postscreen_greet_action": "drop"}, (), []),
        ("log", {}, ("bl.example",), ["it does not ask bl.example"]),
        (
            "log",
            {"postscreen_dnsbl_sites": "bl.example", "postscreen_dnsbl_action": "enforce"},
            ("bl.example",),
            ["its postscreen_dnsbl_action is enforce"],
        ),
    ],
)
def test_postscreen_of_somebody_else_is_left_alone(
    mode: str, values: dict[str, str], sites: tuple[str, ...], words: list[str]
) -> None:
    decision = asked(mode, mx(THEIRS, values=values), sites=sites)
    causes = [refusal.cause for refusal in decision.refusals]
    assert [any(word in cause for cause in causes) for word in words] == [True] * len(words)
    assert len(causes) == len(words)
    assert "smtp/inet" not in decision.services


def test_without_the_server_behind_it_off_is_refused() -> None:
    text = done(MASTER, asked("log", mx())).replace("smtpd\tpass", "other\tpass")
    causes = [refusal.cause for refusal in asked("off", mx(text)).refusals]
    # The first is that of the check, which knows this state for a broken one.
    assert [cause for cause in causes if "which was smtp/inet before" in cause] == [
        "master.cf has no service smtpd/pass any more, which was smtp/inet before"
    ]


def test_setting_that_can_not_be_read_is_refused() -> None:
    assert checks(secondary(listed(), on=mx(), postscreen={"mode": "on"})) == [("", "postscreen")]
