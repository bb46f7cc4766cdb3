# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Makes the MX plan of a host: reads the host, decides, and asks the engines what each phase would change."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any, Mapping

from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.configuration.change import (
    MainCfRequest,
    MasterCfRequest,
    plan_main_cf,
    plan_master_cf,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.mx.evidence import gather
from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.mx.host import OS_RELEASE, read_host
from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.mx.reading import Evidence
from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.tables.reference import read_settings
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.configuration.master_cf import ServiceRequest
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.findings.judge import judge
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.idna import is_international
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.mx.decide import decide
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.mx.host import HostState, TableState
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.mx.plan import (
    MxPlan,
    RecipientsItem,
    subdomain_pattern,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.mx.request import (
    MxRequest,
    Refusal,
    in_both_forms,
    read_request,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.outcome import Outcome
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.packages import idna_package
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports import idna2008
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.files import read_file
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.network import Network
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.postfix import Postfix


def plan_mx(params: Mapping[str, Any], postfix: Postfix, network: Network) -> Outcome:
    """The plan as a module's outcome. `params` are those of the module mx_plan."""
    request = read_request(params)
    international = any(is_international(name) for name in request.declared) and _hears_both_forms(postfix)
    if international and idna2008.available():
        request = in_both_forms(request, idna2008.a_label)
    evidence = read_host(postfix, network, request)
    if international and not idna2008.available():
        evidence.needs_idna = True
        release = (read_file(OS_RELEASE) or b"").decode("utf-8", "replace")
        evidence.state.missing_packages.append(idna_package(release))
    plan = decide(request, evidence.state)
    plan.refusals += evidence.refusals
    results = _results(request, evidence, plan)
    if evidence.state.installed and not plan.refusals:
        results["main_cf"]["changed"] = _main_cf_changes(postfix, plan)
        results["master_cf"]["changed"] = _master_cf_changes(postfix, plan)
        _refuse_half_runs(request, results, plan)
    _refuse_missing(request, evidence, results, plan)
    results["refusals"] = [asdict(one) for one in _unique(plan.refusals)]
    results["changes"] = changes(results)
    results["pending"] = bool(results["packages"]) or any(
        results[part]["changed"]
        for part in ("recipients", "subdomains", "transport", "verify", "removal", "main_cf", "master_cf", "service")
    )
    results["judge"] = bool(params.get("verify"))
    results["verify_fail_on"] = params.get("verify_fail_on")
    results["findings"] = _findings(params, request, results, postfix, evidence, network)
    return Outcome(warnings=_warnings(plan, evidence.state, request), results=results)


def _hears_both_forms(postfix: Postfix) -> bool:
    """Whether smtputf8_enable is on, as it is by default where Postfix has yet to be installed."""
    return not postfix.installed() or read_settings(postfix).utf8


def _findings(
    params: Mapping[str, Any],
    request: MxRequest,
    results: Mapping[str, Any],
    postfix: Postfix,
    evidence: Evidence,
    network: Network,
) -> list[dict[str, Any]] | None:
    """What mx_info would find, where nothing will change before it is asked: one run of a module less."""
    if not params.get("verify") or evidence.reader is None or results["pending"] or results["refusals"]:
        return None
    names = [item.name for item in request.present]
    asked = network if {"dns", "remote"}.intersection(params.get("verify_fail_on") or ()) else None
    tables, domains = gather(names, postfix, evidence.state, evidence.reader, asked)
    return [one.as_result() for one in judge(evidence.state, tables, domains)]


def _unique(refusals: list[Refusal]) -> list[Refusal]:
    return list(dict.fromkeys(refusals))


def _main_cf_changes(postfix: Postfix, plan: MxPlan) -> bool:
    request = MainCfRequest(
        parameters=dict(plan.parameters),
        absent=list(plan.absent),
        add_items=plan.add_items,
        remove_items=plan.remove_items,
    )
    return plan_main_cf(postfix, request).changed


def _master_cf_changes(postfix: Postfix, plan: MxPlan) -> bool:
    if not plan.overrides:
        return False
    service = ServiceRequest(name="relay", type="unix", overrides=dict(plan.overrides))
    return plan_master_cf(postfix, MasterCfRequest(services=[service])).changed


def _results(request: MxRequest, evidence: Evidence, plan: MxPlan) -> dict[str, Any]:
    state = evidence.state
    transport_rows = state.transport.rows if state.transport else {}
    verify_rows = state.verify.rows if state.verify else {}
    pattern_rows = state.subdomains.rows if state.subdomains else {}
    removable = (
        set(plan.waiting) if request.runs("config") else {one for one in plan.waiting if one not in state.relayed}
    )
    kept = [one for one in plan.waiting if one not in removable]
    if kept:
        plan.notes.append(f"rows of {', '.join(kept)} stay while main.cf relays them; run the phase config as well")
    removed = [one for one in plan.recipients_removed if one.name in removable]
    patterns_removed = [one for one in plan.subdomains_removed if one not in {subdomain_pattern(name) for name in kept}]
    transport_removed = [one for one in dict.fromkeys(plan.transport_removed) if one.lstrip(".") not in kept]
    return {
        "installed": state.installed,
        "ready": state.installed and not evidence.missing_types and not evidence.needs_idna,
        "version": ".".join(map(str, state.version)),
        "packages": list(state.missing_packages) if request.settings["manage_package"] else [],
        "domains": [item.name for item in request.present],
        "undeclared": plan.undeclared,
        "notes": plan.notes,
        "recipients": _recipients(state.recipients, plan.recipients),
        "transport": _rows(state.transport, plan.transport, transport_rows, ("pattern", "result")),
        "subdomains": _rows(state.subdomains, plan.subdomains, pattern_rows, ("key", "value")),
        "verify": _rows(state.verify, plan.verify, verify_rows, ("key", "value")),
        "removal": {
            "changed": bool(removed or transport_removed or patterns_removed or plan.verify_removed),
            "recipients": [one.as_result() for one in removed],
            "transport": [{"pattern": one} for one in transport_removed],
            "subdomains": [{"key": one} for one in patterns_removed],
            "verify": [{"key": one} for one in plan.verify_removed if one in verify_rows],
        },
        "main_cf": {
            "parameters": plan.parameters,
            "absent": plan.absent,
            "add_items": plan.add_items,
            "remove_items": plan.remove_items,
            "changed": False,
        },
        "master_cf": {
            "services": [{"name": "relay", "type": "unix", "overrides": plan.overrides}] if plan.overrides else [],
            "changed": False,
        },
        "service": _service(request, state),
    }


def _service(request: MxRequest, state: HostState) -> dict[str, Any]:
    # Where domains only go, a service that runs follows, and one that doesn't is left alone.
    follows = bool(request.present or (request.items and state.service_active is not False))
    managed = bool(request.settings["manage_service"]) and follows
    stopped = not (state.service_active and state.service_enabled)
    return {
        "name": state.service_name,
        "managed": managed,
        "active": state.service_active,
        "enabled": state.service_enabled,
        "reload": state.reload_pending,
        "changed": managed and (state.reload_pending or (stopped and bool(request.present))),
    }


def _table(table: TableState | None) -> dict[str, str]:
    if table is None:
        return {"reference": "", "path": "", "type": ""}
    return {"reference": table.reference, "path": table.path, "type": table.type}


def _recipients(table: TableState | None, items: list[RecipientsItem]) -> dict[str, Any]:
    repair = bool(table and items and (table.repair or not table.exists))
    changed = repair or any(one.changed for one in items)
    return {
        **_table(table),
        "domains": [one.as_result() for one in items] if changed else [],
        "repair": repair,
        "changed": changed,
    }


def _rows(
    table: TableState | None, wanted: Mapping[str, str], rows: Mapping[str, str], names: tuple[str, str]
) -> dict[str, Any]:
    # A table that main.cf names is looked up for every domain, whoever's rows it holds.
    repair = bool(table and ((wanted and not table.exists) or ((wanted or table.member) and table.repair)))
    changed = bool(wanted and table is None) or repair or any(rows.get(key) != value for key, value in wanted.items())
    return {
        **_table(table),
        "entries": [dict(zip(names, row)) for row in wanted.items()] if changed else [],
        "repair": repair,
        "changed": changed,
    }


def _refuse_half_runs(request: MxRequest, results: Mapping[str, Any], plan: MxPlan) -> None:
    """main.cf must not name tables, or relay domains, whose rows are not there yet."""
    behind = [name for name in ("recipients", "subdomains", "transport", "verify") if results[name]["changed"]]
    if behind and results["main_cf"]["changed"] and request.runs("config") and not request.runs("tables"):
        plan.refuse(
            "",
            "tags",
            f"main.cf would rely on rows that are not there yet ({', '.join(behind)}), "
            "and the phase tables is not part of this run",
            "run with the tags tables and config together",
        )


def _refuse_missing(request: MxRequest, evidence: Evidence, results: Mapping[str, Any], plan: MxPlan) -> None:
    """Postfix, or a package that the tables need, is not there and will not be."""
    if results["ready"] or not request.present:
        return
    if (
        evidence.state.installed
        and evidence.needs_idna
        and (request.after_install or not request.settings["manage_package"])
    ):
        plan.refuse(
            "",
            "international",
            f"{evidence.state.missing_packages[-1]} is missing, which finds the forms in which mail can name domains",
            "install that package, or declare no domain that is not plain ASCII",
        )
        return
    later = [phase for phase in ("tables", "config", "service", "verify") if request.runs(phase)]
    if not request.settings["manage_package"]:
        plan.refuse(
            "", "install", "Postfix is not installed, and this role may not install it", "install postfix first"
        )
    elif request.after_install:
        plan.refuse(
            "", "install", "Postfix is still missing after its installation", "see what the package manager says"
        )
    elif later and not request.runs("install"):
        plan.refuse(
            "",
            "tags",
            f"{' and '.join(evidence.state.missing_packages) or 'postfix'} is missing, "
            "and the phase install is not part of this run",
            "run with the tag install as well",
        )


def changes(results: Mapping[str, Any]) -> list[str]:
    """What would change, a line each, without anybody's address."""
    lines = [f"install {name}" for name in results["packages"]]
    for entry in results["recipients"]["domains"]:
        if entry["changed"]:
            lines.append(f"recipients of {entry['name']}: {entry['recipients_policy']}")
    if results["subdomains"]["changed"]:
        lines += [f"recipients of subdomains: {entry['key']}" for entry in results["subdomains"]["entries"]]
    if results["transport"]["changed"]:
        lines += [f"transport {entry['pattern']} {entry['result']}" for entry in results["transport"]["entries"]]
    if results["verify"]["changed"]:
        lines += [
            f"verify recipients of {entry['key']} by asking its mail host" for entry in results["verify"]["entries"]
        ]
    if results["main_cf"]["changed"] or not results["installed"]:
        lines += [f"main.cf: {name} = {value}" for name, value in results["main_cf"]["parameters"].items()]
        lines += [f"main.cf: {name} is no longer set" for name in results["main_cf"]["absent"]]
        for name, items in results["main_cf"]["add_items"].items():
            lines.append(f"main.cf: {name} gets {', '.join(items)}")
        for name, items in results["main_cf"]["remove_items"].items():
            lines.append(f"main.cf: {name} loses {', '.join(items)}")
    if results["master_cf"]["changed"]:
        for service in results["master_cf"]["services"]:
            lines += [f"master.cf: relay/unix -o {name}={value}" for name, value in service["overrides"].items()]
    lines += [f"remove the recipients of {entry['name']}" for entry in results["removal"]["recipients"]]
    lines += [f"remove the recipients of subdomains {entry['key']}" for entry in results["removal"]["subdomains"]]
    lines += [f"remove transport {entry['pattern']}" for entry in results["removal"]["transport"]]
    return lines


def _warnings(plan: MxPlan, state: HostState, request: MxRequest) -> list[str]:
    found = [*state.notes, *plan.notes]
    if state.dns_lacks and not request.settings["manage_package"]:
        found.append(f"no DNS checks were made: {state.dns_lacks} is missing")
    if plan.undeclared and not request.settings["remove_undeclared"]:
        found.append(
            f"relayed here, but declared by no role: {', '.join(plan.undeclared)}; "
            "declare each with state: present or absent"
        )
    return found
