# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A backup MX as the Internet sees it, also after accidents, other people's changes and removal."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import yaml

from lab import claims, faults, hosts, playbooks
from lab.long_form import in_long_form

HOST = "mx2"
NAME = "mx2.lab.example"


def converge(**options: Any) -> playbooks.Run:
    return playbooks.play("secondary_mx", playbooks.SECONDARY, **options)


def converged(**options: Any) -> playbooks.Run:
    run = converge(**options)
    assert run.code == 0, run.said
    return run


def changes(**options: Any) -> None:
    assert converged(**options).changed[NAME] > 0


def changes_once(**options: Any) -> None:
    """The next run changes the host, and the one after it nothing."""
    changes(**options)
    unchanged(**options)


def unchanged(**options: Any) -> None:
    before = faults.state_of(HOST)
    assert converged(**options).changed == {NAME: 0}
    assert faults.state_of(HOST) == before


def refuses_for_good(address: str) -> None:
    """Refused, be it as an unknown recipient or, where parents no longer match, as a domain that is not relayed."""
    said = hosts.talk(address, server=NAME)
    assert said.rcpt[0][0] in (550, 554), said


def serves_its_domains() -> None:
    """What the inventory declares holds, right now."""
    claims.accepts(HOST, "carol@backup.example")
    claims.accepts(HOST, "dave@backup.example")
    claims.refuses_unknown(HOST, "nobody@backup.example")
    claims.accepts(HOST, "whoever@wild.example")
    claims.refuses_relay(HOST)


@pytest.mark.parametrize("address", ["carol@backup.example", "DAVE@Backup.Example", "postmaster@backup.example"])
def test_takes_listed_recipients_and_passes_them_to_the_primary(address: str) -> None:
    claims.delivers_once(HOST, address, address.lower())


def test_refuses_unknown_recipients() -> None:
    claims.refuses_unknown(HOST, "nobody@backup.example")
    refuses_for_good("carol@sub.backup.example")


def test_takes_everyone_of_a_domain_with_policy_any() -> None:
    claims.accepts(HOST, "whoever@wild.example")
    claims.delivers_once(HOST, "grace@wild.example")


@pytest.mark.parametrize("domain", ["backup.example", "wild.example"])
def test_relays_for_no_stranger(domain: str) -> None:
    claims.refuses_relay(HOST)
    claims.relays_for_no_stranger(HOST, domain)


def test_second_run_changes_nothing_and_touches_no_file() -> None:
    unchanged()


def test_service_runs_and_starts_with_the_host() -> None:
    service = hosts.testinfra_host(HOST).service("postfix")
    assert service.is_running
    assert service.is_enabled


def test_stopped_and_disabled_service_comes_back() -> None:
    hosts.on(HOST, "systemctl", "disable", "--now", "postfix")
    changes_once()
    serves_its_domains()
    assert hosts.testinfra_host(HOST).service("postfix").is_enabled


def lose_index(_kind: str, _source: str, index: str) -> None:
    faults.delete(HOST, index)


def empty_index(_kind: str, _source: str, index: str) -> None:
    faults.truncate(HOST, index)


def stale_index(kind: str, _source: str, index: str) -> None:
    faults.replace_index(HOST, kind, index, {"nobody@backup.example": "x", "@wild.example": "x"})


@pytest.mark.parametrize("fault", [lose_index, *in_long_form([empty_index]), stale_index])
@pytest.mark.parametrize("restarted", [False, *in_long_form([True])], ids=["running", "restarted"])
def test_broken_index_is_repaired_by_the_next_run(fault: Callable[..., None], restarted: bool) -> None:
    fault(*faults.table_of(HOST, "relay_recipient_maps"))
    if restarted:
        # A daemon that starts without the index keeps answering 451 until something reloads Postfix.
        hosts.on(HOST, "postfix", "reload")
        said = hosts.talk("carol@backup.example", server=NAME)
        assert said.rcpt[0][0] in (451, 550), said
    assert converged().changed[NAME] > 0
    serves_its_domains()
    unchanged()


