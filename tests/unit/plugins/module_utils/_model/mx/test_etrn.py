# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.host import HostState
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.mx.after import host_after
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.mx.decide import Decision
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.mx.plan import ServiceChange
from ansible_collections.mxrelay.postfix.tests.unit.plugins.module_utils.mx_decisions import (
    checks,
    host,
    listed,
    primary,
    secondary,
    service,
)

LIST = "smtpd_etrn_restrictions"
CLASSES = "smtpd_restriction_classes"
CLASS = "mxrelay_etrn"
FIRST = f"{CLASS}_1"
SECOND = f"{CLASS}_2"
SAFE = "permit_mynetworks, reject"
MAIL = "192.0.2.10"
OF_MAIL = f"check_client_access cidr:{{{{{MAIL} OK}}}}, reject"
KEPT = listed(etrn_from=[MAIL])


def mx(present: str | None = SAFE, classes: str = "", **fields: Any) -> HostState:
    """A host with that value of smtpd_etrn_restrictions, and of its classes; None or "": main.cf does not set it."""
    values = {
        LIST: present or "",
        CLASSES: classes,
        "fast_flush_domains": "x.example",
        "parent_domain_matches_subdomains": "smtpd_access_maps",
        **fields.pop("values", {}),
    }
    state = host(**fields, values=values)
    unset = {"fast_flush_domains", *([LIST] if present is None else []), *([] if classes else [CLASSES])}
    return replace(state, explicit={name: value for name, value in state.explicit.items() if name not in unset})


def done(on: HostState, decision: Decision) -> HostState:
    """The host after a run."""
    return host_after(on, decision.main_cf, decision.services)


def ours(state: HostState) -> dict[str, str]:
    """What main.cf says of ETRN."""
    names = (LIST, CLASSES)
    return {name: text for name, text in state.explicit.items() if name in names or name.startswith(CLASS)}


def test_domain_is_for_its_clients_alone_and_others_stay_as_they_were() -> None:
    decision = secondary(KEPT, on=mx("check_etrn_access hash:/theirs, permit"))
    assert checks(decision) == []
    assert ours(done(mx(), decision)) == {
        LIST: f"{CLASS}, check_etrn_access hash:/theirs, permit",
        CLASSES: f"{CLASS}, {FIRST}",
        CLASS: f"check_etrn_access inline:{{x.example={FIRST}}}",
        FIRST: OF_MAIL,
    }


def test_it_comes_before_what_the_role_sets_itself() -> None:
    assert secondary(KEPT, on=mx(None)).main_cf.parameters[LIST] == f"{CLASS}, {SAFE}"
    own = secondary(KEPT, on=mx(), etrn_restrictions=["permit"])
    assert own.main_cf.parameters[LIST] == f"{CLASS}, permit"


@pytest.mark.parametrize("classes", ["", "theirs"])
@pytest.mark.parametrize("present", [SAFE, "", "check_client_access cidr:{{192.0.2.0/24 OK}},\treject"])
def test_taken_away_it_leaves_what_was_there(present: str, classes: str) -> None:
    on = mx(present, classes)
    kept = done(on, secondary(KEPT, on=on))
    again = secondary(KEPT, on=kept)
    assert done(kept, again) == kept
    without = done(kept, secondary(listed(), on=kept))
    assert ours(without) == ours(on)
    gone = done(kept, secondary(listed(state="absent", etrn_from=[MAIL]), on=kept))
    assert ours(gone) == ours(on)


def test_clients_are_shared_by_the_domains_that_have_the_same() -> None:
    items = [
        listed("a.example", etrn_from=f"{MAIL}\n198.51.100.7"),
        listed("b.example", etrn_from=["192.0.2.0/24"]),
        listed("c.example", etrn_from=["198.51.100.7", MAIL]),
    ]
    parameters = secondary(*items, on=mx()).main_cf.parameters
    assert {name: text for name, text in parameters.items() if name.startswith(CLASS)} == {
        CLASS: f"check_etrn_access inline:{{a.example={FIRST}, b.example={SECOND}, c.example={FIRST}}}",
        FIRST: f"check_client_access cidr:{{{{{MAIL} OK}}, {{198.51.100.7 OK}}}}, reject",
        SECOND: "check_client_access cidr:{{192.0.2.0/24 OK}}, reject",
    }


def test_class_that_nobody_needs_goes() -> None:
    on = mx()
    two = [KEPT, listed("y.example", etrn_from=["192.0.2.11"])]
    both = done(on, secondary(*two, on=on))
    assert ours(both)[CLASSES] == f"{CLASS}, {FIRST}, {SECOND}"
    one = done(both, secondary(KEPT, listed("y.example"), on=both))
    assert ours(one) == ours(done(on, secondary(KEPT, on=on)))


