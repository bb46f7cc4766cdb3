# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Makes the MX plan of a host: reads the host, decides, and asks the engines what each phase would change."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any, Callable

from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.configuration.change import (
    MainCfRequest,
    MasterCfRequest,
    plan_main_cf,
    plan_master_cf,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.configuration.listeners import taken_ports
from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.mx.evidence import gather, gather_tables
from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.mx.host import read_host
from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.mx.postscreen import with_greeting
from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.mx.reading import Evidence
from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.mx.reception import with_new_rules
from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.mx.record import (
    Standing,
    await_end,
    record_directory,
    standing,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.mx.standby import plan_standby
from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.tables.index import record_path
from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.tables.reference import read_settings
from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.tables.types import INDEX_SUFFIXES
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.checks.every import every_check
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.checks.result import Refusal
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.configuration.match_lists import lookup_keys
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.delimiters import DELIMITER
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.errors import HostError
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.host import HostState
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.tables import HostFacts
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.families import IDNA
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.findings import judge
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.idna import is_international
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.mx.after import host_after, ours_of, refusals_after
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.mx.cut_lists import removals_allowed
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.mx.decide import Decision, decide
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.mx.plan import (
    KEYED,
    MainCfChange,
    MasterCfChange,
    MxPlan,
    RecipientRows,
    Removal,
    ServicePlan,
    StandbyPlan,
    TableRows,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.mx.request import (
    MxRequest,
    in_both_forms,
    read_request,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.mx.subdomain_patterns import (
    domain_of_pattern,
    domain_of_report_pattern,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.outcome import Outcome, printable
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.packages import POSTFIX
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.words import some_of
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports import idna2008
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.files import refuse_unwritable
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.network import Network
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.os_release import family_of_host
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.postfix import Postfix

if TYPE_CHECKING:
    from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.smtp_probe import Prober

# So often a plan is made anew because another run began or ended meanwhile.
ATTEMPTS = 3


def plan_mx(
    params: Mapping[str, Any], postfix: Postfix, network: Network, prober: Callable[[], Prober] | None = None
) -> Outcome:
    """The plan as a module's outcome. `params` are those of the module mx_plan. Without `prober` no mail host is asked.

    Nothing is planned beside another run, which may take back what the plan would find.
    """
    run = params.get("_run") or {}
    own, ended = str(params.get("record") or ""), str(run.get("ended") or "")
    before = standing(postfix, own, ended)
    if before.other is not None and before.other.record == run.get("await"):
        await_end(postfix, before.other)
        before = standing(postfix, own, ended)
    outcome = _beside(before, params, postfix, network, prober)
    for _attempt in range(ATTEMPTS - 1):
        after = standing(postfix, own, ended)
        if after.mark == before.mark:
            break
        before, outcome = after, _beside(after, params, postfix, network, prober)
    return outcome


def _beside(
    found: Standing,
    params: Mapping[str, Any],
    postfix: Postfix,
    network: Network,
    prober: Callable[[], Prober] | None,
) -> Outcome:
    """The plan as far as another run lets it be made."""
    if found.other is not None:
        refusal = found.other.refusal(record_directory(postfix), f"{params.get('role') or 'mx'}_ended_run")
        return Outcome(results=MxPlan(refusals=[refusal], other_run=asdict(found.other)).as_result())
    return _planned(params, found, postfix, network, prober)


def _planned(
    params: Mapping[str, Any],
    found: Standing,
    postfix: Postfix,
    network: Network,
    prober: Callable[[], Prober] | None,
) -> Outcome:
    request = read_request(params, every_check())
    international = any(is_international(name) for name in request.declared) and _hears_both_forms(postfix)
    if international and idna2008.has_idna():
        request = in_both_forms(request, idna2008.a_label)
    evidence = read_host(postfix, network, request)
    evidence = replace(evidence, state=replace(evidence.state, called=str(params.get("host_name") or "")))
    if international and not idna2008.has_idna():
        packages = [*evidence.state.missing_packages, family_of_host().libraries[IDNA]]
        evidence = replace(evidence, needs_idna=True, state=replace(evidence.state, missing_packages=packages))
    decision = decide(request, evidence.state)
    plan = _plan(request, evidence, decision, postfix.config_directory)
    refusals = [*decision.refusals, *evidence.refusals]
    if evidence.state.installed and not refusals:
        changed, taken = _master_cf(postfix, plan.master_cf, plan.main_cf.parameters)
        plan = replace(plan, main_cf=_main_cf(postfix, plan.main_cf), master_cf=changed)
        plan = replace(plan, standby=_standby(postfix, evidence.state, decision))
        refusals += [*_half_run(request, plan), *_row_without_service(request, plan), *_unwritable(postfix, plan)]
        refusals += taken
    refusals += [*_not_utf8(plan), *_missing(request, evidence, plan)]
    plan = replace(
        plan,
        judge=bool(params.get("verify")),
        verify_fail_on=params.get("verify_fail_on"),
        run=params.get("_run") or {},
        left_behind=found.left_behind,
        mark=found.mark,
        acts=any(request.runs(phase) for phase in ("tables", "config", "service")),
    )
    if refusals or not _ends_as_it_is(request, plan, evidence):
        refusals += _left_wrong(request, plan, postfix, evidence, decision, refusals)
    plan = replace(plan, refusals=list(dict.fromkeys(refusals)))
    plan = replace(plan, findings=_findings(request, plan, postfix, evidence, network))
    warnings = _warnings(plan, evidence.state, request)
    if prober is not None and not plan.refusals:
        warnings += _of_delimiters(request, evidence, decision, postfix, network, prober)
    return Outcome(warnings=warnings, results=plan.as_result())


def _of_delimiters(
    request: MxRequest,
    evidence: Evidence,
    decision: Decision,
    postfix: Postfix,
    network: Network,
    prober: Callable[[], Prober],
) -> list[str]:
    """What is to be said of delimiters that are new here, of which mail hosts are asked."""
    wanted = decision.main_cf.parameters.get(DELIMITER, "")
    if evidence.reader is None or set(wanted) <= set(evidence.state.value(DELIMITER)):
        return []
    # Seldom needed, and all that it imports takes a while.
    from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.mx.delimiter_warnings import (
        Sources,
        delimiter_warnings,
    )

    after = host_after(evidence.state, decision.main_cf, decision.services)
    sources = Sources(postfix, evidence.reader, network)
    return delimiter_warnings(request, after, decision.routes, sources, prober())


def _hears_both_forms(postfix: Postfix) -> bool:
    """Whether smtputf8_enable is on, as it is by default where Postfix has yet to be installed."""
    return not postfix.installed() or read_settings(postfix).utf8


def _ends_as_it_is(request: MxRequest, plan: MxPlan, evidence: Evidence) -> bool:
    """Whether nothing will change, and the errors of this host as it is end the run."""
    fails = "local" in (plan.verify_fail_on or ()) and request.runs("verify")
    return plan.judge and fails and evidence.reader is not None and not plan.pending


def _left_wrong(
    request: MxRequest,
    plan: MxPlan,
    postfix: Postfix,
    evidence: Evidence,
    decision: Decision,
    refusals: Sequence[Refusal],
) -> list[Refusal]:
    """What would be wrong with the host as the run leaves it, the tables of others included, beside these refusals."""
    if evidence.reader is None:
        return []
    after = host_after(evidence.state, decision.main_cf, decision.services)
    refused = {refusal.domain for refusal in refusals}
    tables = [] if refusals else gather_tables(postfix, after, evidence.reader)
    ours = ours_of(after)
    names = [item.name for item in request.present]
    after = with_new_rules(names, after, evidence.state, ours, evidence.reader)
    theirs = [table for table in tables if table.reference not in ours]
    judged = plan.judge and request.runs("verify")
    return refusals_after(request, after, theirs, decision.routes, judged, refused)


def _findings(
    request: MxRequest, plan: MxPlan, postfix: Postfix, evidence: Evidence, network: Network
) -> list[dict[str, Any]] | None:
    """What mx_info would find, if nothing will change before it is asked: one run of a module less."""
    if not plan.judge or evidence.reader is None or plan.pending or plan.refusals:
        return None
    names = [item.name for item in request.present]
    asked = network if {"dns", "remote"}.intersection(plan.verify_fail_on or ()) else None
    facts = HostFacts(unproven=str(request.settings["unproven"]))
    state = with_greeting(evidence.state, network)
    tables, domains = gather(names, postfix, state, evidence.reader, asked)
    return [finding.as_result() for finding in judge(state, tables, domains, facts, request.accepted)]


def _main_cf(postfix: Postfix, change: MainCfChange) -> MainCfChange:
    request = MainCfRequest(
        parameters=dict(change.parameters),
        absent=list(change.absent),
        add_items=change.add_items,
        remove_items=change.remove_items,
    )
    return replace(change, changed=plan_main_cf(postfix, request).changed)


def _standby(postfix: Postfix, state: HostState, decision: Decision) -> StandbyPlan:
    wanted = decision.standby
    if not wanted.domains and not state.standby.installed:
        return StandbyPlan()
    change = plan_standby(postfix, wanted, state.value("queue_directory"), state.value("mail_owner"))
    return StandbyPlan(list(wanted.domains), list(wanted.subdomains), list(wanted.own), wanted.name, change.changed)


def _master_cf(
    postfix: Postfix, change: MasterCfChange, parameters: Mapping[str, str]
) -> tuple[MasterCfChange, list[Refusal]]:
    """What is said of master.cf, and which of its new services could not listen; main.cf gets these parameters."""
    if not change.services:
        return change, []
    plan = plan_master_cf(postfix, MasterCfRequest(services=change.requests))
    taken = taken_ports(postfix, plan.before, plan.after, plan.path, parameters)
    refusals = [Refusal("", "port", found.cause, found.remedy) for found in taken]
    return replace(change, changed=plan.changed), refusals


def _plan(request: MxRequest, evidence: Evidence, decision: Decision, config_directory: str) -> MxPlan:
    """The decision beside what the host has: what of it is to be done."""
    state = evidence.state
    waiting = [name for name in decision.waiting if name in state.relayed and not request.runs("config")]
    notes = [f"rows of {', '.join(waiting)} stay while main.cf relays them; run the phase config as well"]
    return MxPlan(
        installed=state.installed,
        ready=state.installed and not evidence.missing_types and not evidence.needs_idna,
        version=".".join(map(str, state.version)),
        packages=_packages(request, state),
        domains=[item.name for item in request.present],
        undeclared=decision.undeclared,
        notes=[*decision.notes, *(notes if waiting else ())],
        recipients=replace(
            RecipientRows.planned(state.recipients, decision.recipients),
            max_removals=removals_allowed(request, state),
        ),
        transport=TableRows.planned(state.transport, decision.routes.rows),
        subdomains=TableRows.planned(state.subdomains, decision.patterns),
        verify=TableRows.planned(state.verify, decision.verify),
        refused=TableRows.planned(state.refused, decision.refused),
        filters=TableRows.planned(state.filters, decision.filters),
        probes=TableRows.planned(state.probes, decision.probes),
        removal=_removal(state, decision, waiting),
        main_cf=decision.main_cf.without(() if state.limits_over else state.limited),
        limits_over=state.limits_over,
        master_cf=MasterCfChange(decision.services),
        service=_service(request, state, config_directory),
        raise_over=decision.raise_over,
    )


def _packages(request: MxRequest, state: HostState) -> list[str]:
    """What to install. What is missing after that would not be there after another time either."""
    installs = bool(request.settings["manage_package"]) and not request.after_install
    return list(state.missing_packages) if installs else []


def _removal(state: HostState, decision: Decision, waiting: Sequence[str]) -> Removal:
    kept = set(waiting)
    rows = state.subdomains.rows if state.subdomains else {}
    patterns = {pattern for pattern in rows if domain_of_pattern(pattern) in kept}
    verified = state.verify.rows if state.verify else {}
    return Removal(
        recipients=[item for item in decision.recipients_removed if item.name not in kept],
        transport=[row for row in dict.fromkeys(decision.routes.removed) if row.lstrip(".") not in kept],
        subdomains=[pattern for pattern in decision.patterns_removed if pattern not in patterns],
        verify=[key for key in decision.verify_removed if key in verified],
        refused=[pattern for pattern in decision.refused_removed if domain_of_report_pattern(pattern) not in kept],
        filters=decision.filters_removed,
        probes=[pattern for pattern in decision.probes_removed if pattern.lstrip(".") not in kept],
        routed=[name for name in decision.routed if name not in kept],
        flushed=[name for name in decision.flushed if kept.isdisjoint(lookup_keys(name, True))],
        returned=[name for name in decision.returned if kept.isdisjoint(lookup_keys(name, True))],
    )


def _service(request: MxRequest, state: HostState, config_directory: str) -> ServicePlan:
    # Where domains only go, or none is declared, a service that runs follows, and one that doesn't is left alone.
    follows = bool(request.present) or state.service_active is not False
    managed = bool(request.settings["manage_service"]) and follows
    # Who starts an instance without a unit at boot isn't known.
    stopped = not (state.service_active and (state.service_enabled or not state.service_unit))
    postfix = [os.path.join(state.value("command_directory"), "postfix"), "-c", config_directory]
    # smtpd reads a certificate when it starts.
    reload = state.reload_pending or bool(request.settings["certificate"] and state.certificates.behind)
    behind = reload or state.service_replaced
    return ServicePlan(
        name=state.service_name,
        command=[] if state.service_unit else postfix,
        manager="systemd" if state.standby.supervised else "auto",
        managed=managed,
        active=state.service_active,
        enabled=state.service_enabled,
        reload=reload,
        restart=state.service_replaced,
        changed=managed and (behind or (stopped and bool(request.present))),
    )


def _unwritable(postfix: Postfix, plan: MxPlan) -> list[Refusal]:
    """The files that the run would write and can't. A record of it is made in the configuration directory."""
    main_cf, master_cf = (os.path.join(postfix.config_directory, name) for name in ("main.cf", "master.cf"))
    written = [file for path, kind in plan.tables_written.items() for file in _files_of_table(path, kind)]
    written += [*[main_cf] * plan.main_cf.changed, *[master_cf] * plan.master_cf.changed]
    found = []
    for path in [*written, *([record_directory(postfix)] if plan.pending else [])]:
        try:
            refuse_unwritable(path)
        except HostError as error:
            found.append(Refusal.from_error("", "read_only", error))
    return found


def _files_of_table(path: str, kind: str) -> list[str]:
    """The source, and those of its index and record that are there already."""
    others = [path + INDEX_SUFFIXES[kind]] if kind in INDEX_SUFFIXES else []
    return [path, *(other for other in [*others, record_path(path)] if os.path.lexists(other))]


def _half_run(request: MxRequest, plan: MxPlan) -> list[Refusal]:
    """main.cf must not name tables, or relay domains, whose rows are not there yet."""
    if not (plan.behind and plan.main_cf.changed and request.runs("config") and not request.runs("tables")):
        return []
    return [
        Refusal(
            "",
            "tags",
            f"main.cf would rely on rows that are not there yet ({', '.join(plan.behind)}), "
            "and the phase tables is not part of this run",
            "run with the tags tables and config together",
        )
    ]


def _row_without_service(request: MxRequest, plan: MxPlan) -> list[Refusal]:
    """A transport row must not name a service that only the phase config adds."""
    services = plan.master_cf.services
    new = {key.partition("/")[0] for key, service in services.items() if service.command and key.endswith("/unix")}
    named = new.intersection(result.partition(":")[0] for result in plan.transport.rows.values())
    if not named or request.runs("config") or not request.runs("tables"):
        return []
    return [
        Refusal(
            "",
            "tags",
            f"transport rows would name the service {', '.join(sorted(named))}, which master.cf does not have yet, and "
            "the phase config is not part of this run",
            "run with the tags tables and config together",
        )
    ]


def _not_utf8(plan: MxPlan) -> list[Refusal]:
    """What would be written again holds a byte that is not UTF-8, which no plan can carry from the host and back."""
    change, tables = plan.main_cf, (plan.transport, plan.recipients, *(getattr(plan, name) for name in KEYED))
    named: dict[str, list[Any]] = {"a table": [plan.removal.as_result(), *(table.path for table in tables)]}
    for part in (change.parameters, change.add_items, change.remove_items):
        for name, value in part.items():
            named.setdefault(name, []).append(value)
    return [
        Refusal("", "not_utf8", f"{name} holds a byte that is not UTF-8", "write it as UTF-8, or as plain ASCII")
        for name, values in named.items()
        if printable(values) != values
    ]


def _missing(request: MxRequest, evidence: Evidence, plan: MxPlan) -> list[Refusal]:
    """Postfix, or a package that the tables need, is not there and will not be."""
    if plan.ready or not request.present:
        return []
    manages = bool(request.settings["manage_package"])
    if evidence.state.installed and evidence.needs_idna and (request.after_install or not manages):
        return [
            Refusal(
                "",
                "international",
                f"{evidence.state.missing_packages[-1]} is missing, and internationalised domains need it",
                "install that package, or declare no domain that is not plain ASCII",
            )
        ]
    if not manages:
        cause, remedy = "Postfix is not installed, and this role may not install it", "install postfix first"
        return [Refusal("", "install", cause, remedy)]
    if request.after_install:
        cause = "Postfix is still missing after its installation"
        return [Refusal("", "install", cause, "see what the package manager says")]
    later = [phase for phase in ("tables", "config", "service", "verify") if request.runs(phase)]
    if later and not request.runs("install"):
        return [
            Refusal(
                "",
                "tags",
                f"{' and '.join(evidence.state.missing_packages) or POSTFIX} is missing, "
                "and the phase install is not part of this run",
                "run with the tag install as well",
            )
        ]
    return []


def _warnings(plan: MxPlan, state: HostState, request: MxRequest) -> list[str]:
    found = [*state.notes, *plan.notes]
    if state.dns_lacks and not request.settings["manage_package"]:
        found.append(f"no DNS checks were made because {state.dns_lacks} is missing")
    elif state.dns_lacks and request.after_install:
        found.append(
            f"no DNS checks were made because {sys.executable}, by which Ansible runs here, does not find what "
            f"{state.dns_lacks} has installed; install dnspython for it with pip, or have ansible_python_interpreter "
            "name the system's Python"
        )
    elif state.unanswered and not state.dns_lacks:
        found.append(
            f"DNS gave no answer about {some_of(state.unanswered)}; whether mail for the domains that depend on it "
            "would loop was not checked; run again once DNS answers"
        )
    if plan.undeclared and not request.settings["remove_undeclared"]:
        found.append(
            f"relayed here, but declared by no role: {', '.join(plan.undeclared)}; "
            "declare each with state: present or absent"
        )
    return found