@pytest.fixture
def foreign_members() -> Iterator[None]:
    """Someone else lets this host relay for a domain of their own, beside the role's."""
    listed = {
        name: faults.parameter(HOST, name) for name in ("relay_domains", "relay_recipient_maps", "transport_maps")
    }
    hosts.on(HOST, "sh", "-c", "cat > /etc/postfix/their_recipients", given="/^heidi@foreign\\.example$/ x\n")
    hosts.on(
        HOST, "sh", "-c", "cat > /etc/postfix/their_transport", given="/@foreign\\.example$/ relay:[mail.lab.example]\n"
    )
    faults.set_parameters(
        HOST,
        {
            "relay_domains": f"foreign.example {listed['relay_domains']}",
            "relay_recipient_maps": f"regexp:/etc/postfix/their_recipients, {listed['relay_recipient_maps']}",
            "transport_maps": f"regexp:/etc/postfix/their_transport {listed['transport_maps']}",
        },
    )
    yield
    kept = {name: value for name, value in listed.items() if value}
    faults.set_parameters(HOST, kept)
    faults.unset_parameters(HOST, *(name for name in listed if name not in kept))
    hosts.on(HOST, "rm", "/etc/postfix/their_recipients", "/etc/postfix/their_transport")
    converged()


@pytest.mark.usefixtures("foreign_members")
def test_foreign_members_survive_additions_and_removals() -> None:
    unchanged()
    claims.delivers_once(HOST, "heidi@foreign.example")
    extra = [{"name": "flow.example", "recipients": ["erin@flow.example"]}]
    changes_once(variables={"secondary_mx_domains": extra})
    claims.accepts(HOST, "erin@flow.example")
    claims.delivers_once(HOST, "heidi@foreign.example")
    changes_once(variables={"secondary_mx_domains": [{"name": "flow.example", "state": "absent", "force": True}]})
    claims.refuses_relay(HOST, "erin@flow.example")
    claims.delivers_once(HOST, "heidi@foreign.example")
    claims.refuses_unknown(HOST, "nobody@foreign.example")
    serves_its_domains()


@pytest.mark.long
def test_recipients_that_another_map_keeps_are_left_to_it() -> None:
    listed = faults.parameter(HOST, "relay_recipient_maps")
    hosts.on(HOST, "sh", "-c", "cat > /etc/postfix/their_recipients", given="/^heidi@foreign\\.example$/ x\n")
    faults.set_parameters(HOST, {"relay_recipient_maps": f"{listed}, regexp:/etc/postfix/their_recipients"})
    external = {"name": "foreign.example", "recipients_policy": "external", "probe_recipient": "heidi@foreign.example"}
    try:
        before = faults.state_of(HOST)
        run = converge(variables={"secondary_mx_domains": [{**external, "probe_recipient": "ivan@foreign.example"}]})
        assert run.code != 0
        assert "foreign.example (external): its probe_recipient is not in relay_recipient_maps" in run.said
        assert faults.state_of(HOST) == before
        changes_once(variables={"secondary_mx_domains": [external]})
        claims.delivers_once(HOST, "heidi@foreign.example")
        claims.refuses_unknown(HOST, "ivan@foreign.example")
        claims.refuses_unknown(HOST, "postmaster@foreign.example")
        gone = {"name": "foreign.example", "state": "absent", "force": True}
        changes(variables={"secondary_mx_domains": [gone]})
        claims.refuses_relay(HOST, "heidi@foreign.example")
    finally:
        faults.set_parameters(HOST, {"relay_recipient_maps": listed})
    serves_its_domains()


def test_relayhost_does_not_capture_the_domains_mail() -> None:
    faults.set_parameters(HOST, {"relayhost": "[nowhere.lab.example]"})
    try:
        converged()
        unchanged()
        claims.delivers_once(HOST, "carol@backup.example")
        claims.delivers_once(HOST, "grace@wild.example")
    finally:
        faults.unset_parameters(HOST, "relayhost")
        converged()
    claims.delivers_once(HOST, "dave@backup.example")


SMARTHOST = {
    "disable_dns_lookups": "yes",
    "relayhost": "[tester.lab.example]:465",
    "smtp_generic_maps": "static:ops@provider.example",
    "smtp_sasl_auth_enable": "yes",
    "smtp_sasl_password_maps": "static:user:secret",
    "smtp_tls_security_level": "encrypt",
    "smtp_tls_wrappermode": "yes",
}