def test_domain_of_the_other_role_keeps_its_clients() -> None:
    on = mx()
    kept = done(on, secondary(KEPT, on=on))
    both = primary(listed("y.example", etrn_from=["192.0.2.11"]), on=kept)
    assert both.main_cf.parameters[CLASS] == f"check_etrn_access inline:{{x.example={FIRST}, y.example={SECOND}}}"
    lost = replace(kept, relayed={})
    alone = primary(listed("y.example", etrn_from=["192.0.2.11"]), on=lost)
    assert alone.main_cf.parameters[CLASS] == f"check_etrn_access inline:{{y.example={FIRST}}}"


@pytest.mark.parametrize(
    ("parents", "rows"),
    [
        ("smtpd_access_maps", f"x.example={FIRST}, below.x.example=DUNNO, theirs.x.example=DUNNO"),
        (
            "",
            f".x.example={FIRST}, x.example={FIRST}, below.x.example=DUNNO, theirs.x.example=DUNNO, "
            ".below.x.example=DUNNO, .theirs.x.example=DUNNO",
        ),
    ],
)
def test_subdomains_belong_to_it_but_for_those_that_are_relayed_themselves(parents: str, rows: str) -> None:
    on = mx(
        values={"parent_domain_matches_subdomains": parents},
        relayed={"theirs.x.example": "theirs.x.example", "other.example": "other.example"},
    )
    parameters = secondary(KEPT, listed("below.x.example"), on=on).main_cf.parameters
    assert parameters[CLASS] == f"check_etrn_access inline:{{{rows}}}"


def test_service_with_a_list_of_its_own_has_it_as_well() -> None:
    own = service("smtp", "inet", "smtpd", **{LIST: "reject"})
    submission = service(
        "submission", "inet", "smtpd", smtpd_client_restrictions="permit_sasl_authenticated, reject", **{LIST: "reject"}
    )
    proxied = service("2525", "inet", "smtpd", smtpd_upstream_proxy_protocol="haproxy", **{LIST: "reject"})
    on = mx(services=[own, submission, proxied, service()])
    decision = secondary(KEPT, on=on)
    assert decision.services["smtp/inet"] == ServiceChange({LIST: f"{CLASS}, reject"})
    assert {"submission/inet", "2525/inet"}.isdisjoint(decision.services)
    kept = done(on, decision)
    assert secondary(listed(), on=kept).services["smtp/inet"] == ServiceChange({LIST: "reject"})


def test_host_without_it_is_not_touched() -> None:
    decision = secondary(on=mx("permit"))
    names = {LIST, CLASS, CLASSES}
    assert names.isdisjoint({*decision.main_cf.parameters, *decision.main_cf.absent, *decision.main_cf.add_items})


def test_other_form_of_a_domain_needs_no_row() -> None:
    main_cf = secondary(listed("bücher.example", etrn_from=[MAIL]), on=mx()).main_cf
    assert {LIST, CLASS, CLASSES}.isdisjoint({*main_cf.parameters, *main_cf.add_items})


@pytest.mark.parametrize(
    ("on", "clients", "cause"),
    [
        (mx(version=(2, 11, 1)), [MAIL], "Postfix before 3.0 has no inline tables, by which etrn_from holds"),
        (mx(version=(3, 5, 25)), ["2001:db8::/64"], "Postfix before 3.7 takes no IPv6 network (2001:db8::/64)"),
        (mx(version=(3, 5, 25)), ["2001:db8::1", "192.0.2.0/25"], ""),
        (mx(version=(3, 7, 0)), ["2001:db8::/64"], ""),
    ],
)
def test_older_release_is_refused(on: HostState, clients: list[str], cause: str) -> None:
    found = [refusal for refusal in secondary(listed(etrn_from=clients), on=on).refusals if refusal.check == "etrn"]
    assert [(refusal.domain, refusal.cause.startswith(cause)) for refusal in found] == [("x.example", True)] * bool(
        cause
    )


@pytest.mark.parametrize(
    ("flushed", "refused"),
    [
        ("$relay_domains", False),
        ("X.example", False),
        ("example", False),
        ("hash:/flushed", False),
        ("other.example", True),
        ("", True),
    ],
)
def test_domain_that_is_not_flushed_is_refused(flushed: str, refused: bool) -> None:
    state = mx()
    on = replace(state, explicit={**state.explicit, "fast_flush_domains": flushed})
    assert [found for found in checks(secondary(KEPT, on=on)) if found[1] == "etrn"] == [
        ("x.example", "etrn")
    ] * refused


@pytest.mark.parametrize("wrong", ["mail.example", "192.0.2.1/24", "192.0.2.256"])
def test_what_is_no_address_is_refused(wrong: str) -> None:
    (refusal,) = secondary(listed(etrn_from=[wrong])).refusals
    assert (refusal.domain, refusal.check, refusal.cause) == (
        "x.example",
        "invalid",
        f'"x.example" (domains[0]) has "{wrong}" in etrn_from, which is no address and no network',
    )
