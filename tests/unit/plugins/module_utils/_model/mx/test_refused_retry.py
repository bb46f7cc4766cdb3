# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.host import HostState, TableState
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.mx.decide import Decision
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.mx.plan import ServiceChange
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.mx.refused_retry import FOR_NOW
from ansible_collections.mxrelay.postfix.tests.unit.plugins.module_utils.mx_decisions import (
    TRANSPORT,
    checks,
    host,
    listed,
    primary,
    secondary,
    service,
)

FILTERS = TableState("regexp:/t/relay_refused_retry", "/t/relay_refused_retry", "regexp")
PROBES = TableState("hash:/t/relay_verify_transport", "/t/relay_verify_transport", "hash")
REPORTS = TableState("regexp:/t/relay_refused_mail", "/t/relay_refused_mail", "regexp")
RETRIED = listed(refused_mail="hold", refused_mail_retry=True)
FILTERED = {"smtp_delivery_status_filter": "regexp:/t/relay_refused_retry"}


def mx(**fields: Any) -> HostState:
    return host(**{"filters": FILTERS, "probes": PROBES, "refused": REPORTS, **fields})


def retrying(plan: Decision) -> ServiceChange:
    return plan.services["relay_retry/unix"]


def test_mail_of_a_primary_goes_by_a_service_that_puts_refusals_off_and_probes_do_not() -> None:
    plan = primary(RETRIED, on=mx())
    assert plan.refusals == []
    assert plan.routes.rows == {"x.example": "relay_retry:[mail.example]"}
    assert plan.probes == {"x.example": "relay:[mail.example]"}
    assert plan.filters == FOR_NOW
    assert plan.main_cf.parameters["address_verify_transport_maps"] == (
        "hash:/t/relay_verify_transport, $transport_maps"
    )
    assert retrying(plan) == ServiceChange(FILTERED, "smtp")


def test_mail_of_a_secondary_is_looked_up_by_mx_all_the_same() -> None:
    plan = secondary({**RETRIED, "subdomains": True}, on=mx())
    assert plan.routes.rows == {"x.example": "relay_retry:", ".x.example": "relay_retry:"}
    assert plan.probes == {"x.example": "relay:", ".x.example": "relay:"}


def test_service_is_like_the_relay_service_as_it_is_to_be() -> None:
    relay = replace(service(syslog_name="r", smtp_helo_timeout="9"), chroot="y", process_limit="7")
    there = service("relay_retry", "unix", "smtp", smtp_old="1", **FILTERED)
    on = mx(services=[service("smtp", "inet", "smtpd"), relay], values={"smtp_fallback_relay": "smart"})
    alike = {"syslog_name": "r", "smtp_helo_timeout": "9", "smtp_fallback_relay": "", **FILTERED}
    assert retrying(primary(RETRIED, on=on)) == ServiceChange(alike, "smtp", None, True, "7")
    plan = primary(RETRIED, on=replace(on, services=[*on.services, there]))
    assert retrying(plan) == ServiceChange({**alike, "smtp_old": None}, "", None, True, "7")


def test_limits_of_the_relay_service_hold() -> None:
    plan = primary(RETRIED, on=mx(), mail_host_concurrency="3")
    assert plan.main_cf.parameters["relay_retry_destination_concurrency_limit"] == (
        "$relay_destination_concurrency_limit"
    )
    on = mx(values={"relay_destination_rate_delay": "1s"})
    assert plan.main_cf.parameters.get("relay_retry_destination_rate_delay") is None
    assert primary(RETRIED, on=on).main_cf.parameters["relay_retry_destination_rate_delay"] == (
        "$relay_destination_rate_delay"
    )


def done(theirs: str = "$transport_maps") -> HostState:
    """A host on which one domain is retried, whose probes go by `theirs` as well."""
    value = f"hash:/t/relay_verify_transport, {theirs}"
    return mx(
        services=[service("smtp", "inet", "smtpd"), service(), service("relay_retry", "unix", "smtp", **FILTERED)],
        filters=replace(FILTERS, rows=FOR_NOW),
        probes=replace(PROBES, rows={"x.example": "relay:[mail.example]"}),
        transport=replace(TRANSPORT, rows={"x.example": "relay_retry:[mail.example]"}),
        values={
            "address_verify_transport_maps": value,
            "relay_destination_rate_delay": "1s",
            "relay_retry_destination_rate_delay": "$relay_destination_rate_delay",
        },
        relayed={"x.example": "x.example"},
    )