@pytest.fixture
def smarthost() -> Iterator[None]:
    """The host's own mail goes out through a provider, who wants a password, TLS at once and one sender."""
    faults.set_parameters(HOST, SMARTHOST)
    yield
    faults.unset_parameters(HOST, *SMARTHOST)
    converged()


@pytest.mark.long
@pytest.mark.usefixtures("smarthost")
def test_settings_of_a_smarthost_reach_no_mail_host_and_go_with_the_last_domain() -> None:
    changes_once()
    unique, message = hosts.new_message()
    said = hosts.talk("carol@backup.example", server=NAME, message=message)
    assert said.data is not None and said.data[0] == 250
    assert hosts.flushed(HOST, unique, "carol@backup.example") == 1
    kept = hosts.on("mail", "sh", "-c", f"cat $(grep -rlF 'Message-ID: <{unique}@' /srv/mail/backup.example/carol/new)")
    assert f"Return-Path: <{hosts.STRANGER}>" in kept
    assert f"From: <{hosts.STRANGER}>" in kept
    relayed = faults.parameter(HOST, "relay_domains").replace(",", " ").split()
    gone = [{"name": name, "state": "absent", "force": True} for name in relayed]
    changes_once(variables={"secondary_mx_domains": gone})
    assert "smtp_" not in hosts.on(HOST, "postconf", "-M", "relay/unix")
    changes()
    serves_its_domains()


def test_absent_domain_is_no_longer_relayed_and_the_others_are() -> None:
    gone = {"secondary_mx_domains": [{"name": "wild.example", "state": "absent", "force": True}]}
    changes_once(variables=gone)
    claims.refuses_relay(HOST, "whoever@wild.example")
    claims.accepts(HOST, "carol@backup.example")
    claims.refuses_unknown(HOST, "nobody@backup.example")
    changes()
    serves_its_domains()


def test_absent_is_refused_while_dns_still_names_the_host() -> None:
    before = faults.state_of(HOST)
    run = converge(variables={"secondary_mx_domains": [{"name": "wild.example", "state": "absent"}]})
    assert run.code != 0
    assert "wild.example" in run.said
    assert faults.state_of(HOST) == before
    claims.accepts(HOST, "whoever@wild.example")


def test_removed_recipient_is_unknown_at_once() -> None:
    fewer = [{"name": "backup.example", "recipients": ["carol@backup.example"]}]
    changes_once(variables={"secondary_mx_domains": fewer})
    claims.refuses_unknown(HOST, "dave@backup.example")
    claims.accepts(HOST, "carol@backup.example")
    claims.accepts(HOST, "whoever@wild.example")
    changes()
    serves_its_domains()


def test_undeclared_domain_stays_unless_its_removal_is_asked_for() -> None:
    declared = [
        {"name": "backup.example", "recipients": ["carol@backup.example", "dave@backup.example"]},
        {"name": "wild.example", "recipients_policy": "any"},
    ]
    changes_once(
        variables={"secondary_mx_domains": [*declared, {"name": "gateway.example", "recipients_policy": "any"}]}
    )
    unchanged(variables={"secondary_mx_domains": declared})
    claims.accepts(HOST, "whoever@gateway.example")
    assert "gateway.example" in converged(variables={"secondary_mx_domains": declared}).said
    changes_once(variables={"secondary_mx_domains": declared, "secondary_mx_remove_undeclared": True})
    claims.refuses_relay(HOST, "whoever@gateway.example")
    serves_its_domains()


@pytest.mark.long
def test_postmaster_can_be_switched_off() -> None:
    changes_once(variables={"secondary_mx_postmaster": False})
    claims.refuses_unknown(HOST, "postmaster@backup.example")
    changes()
    claims.accepts(HOST, "postmaster@backup.example")


@pytest.mark.parametrize("phase", ["preflight", *in_long_form(("install", "tables", "config", "service")), "verify"])
def test_one_phase_alone_changes_nothing_on_a_host_that_is_right(phase: str) -> None:
    unchanged(tags=[phase])


