# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Mail that was accepted here and is then refused for good: its report is kept from strangers, by domain.

The bounces of the host go through a cleanup service of their own, whose body checks know the reports of these domains
by the recipients that they name. See bounce(8), cleanup(8), header_checks(5).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.checks.result import Refusal
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.configuration.main_cf import split_items
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.configuration.master_cf import Service, as_request
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.domain import ABSENT
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.facts import (
    effective,
    services_for_strangers,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.host import HostState
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.refused_mail import (
    BOUNCE_CLEANUP,
    DISCARDED,
    DISCARDS,
    REFUSED_NAME,
    bounce_services,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.reports import REDIRECT, ReportEvidence
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.sending import sending_service
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.mx.plan import ServiceChange
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.mx.request import (
    BOUNCE,
    HOLD,
    DomainItem,
    MxRequest,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.mx.subdomain_patterns import (
    domain_of_report_pattern,
    report_patterns,
)

CHECK = "refused_mail"
# Lines that name no recipient are passed over at once, however many domains there are.
OTHER_LINES = "!/^(Final|Original)-Recipient:/"
_PASS = "DUNNO"
# As much as Postfix counts: the whole message is part of the report.
_WHOLE = "2000000000"
# A report names each recipient; more of them than one message may have do not fill so much.
_ALL_RECIPIENTS = "20000000"
# By these cleanup looks at what is handed to it.
_LOOKING = ("header_checks", "mime_header_checks", "nested_header_checks", "non_smtpd_milters")
_ADDED = {"internal_mail_filter_classes": ("bounce",), "notify_classes": ("2bounce",)}


@dataclass(frozen=True)
class RefusedMail:
    """Rows of the table of these domains to have and to remove, what services are to be, and reasons against it."""

    rows: Mapping[str, str] = field(default_factory=dict)
    removed: Sequence[str] = ()
    services: Mapping[str, ServiceChange] = field(default_factory=dict)
    notes: Sequence[str] = ()
    refusals: Sequence[Refusal] = ()


def refused_mail(request: MxRequest, host: HostState, leaving: Sequence[str]) -> RefusedMail:
    """What the declared domains need; `leaving` are patterns of domains that go."""
    kept = [item for item in request.present if item.refused_mail != BOUNCE]
    present = host.refused.rows if host.refused else {}
    target, refusals = _target(request, host, kept)
    patterns = report_patterns([(item.name, item.subdomains) for item in kept], request.declared)
    rows = {pattern: _action(item, [target]) for item, pattern in zip(kept, patterns)}
    declared = {item.name for item in request.present}
    removed = [*leaving]
    removed += [row for row in present if domain_of_report_pattern(row) in declared and row not in rows]
    staying = [row for row in present if row not in removed and row != OTHER_LINES]
    if rows:
        return RefusedMail(
            {OTHER_LINES: _PASS, **rows},
            list(dict.fromkeys(removed)),
            _services(host),
            refusals=[*refusals, *_against(kept, host)],
        )
    if staying or host.refused is None:
        return RefusedMail(removed=list(dict.fromkeys(removed)))
    if host.refused.member and not host.refused.exists:
        # Whose reports it was about can't be told any more.
        note = f"{host.refused.reference} is gone: the role that keeps refused mail puts it back"
        return RefusedMail(notes=[note])
    removed += [OTHER_LINES] if OTHER_LINES in present else []
    return RefusedMail(removed=list(dict.fromkeys(removed)), services=_taken_back(host))


def _target(request: MxRequest, host: HostState, kept: Sequence[DomainItem]) -> tuple[str, list[Refusal]]:
    """The address that gets the reports, "" where it is not needed or not known; and what speaks against it."""
    redirected = [item for item in kept if item.refused_mail != HOLD]
    if not redirected:
        return "", []
    role = request.role or "mx"
    given = str(request.settings["refused_mail_to"])
    if not given:
        own = own_domain(host)
        if own:
            return f"postmaster@{own}", []
        cause = "no domain is delivered on this host, so there is no postmaster here to get its refused mail"
        return "", [Refusal(redirected[0].name, CHECK, cause, f"set {role}_refused_mail_to to an address")]
    local_part, _at, domain = given.rpartition("@")
    if not local_part or not domain or any(character.isspace() for character in given):
        return "", [Refusal("", CHECK, f'refused_mail_to "{given}" is not an address', "give it as user@domain")]
    looping = [item.name for item in redirected if item.name == domain.lower()]
    refusals = [
        Refusal(
            name,
            CHECK,
            "refused_mail_to is an address of this domain, whose mail host would refuse the report as well",
            "name an address elsewhere",
        )
        for name in looping
    ]
    return given, refusals


def report_targets(request: MxRequest, host: HostState) -> list[str]:
    """The address that is to get the reports of the declared domains, if it is known."""
    target, _refusals = _target(request, host, [item for item in request.present if item.refused_mail != BOUNCE])
    return [target] if target else []


def reports_after(request: MxRequest, host: HostState) -> ReportEvidence:
    """What becomes of reports on the host as a run has left it."""
    targets = report_targets(request, host)
    actions = {
        item.name: {service.key: _action(item, targets) for service in bounce_services(host)}
        for item in request.present
    }
    ours = host.refused.reference if host.refused else ""
    unread = {table: problem for table, problem in host.reports.unread.items() if table != ours}
    return replace(host.reports, actions={**host.reports.actions, **actions}, unread=unread)


def _action(item: DomainItem, targets: Sequence[str]) -> str:
    if item.refused_mail == BOUNCE:
        return ""
    return "HOLD" if item.refused_mail == HOLD else REDIRECT + "".join(targets)


def own_domain(host: HostState) -> str:
    """A domain that is delivered on this host, "" if main.cf names none."""
    members = [member.lower() for member in split_items(host.value("mydestination"))]
    names = ["localhost", host.value("myhostname").lower(), *members]
    return next((name for name in names if name in members and not set(":/!").intersection(name)), "")


def _against(kept: Sequence[DomainItem], host: HostState) -> list[Refusal]:
    """What of others stands where the mechanism is to go."""
    found = []
    ours = host.refused.reference if host.refused else ""
    cleanup = sending_service(host, BOUNCE_CLEANUP)
    theirs = _table_of(cleanup)
    if cleanup and theirs != ours:
        own = _is_ours(cleanup)
        cause = f"master.cf already has a service {cleanup.key} with body_checks {theirs or 'unset'}"
        remedy = "remove or rename that service"
        kept_table = "keep table_directory as it was, or run once with refused_mail: bounce for every domain"
        found.append(Refusal(kept[0].name, CHECK, cause, kept_table if own else remedy))
    for service in bounce_services(host):
        used = service.overrides.get("cleanup_service_name", BOUNCE_CLEANUP)
        if used != BOUNCE_CLEANUP:
            cause = f"{service.key} hands its reports to the service {used} (override cleanup_service_name)"
            found.append(Refusal(kept[0].name, CHECK, cause, f"remove that override of {service.key}"))
    return found


def _services(host: HostState) -> dict[str, ServiceChange]:
    """The services as they are to be while any domain's reports are kept from strangers."""
    if host.refused is None:
        return {}
    cleanup = sending_service(host, host.value("cleanup_service_name") or "cleanup")
    # Where the host has its bounces looked at already, that goes on.
    looks = "bounce" in split_items(host.value("internal_mail_filter_classes").lower())
    theirs = split_items(host.value("body_checks")) if looks else []
    found = {
        f"{BOUNCE_CLEANUP}/unix": ServiceChange(
            {
                "body_checks": ",".join([host.refused.reference, *theirs]),
                "body_checks_size_limit": _ALL_RECIPIENTS,
                "message_size_limit": "0",
                **({} if looks else dict.fromkeys(_LOOKING, "")),
            },
            # It is reached as the one that it stands beside.
            command="" if sending_service(host, BOUNCE_CLEANUP) else "cleanup",
            private=False,
            chroot=as_request(cleanup).chroot if cleanup else None,
            process_limit="0",
        )
    }
    for service in bounce_services(host):
        overrides: dict[str, str | None] = {"cleanup_service_name": BOUNCE_CLEANUP, "bounce_size_limit": _WHOLE}
        for name, members in _ADDED.items():
            overrides.update(_with(host, service, name, members))
        found[service.key] = ServiceChange(overrides)
    for service in services_for_strangers(host):
        overrides = dict(_with(host, service, DISCARDS, DISCARDED))
        if overrides:
            found[service.key] = ServiceChange(overrides)
    return found


def _table_of(cleanup: Service | None) -> str:
    """The first table by which the service judges reports."""
    return "".join(split_items(cleanup.overrides.get("body_checks", ""))[:1]) if cleanup else ""


def _is_ours(cleanup: Service | None) -> bool:
    """Whether a run has made the service, in whatever directory its table was."""
    return _table_of(cleanup).rpartition("/")[2] == REFUSED_NAME


def _hands_over(service: Service) -> bool:
    return service.overrides.get("cleanup_service_name") == BOUNCE_CLEANUP


def _with(host: HostState, service: Service, name: str, members: Sequence[str]) -> dict[str, str]:
    """The override by which a list of the service has these members as well; none if it has the last, which counts."""
    value = effective(host, service, name)
    if members[-1] in split_items(value.lower()):
        return {}
    text = service.overrides.get(name) or ",".join(split_items(value))
    return {name: ",".join([*([text] if text else []), *members])}


def _taken_back(host: HostState) -> dict[str, ServiceChange]:
    """The services as they were before `_services`: what somebody has set otherwise since stays."""
    cleanup = sending_service(host, BOUNCE_CLEANUP)
    reporting = bounce_services(host)
    if not (_is_ours(cleanup) if cleanup else any(map(_hands_over, reporting))):
        return {}
    found = {cleanup.key: ServiceChange(state=ABSENT)} if cleanup else {}
    for service in reporting:
        ours = {"cleanup_service_name": BOUNCE_CLEANUP, "bounce_size_limit": _WHOLE}
        overrides: dict[str, str | None] = {
            name: None for name, value in ours.items() if service.overrides.get(name) == value
        }
        for name, members in _ADDED.items():
            overrides.update(_without(host, service, name, members))
        found[service.key] = ServiceChange(overrides)
    for service in services_for_strangers(host):
        overrides = _without(host, service, DISCARDS, DISCARDED)
        if overrides:
            found[service.key] = ServiceChange(overrides)
    return found


def _without(host: HostState, service: Service, name: str, members: Sequence[str]) -> dict[str, str | None]:
    """What `_with` has changed, changed back: nothing if the override does not end in what it adds."""
    own = service.overrides.get(name, "")
    added = ",".join(members)
    if own != added and not own.endswith("," + added):
        return {}
    kept = own[: -len(added)].rstrip(",")
    bare = replace(service, overrides={key: value for key, value in service.overrides.items() if key != name})
    inherited = split_items(effective(host, bare, name)) == split_items(kept)
    return {name: None if inherited else kept}
