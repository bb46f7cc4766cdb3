# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.refused_mail import (
    bounce_services,
    cleanup_name,
    report_tables,
)
from ansible_collections.mxrelay.postfix.tests.unit.plugins.module_utils.mx_decisions import host, service

BOUNCE, DEFER = service("bounce", "unix", "bounce"), service("later", "unix", "/usr/sbin/bounce -v")


def test_services_that_report_are_those_that_main_cf_names() -> None:
    values = {"bounce_service_name": "bounce", "defer_service_name": "later"}
    services = [BOUNCE, DEFER, service("defer", "unix", "bounce"), service("trace", "unix", "bounce")]
    assert bounce_services(host(values=values, services=services)) == [BOUNCE, DEFER]


def test_service_for_both_counts_once_and_another_program_not() -> None:
    values = {"bounce_service_name": "bounce", "defer_service_name": "bounce"}
    assert bounce_services(host(values=values, services=[BOUNCE])) == [BOUNCE]
    assert bounce_services(host(values=values, services=[service("bounce", "unix", "discard")])) == []


CLEANUP = service("mine", "unix", "cleanup", body_checks="regexp:/r, pcre:/b")


def test_reports_are_judged_by_the_cleanup_service_that_gets_them_if_they_are_to_be() -> None:
    reporting = service("bounce", "unix", "bounce", cleanup_service_name="mine", internal_mail_filter_classes="Bounce")
    on = host(services=[reporting, CLEANUP])
    assert (cleanup_name(on, reporting), report_tables(on, reporting)) == ("mine", ["regexp:/r", "pcre:/b"])
    assert (cleanup_name(on, BOUNCE), report_tables(on, BOUNCE)) == ("cleanup", [])
    silent = service("bounce", "unix", "bounce", cleanup_service_name="mine")
    assert report_tables(on, silent) == []