def test_preflight_alone_changes_nothing_where_work_is_pending() -> None:
    faults.delete(HOST, faults.table_of(HOST, "relay_recipient_maps")[2])
    before = faults.meaning_of(HOST)
    assert converged(tags=["preflight"]).changed == {NAME: 0}
    assert faults.meaning_of(HOST) == before
    changes()


def test_tables_phase_alone_repairs_a_table() -> None:
    faults.delete(HOST, faults.table_of(HOST, "relay_recipient_maps")[2])
    changes_once(tags=["tables"])
    serves_its_domains()


@pytest.mark.long
def test_verify_phase_alone_fails_on_a_host_that_is_not_right() -> None:
    source = faults.table_of(HOST, "relay_recipient_maps")[1]
    faults.delete(HOST, faults.table_of(HOST, "relay_recipient_maps")[2])
    run = converge(tags=["verify"])
    assert run.code != 0
    assert source in run.said
    changes()
    serves_its_domains()


def test_domain_whose_mx_records_do_not_name_this_host_is_a_warning() -> None:
    unnamed = {"secondary_mx_domains": [{"name": "elsewhere.test", "recipients": ["stranger@elsewhere.test"]}]}
    assert "elsewhere.test" in converged(variables=unnamed).said
    claims.accepts(HOST, "stranger@elsewhere.test")
    converged(variables={"secondary_mx_domains": [{"name": "elsewhere.test", "state": "absent"}]})
    claims.refuses_relay(HOST, "stranger@elsewhere.test")


@pytest.mark.long
def test_rows_of_an_absent_domain_are_gone_for_whoever_relays_for_it_next() -> None:
    flow = {"name": "flow.example", "recipients": ["erin@flow.example"]}
    converged(variables={"secondary_mx_domains": [flow]})
    claims.accepts(HOST, "erin@flow.example")
    converged(variables={"secondary_mx_domains": [{"name": "flow.example", "state": "absent", "force": True}]})
    listed = faults.parameter(HOST, "relay_domains")
    faults.set_parameters(HOST, {"relay_domains": f"{listed} flow.example"})
    try:
        claims.refuses_unknown(HOST, "erin@flow.example")
    finally:
        faults.set_parameters(HOST, {"relay_domains": listed})


@pytest.mark.long
def test_run_that_only_takes_domains_away_starts_no_stopped_service() -> None:
    converged(variables={"secondary_mx_domains": [{"name": "flow.example", "recipients": ["erin@flow.example"]}]})
    hosts.on(HOST, "systemctl", "disable", "--now", "postfix")
    try:
        converged(variables={"secondary_mx_domains": [{"name": "flow.example", "state": "absent", "force": True}]})
        service = hosts.testinfra_host(HOST).service("postfix")
        assert not service.is_running
        assert not service.is_enabled
    finally:
        changes()


REFUSED: dict[str, tuple[list[dict[str, Any]], str]] = {
    "no recipients and no policy": ([{"name": "foreign.example"}], "foreign.example"),
    "empty recipients": ([{"name": "foreign.example", "recipients": []}], "foreign.example"),
    "white space in a recipient": (
        [{"name": "foreign.example", "recipients": ["bob smith@foreign.example"]}],
        "bob smith@foreign.example",
    ),
    "trailing dot": ([{"name": "foreign.example.", "recipients_policy": "any"}], "foreign.example."),
    "declared twice": (
        [
            {"name": "foreign.example", "recipients_policy": "any"},
            {"name": "foreign.example", "recipients": ["heidi@foreign.example"]},
        ],
        "foreign.example",
    ),
    "truth value that is none": (
        [{"name": "foreign.example", "recipients_policy": "any", "subdomains": "maybe"}],
        "maybe",
    ),
    "option that there is not": (
        [{"name": "foreign.example", "recipeints": []}],
        "secondary_mx_domains[0] (foreign.example): no option recipeints; did you mean recipients?",
    ),
    "mail host of a secondary": (
        [{"name": "foreign.example", "recipients_policy": "any", "mail_host": "mail.lab.example"}],
        "mail_host",
    ),
    "this host is the best MX": (
        [{"name": "captive.example", "recipients": ["kim@captive.example"]}],
        "captive.example",
    ),
}