def test_second_run_changes_nothing() -> None:
    plan = primary(RETRIED, on=done())
    assert plan.probes == done().probes.rows if done().probes else False
    assert {"address_verify_transport_maps", "relay_retry_destination_rate_delay"}.isdisjoint(plan.main_cf.parameters)
    assert retrying(plan) == ServiceChange(FILTERED)


def test_domain_that_is_no_longer_retried_takes_it_all_back() -> None:
    plan = primary(listed(), on=done())
    assert plan.routes.rows == {"x.example": "relay:[mail.example]"}
    assert (plan.filters, list(plan.filters_removed)) == ({}, list(FOR_NOW))
    assert (plan.probes, list(plan.probes_removed)) == ({}, ["x.example"])
    assert retrying(plan) == ServiceChange(state="absent")
    assert set(plan.main_cf.absent) == {"address_verify_transport_maps", "relay_retry_destination_rate_delay"}


def test_service_stays_for_mail_on_its_way_to_a_domain_that_goes_and_goes_with_the_next_run() -> None:
    gone = {"name": "x.example", "state": "absent"}
    plan = primary(gone, on=done())
    assert (list(plan.routes.removed), list(plan.probes_removed)) == (["x.example"], ["x.example"])
    assert "relay_retry/unix" not in plan.services
    assert plan.main_cf.absent == []
    assert plan.notes == ["the service relay_retry/unix stays for mail that is on its way; the next run removes it"]
    later = replace(done(), transport=TRANSPORT, probes=PROBES, relayed={})
    plan = primary(gone, on=later)
    assert retrying(plan) == ServiceChange(state="absent")
    assert (list(plan.filters_removed), "address_verify_transport_maps" in plan.main_cf.absent) == (list(FOR_NOW), True)


def test_ways_of_others_for_probes_stay() -> None:
    plan = primary(listed(), on=done("hash:/theirs"))
    assert plan.main_cf.parameters["address_verify_transport_maps"] == "hash:/theirs"
    plan = primary(RETRIED, on=mx(values={"address_verify_transport_maps": "hash:/theirs"}))
    assert plan.main_cf.parameters["address_verify_transport_maps"] == "hash:/t/relay_verify_transport, hash:/theirs"


def test_domain_that_stays_keeps_it() -> None:
    plan = primary(listed(), RETRIED | {"name": "y.example"}, on=done())
    assert (list(plan.filters_removed), list(plan.probes_removed)) == ([], ["x.example"])
    assert plan.routes.rows == {"x.example": "relay:[mail.example]", "y.example": "relay_retry:[mail.example]"}
    assert "relay_retry/unix" in plan.services


def test_release_without_the_filter_is_refused() -> None:
    plan = primary(RETRIED, on=mx(version=(2, 11, 0)))
    assert checks(plan) == [("x.example", "refused_mail_retry")]


def test_filter_puts_off_what_is_final_and_nothing_else() -> None:
    ((pattern, result),) = FOR_NOW.items()
    said = re.match(pattern.strip("/"), "5.7.1 550 5.7.1 go away")
    assert said and result.replace("$1", said.group(1)) == "4.7.1 550 5.7.1 go away"
    assert not re.match(pattern.strip("/"), "4.7.1 450 later")
    assert not re.match(pattern.strip("/"), "2.0.0 250 ok")


def test_limit_that_the_relay_service_has_no_more_goes() -> None:
    on = mx(values={"relay_retry_destination_rate_delay": "$relay_destination_rate_delay"})
    assert primary(RETRIED, on=on).main_cf.absent == ["relay_retry_destination_rate_delay"]


def test_table_of_another_type_makes_way() -> None:
    moved = TableState("lmdb:/t/p", "/t/p", "lmdb", replaces=("hash:/t/relay_verify_transport",))
    plan = primary(RETRIED, on=replace(done(), probes=moved))
    assert plan.main_cf.parameters["address_verify_transport_maps"] == "lmdb:/t/p, $transport_maps"
    plan = primary(listed(), on=replace(done(), probes=moved))
    assert "address_verify_transport_maps" in plan.main_cf.absent


def test_table_that_is_gone_takes_nothing_along() -> None:
    lost = replace(PROBES, member=PROBES.reference)
    plan = primary(listed(), on=replace(done(), probes=lost))
    assert ("relay_retry/unix" in plan.services, plan.main_cf.absent) == (False, [])