@pytest.mark.parametrize("case", in_long_form(REFUSED, short=2))
def test_refusal_names_the_cause_and_leaves_the_host_untouched(case: str) -> None:
    domains, named = REFUSED[case]
    before = faults.state_of(HOST)
    run = converge(variables={"secondary_mx_domains": domains})
    assert run.code != 0
    assert named in run.said
    assert run.changed[NAME] == 0
    assert faults.state_of(HOST) == before


def survey(*local_parts: str, **options: Any) -> dict[str, Any]:
    """Variables with one more domain, whose list is what a survey's text area gives."""
    addresses = "".join(f"{local_part}@survey.example\n" for local_part in local_parts)
    item = {"name": "survey.example", "recipients": addresses, "recipients_file": "lists/survey.txt", "force": True}
    return {"secondary_mx_domains": [{**item, **options.pop("item", {})}], **options}


@pytest.fixture
def surveyed() -> Iterator[list[str]]:
    """The people whom a survey added, on the host."""
    people = [f"person{number}" for number in range(300)]
    run = converged(variables=survey(*people))
    assert "hash:/etc/postfix/relay_recipients: 302 added, " in run.said
    assert "main.cf: relay_domains (1 added, 0 removed)" in run.said
    yield people
    # Whoever goes with the domain is not counted.
    run = converged(variables=survey(item={"state": "absent", "recipients": None}, secondary_mx_max_removals="0"))
    assert "hash:/etc/postfix/relay_recipients: " in run.said


@pytest.mark.long
def test_text_of_a_survey_and_a_file_beside_the_inventory_are_the_list(surveyed: list[str]) -> None:
    claims.accepts(HOST, f"{surveyed[-1]}@survey.example")
    claims.accepts(HOST, "judy@survey.example")
    unchanged(variables=survey(*surveyed))


def test_list_that_was_cut_is_refused_until_somebody_lets_it_through(surveyed: list[str]) -> None:
    cut = survey(*surveyed[:5])
    before = faults.state_of(HOST)
    for check in (True, False):
        run = converge(variables=cut, check=check)
        assert run.code != 0
        assert "survey.example (max_removals): 295 of the 30" in run.said
        assert "allows: survey.example from 301 to 6; check that the lists are complete" in run.said
        assert "run once with -e secondary_mx_max_removals=100%" in run.said
        assert (run.changed, faults.state_of(HOST)) == ({NAME: 0}, before)
    assert "295 removed" in converged(variables={**cut, "secondary_mx_max_removals": "100%"}).said


@pytest.mark.long
def test_list_of_other_people_is_a_cut_list(surveyed: list[str]) -> None:
    run = converge(variables=survey(*(f"new{number}" for number in range(len(surveyed)))))
    assert run.code != 0
    assert "300 of 30" in run.said
    assert "entries would be removed, more than max_removals" in run.said
    # It is undone: only the time of the directory tells of it.
    claims.accepts(HOST, f"{surveyed[-1]}@survey.example")
    claims.refuses_unknown(HOST, "new1@survey.example")


def test_list_on_the_controller_that_is_missing_is_named_with_where_it_was_sought() -> None:
    run = converge(variables=survey(item={"recipients_file": "lists/none.txt"}))
    assert run.code != 0
    assert "lists/none.txt (recipients_file) is not a file of the controller: it is in none of " in run.said
    assert str(playbooks.MOLECULE / "secondary_mx/inventory/group_vars") in run.said
    assert "remote_src" not in run.said


def test_role_without_a_domain_says_so() -> None:
    assert "no domain is declared: secondary_mx_domains is empty or not given" in (
        converged(variables={"secondary_mx_domains": ""}).said
    )


def test_domain_that_is_local_here_is_refused() -> None:
    listed = faults.parameter(HOST, "mydestination")
    faults.set_parameters(HOST, {"mydestination": f"{listed}, foreign.example"})
    try:
        before = faults.state_of(HOST)
        domains = [{"name": "foreign.example", "recipients": ["heidi@foreign.example"]}]
        run = converge(variables={"secondary_mx_domains": domains})
        assert run.code != 0
        assert "foreign.example" in run.said
        assert "mydestination" in run.said
        assert faults.state_of(HOST) == before
    finally:
        faults.set_parameters(HOST, {"mydestination": listed})


def test_subdomains_are_relayed_where_the_item_says_so_and_no_longer_than_that() -> None:
    wide = [
        {"name": "backup.example", "recipients": ["carol@backup.example", "x@sub.backup.example"], "subdomains": True},
        {"name": "wild.example", "recipients_policy": "any", "subdomains": True},
    ]
    changes_once(variables={"secondary_mx_domains": wide})
    claims.accepts(HOST, "x@sub.backup.example")
    refuses_for_good("y@sub.backup.example")
    claims.accepts(HOST, "whoever@a.sub.wild.example")
    claims.accepts(HOST, "whoever@wild.example")
    refuses_for_good("whoever@subwild.example")
    changes()
    refuses_for_good("x@sub.backup.example")
    refuses_for_good("whoever@a.sub.wild.example")
    serves_its_domains()


@pytest.mark.long
def test_rows_of_subdomains_go_while_those_of_another_domain_stay() -> None:
    wide, narrow = (
        [
            {"name": "backup.example", "recipients_policy": "any", "subdomains": True},
            {"name": "wild.example", "recipients_policy": "any", "subdomains": both},
        ]
        for both in (True, False)
    )
    converged(variables={"secondary_mx_domains": wide})
    claims.accepts(HOST, "whoever@sub.wild.example")
    changes_once(variables={"secondary_mx_domains": narrow})
    refuses_for_good("whoever@sub.wild.example")
    claims.accepts(HOST, "whoever@sub.backup.example")
    converged()
    serves_its_domains()


def test_no_recipient_check_when_asked_and_back() -> None:
    unlisted = [{"name": "backup.example"}, {"name": "wild.example", "subdomains": True}]
    changes_once(variables={"secondary_mx_recipient_check": "none", "secondary_mx_domains": unlisted})
    claims.accepts(HOST, "nobody@backup.example")
    claims.refuses_relay(HOST, "nobody@sub.backup.example")
    claims.accepts(HOST, "nobody@sub.wild.example")
    claims.refuses_relay(HOST)
    converged()
    claims.refuses_relay(HOST, "nobody@sub.wild.example")
    serves_its_domains()


def test_tables_of_another_type_in_another_directory_take_the_place_of_the_old() -> None:
    hosts.on(HOST, "mkdir", "--parents", "/etc/postfix/tables")
    changes_once(variables={"secondary_mx_table_type": "lmdb", "secondary_mx_table_directory": "/etc/postfix/tables"})
    assert faults.parameter(HOST, "relay_recipient_maps") == "lmdb:/etc/postfix/tables/relay_recipients"
    serves_its_domains()
    # What main.cf names is kept where nothing else is asked for.
    unchanged()
    converged(variables={"secondary_mx_table_type": "hash", "secondary_mx_table_directory": "/etc/postfix"})
    assert faults.parameter(HOST, "relay_recipient_maps") == "hash:/etc/postfix/relay_recipients"
    serves_its_domains()


def test_mistyped_variable_is_refused() -> None:
    before = faults.state_of(HOST)
    run = converge(variables={"secondary_mx_recipient_chek": "none"})
    assert run.code != 0
    assert "no variable secondary_mx_recipient_chek; did you mean secondary_mx_recipient_check?" in run.said
    assert faults.state_of(HOST) == before


@pytest.mark.parametrize("blank", [*in_long_form([None]), ""], ids=["null", "empty"])
def test_blank_answers_of_a_survey_mean_the_defaults(blank: str | None) -> None:
    defaults = yaml.safe_load((playbooks.ROLES / "secondary_mx/defaults/main.yml").read_text(encoding="utf-8"))
    unchanged(variables=dict.fromkeys(defaults.keys() - {"secondary_mx_domains"}, blank))


def test_still_relays_for_no_stranger_after_all_that() -> None:
    serves_its_domains()
    claims.relays_for_no_stranger(HOST, "backup.example")
    claims.relays_for_no_stranger(HOST, "wild.example")
