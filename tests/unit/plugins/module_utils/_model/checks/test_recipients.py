# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.checks.every import checks_of
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.checks.registry import DOMAIN, WHOLE_HOST
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.checks.result import Finding
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.configuration.master_cf import Service
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.domain import DomainEvidence
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.facts import UNTIL_RECIPIENT
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.host import HostState
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.lookups import (
    NoAction,
    RecipientLookups,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.tables import HostFacts

OURS = "hash:/t/relay_recipients"
NOBODY = "zqxw"
ADDRESS = f"{NOBODY}@x.example"
VALUES = {
    "canonical_classes": "envelope_sender, envelope_recipient, header_sender, header_recipient",
    "cleanup_service_name": "cleanup",
    "relay_recipient_maps": OURS,
    "smtpd_reject_unlisted_recipient": "yes",
    "smtpd_relay_restrictions": "permit_mynetworks, reject_unauth_destination",
}
CHECKS = ("reject_unlisted", "action_table", "recipients_unproven", "unknown_accepted", "rewrites", "verify_cache")


def smtpd(name: str = "smtp", **overrides: str) -> Service:
    return Service(name, "inet", "n", "-", "y", "-", "-", "smtpd", dict(overrides))


def cleanup(**overrides: str) -> Service:
    return Service("cleanup", "unix", "n", "-", "y", "-", "0", "cleanup", dict(overrides))


def host(*services: Service, lookups: dict[str, Any] | None = None, **values: str) -> HostState:
    return HostState(
        version=(3, 10, 13),
        values={**VALUES, **values},
        parameters={**VALUES, **values},
        services=list(services) or [smtpd(), cleanup()],
        relayed={"x.example": "x.example", "also.example": "also.example"},
        lookups=RecipientLookups(**{"nobody": NOBODY, **(lookups or {})}),
    )


def judged(state: HostState, **fields: Any) -> list[Finding]:
    defaults: dict[str, Any] = {"name": "x.example", "relayed": "x.example", "recipients": 2}
    domain = DomainEvidence(**{**defaults, **fields})
    found = [finding for check in checks_of(WHOLE_HOST) for finding in check(state, HostFacts())]
    found += [finding for check in checks_of(DOMAIN) for finding in check(domain, state)]
    return [finding for finding in found if finding.check in CHECKS]


def found(state: HostState, **fields: Any) -> list[tuple[str, str]]:
    return [(finding.check, finding.severity) for finding in judged(state, **fields)]


def answering(member: str, key: str = ADDRESS, result: str = "x", **others: Any) -> dict[str, Any]:
    return {"answers": {member: {key: result}}, **others}


@pytest.mark.parametrize(
    ("member", "severity"),
    [("regexp:/t/relay_recipients_subdomains", "warning"), ("regexp:/t/other_subdomains", "error")],
)
def test_domain_above_that_has_its_subdomains_is_a_warning(member: str, severity: str) -> None:
    assert found(host(relay_recipient_maps=member, lookups=answering(member))) == [("unknown_accepted", severity)]


def test_host_that_knows_its_listed_recipients_alone_has_no_finding() -> None:
    assert found(host()) == []


@pytest.mark.parametrize(
    ("services", "values", "severity"),
    [
        ([smtpd()], {"smtpd_reject_unlisted_recipient": "no"}, "error"),
        ([smtpd()], {"smtpd_reject_unlisted_recipient": "NO"}, "error"),
        ([smtpd(smtpd_reject_unlisted_recipient="no")], {}, "error"),
        ([smtpd(smtpd_reject_unlisted_recipient="$off")], {"off": "no"}, "error"),
        ([smtpd("2525", smtpd_reject_unlisted_recipient="no"), smtpd()], {}, "error"),
        ([smtpd(receive_override_options="no_unknown_recipient_checks")], {}, "error"),
        ([smtpd()], {"receive_override_options": "no_milters, no_unknown_recipient_checks"}, "error"),
        (
            [smtpd()],
            {
                "receive_override_options": "no_unknown_recipient_checks",
                "smtpd_recipient_restrictions": "reject_unlisted_recipient",
            },
            "error",
        ),
        (
            [smtpd()],
            {
                "smtpd_reject_unlisted_recipient": "no",
                "smtpd_recipient_restrictions": "permit_auth_destination, reject_unlisted_recipient",
            },
            "error",
        ),
        (
            [smtpd()],
            {
                "smtpd_reject_unlisted_recipient": "no",
                "smtpd_recipient_restrictions": "check_sender_access hash:/t/friends, reject_unlisted_recipient",
            },
            "warning",
        ),
        (
            [smtpd(), smtpd("2525", smtpd_recipient_restrictions="")],
            {
                "smtpd_reject_unlisted_recipient": "no",
                "smtpd_recipient_restrictions": "permit_mynetworks, reject_unlisted_recipient",
            },
            "error",
        ),
        (
            [smtpd()],
            {"smtpd_reject_unlisted_recipient": "no", **dict.fromkeys(UNTIL_RECIPIENT, "permit")},
            "error",
        ),
    ],
)
def test_what_switches_the_check_off_is_found(services: list[Service], values: dict[str, str], severity: str) -> None:
    assert found(host(*services, **values)) == [("reject_unlisted", severity)]


@pytest.mark.parametrize(
    ("services", "values"),
    [
        # As Debian's master.cf has it for its own users: no stranger gets that far.
        (
            [
                smtpd(),
                smtpd(
                    "submission",
                    smtpd_reject_unlisted_recipient="no",
                    smtpd_recipient_restrictions="permit_sasl_authenticated,reject",
                ),
            ],
            {},
        ),
        ([smtpd(), smtpd("127.0.0.1:10025", receive_override_options="no_unknown_recipient_checks")], {}),
        ([smtpd(smtpd_reject_unlisted_recipient="yes")], {"smtpd_reject_unlisted_recipient": "no"}),
        ([smtpd()], {"receive_override_options": "no_address_mappings"}),
        (
            [smtpd()],
            {
                "smtpd_reject_unlisted_recipient": "no",
                "smtpd_recipient_restrictions": "permit_mynetworks, reject_unlisted_recipient, permit",
            },
        ),
        (
            [smtpd()],
            {
                "smtpd_reject_unlisted_recipient": "no",
                "smtpd_recipient_restrictions": "reject_unknown_sender_domain, reject_unlisted_recipient",
            },
        ),
        # The one that permits has its switch on.
        (
            [
                smtpd(smtpd_reject_unlisted_recipient="no", smtpd_recipient_restrictions="reject_unlisted_recipient"),
                smtpd("2525", smtpd_recipient_restrictions="permit"),
            ],
            {},
        ),
    ],
)
def test_what_strangers_do_not_meet_is_not_found(services: list[Service], values: dict[str, str]) -> None:
    assert found(host(*services, **values)) == []


def test_service_that_switches_it_off_is_named_and_no_other() -> None:
    (finding,) = judged(host(smtpd(), smtpd("2525", smtpd_reject_unlisted_recipient="no")))
    assert finding.remedy == "set smtpd_reject_unlisted_recipient of 2525/inet to yes"


@pytest.mark.parametrize(
    ("maps", "lookups"),
    [
        (f"{OURS}, static:x", answering("static:x")),
        (f"{OURS} regexp:/t/any", answering("regexp:/t/any")),
        (f"{OURS}, hash:/t/other", answering("hash:/t/other", "@x.example")),
    ],
)
def test_member_that_knows_nobody_is_an_error_beside_a_list(maps: str, lookups: dict[str, Any]) -> None:
    state = host(relay_recipient_maps=maps, lookups=lookups)
    assert found(state) == [("unknown_accepted", "error")]
    assert found(state, recipients=0) == [("unknown_accepted", "warning")]


@pytest.mark.parametrize(
    "fields", [{"wildcard": True}, {"verified": True}, {"relayed": ""}, {"name": "other.example"}], ids=str
)
def test_domain_that_is_to_accept_everybody_or_is_not_concerned_has_none(fields: dict[str, Any]) -> None:
    state = host(relay_recipient_maps=f"{OURS}, static:x", lookups=answering("static:x"))
    assert found(state, **fields) == []


def test_row_that_knows_everybody_is_named_in_the_remedy() -> None:
    state = host(relay_recipient_maps=f"{OURS}, proxy:hash:/t/other")
    state = host(
        relay_recipient_maps=f"{OURS}, proxy:hash:/t/other", lookups=answering("proxy:hash:/t/other", "@x.example")
    )
    (finding,) = judged(state)
    assert finding.message.startswith("proxy:hash:/t/other (relay_recipient_maps) has the row @x.example: every")
    assert finding.remedy.startswith("remove the row @x.example from /t/other and run postmap hash:/t/other, or")


@pytest.mark.parametrize(
    ("override", "lookups", "remedy"),
    [
        ("", {}, "remove the override relay_recipient_maps= from that service"),
        (
            "static:x",
            answering("static:x"),
            "make static:x leave out x.example, or remove it from relay_recipient_maps",
        ),
    ],
)
def test_maps_of_a_service_of_its_own_count(override: str, lookups: dict[str, Any], remedy: str) -> None:
    (finding,) = judged(host(smtpd(), smtpd("2525", relay_recipient_maps=override), lookups=lookups))
    assert (finding.check, finding.severity) == ("unknown_accepted", "error")
    assert "relay_recipient_maps of 2525/inet" in finding.message
    assert finding.remedy.startswith(remedy)


def test_empty_maps_of_the_whole_host_are_told_by_another_check() -> None:
    assert found(host(relay_recipient_maps="")) == []


@pytest.mark.parametrize("parameter", ["virtual_alias_maps", "recipient_canonical_maps", "canonical_maps"])
@pytest.mark.parametrize(
    ("result", "expected"),
    [
        ("someone@elsewhere.example", [("rewrites", "error")]),
        ("nobody@localhost", [("rewrites", "error")]),
        ("nobody", [("rewrites", "error")]),
        ("someone@also.example", [("rewrites", "error")]),
        ("a@x.example, someone@elsewhere.example", [("rewrites", "error")]),
        ("@elsewhere.example", [("rewrites", "error")]),
        ("@also.example", [("unknown_accepted", "error"), ("rewrites", "warning")]),
        ("a@x.example", [("unknown_accepted", "error"), ("rewrites", "warning")]),
        ("@x.example", [("unknown_accepted", "error")]),
        ("@X.Example", [("unknown_accepted", "error")]),
        ("someone@ALSO.example", [("rewrites", "error")]),
        ("@ALSO.example", [("unknown_accepted", "error"), ("rewrites", "warning")]),
        ('"a@b"@x.example', [("unknown_accepted", "error"), ("rewrites", "warning")]),
        ("also.example", [("rewrites", "error")]),
        ("x.example", [("rewrites", "error")]),
    ],
)
def test_rewriting_of_every_recipient_is_found(parameter: str, result: str, expected: list[tuple[str, str]]) -> None:
    maps = {parameter: "hash:/t/virtual"}
    assert found(host(lookups=answering("hash:/t/virtual", "@x.example", result), **maps)) == expected


def test_row_of_a_catch_all_is_named_in_the_remedy() -> None:
    lookups = answering("hash:/t/virtual", "@x.example", "someone@elsewhere.example")
    (finding,) = judged(host(virtual_alias_maps="hash:/t/virtual", lookups=lookups), wildcard=True)
    assert finding.message == (
        "hash:/t/virtual (virtual_alias_maps) has the row @x.example: all its mail goes to someone@elsewhere.example"
    )
    assert finding.remedy == "remove the row @x.example from /t/virtual and run postmap hash:/t/virtual"


def test_pattern_that_keeps_the_local_part_is_told_without_the_letters_asked_about() -> None:
    lookups = answering("regexp:/t/r", result=f"{ADDRESS}.moved.example")
    (finding,) = judged(host(virtual_alias_maps="regexp:/t/r", lookups=lookups))
    assert NOBODY not in finding.message


def test_canonical_maps_that_leave_recipients_alone_still_make_them_known() -> None:
    lookups = answering("hash:/t/canonical", "@x.example", "someone@elsewhere.example")
    state = host(canonical_maps="hash:/t/canonical", canonical_classes="header_sender", lookups=lookups)
    assert found(state) == [("unknown_accepted", "error")]


def test_rewriting_by_cleanup_alone_is_found_though_smtpd_knows_nobody() -> None:
    lookups = answering("hash:/t/virtual", "@x.example", "someone@elsewhere.example")
    (finding,) = judged(host(smtpd(), cleanup(virtual_alias_maps="hash:/t/virtual"), lookups=lookups))
    assert (finding.check, finding.severity) == ("rewrites", "error")
    assert "virtual_alias_maps of cleanup/unix" in finding.message


def test_recipients_that_are_rewritten_one_by_one_are_information() -> None:
    rows = {
        "a@x.example": "a@elsewhere.example",
        "b@x.example": "b@x.example",
        "c@x.example": "c@elsewhere.example",
        "d@also.example": "d@elsewhere.example",
    }
    (finding,) = judged(host(virtual_alias_maps="hash:/t/virtual", lookups={"rewritten": {"hash:/t/virtual": rows}}))
    assert (finding.check, finding.severity) == ("rewrites", "info")
    assert finding.message.startswith(
        "hash:/t/virtual (virtual_alias_maps) sends mail for a@x.example to a@elsewhere.example, and that for 1 more"
    )
    assert "remove the row a@x.example from /t/virtual" in finding.remedy


def test_listed_recipient_that_a_pattern_rewrites_is_information() -> None:
    lookups = answering("regexp:/t/r", "a@x.example", "z@elsewhere.example", listed={"x.example": "a@x.example"})
    assert found(host(virtual_alias_maps="regexp:/t/r", lookups=lookups)) == [("rewrites", "info")]


@pytest.mark.parametrize("parameter", ["relay_recipient_maps", "virtual_alias_maps"])
def test_table_that_cannot_be_asked_is_named_once(parameter: str) -> None:
    maps = {parameter: "ldap:/t/ldap"}
    state = host(
        smtpd(),
        smtpd("2525", **{parameter: "ldap:/t/ldap, static:x"}),
        lookups={"silent": {"ldap:/t/ldap": "refused"}},
        **maps,
    )
    (finding,) = judged(state)
    assert (finding.check, finding.severity) == ("recipients_unproven", "error")
    assert finding.message.startswith(f"ldap:/t/ldap in {parameter} could not be asked (refused)")


@pytest.mark.parametrize(
    "values",
    [
        {"smtpd_recipient_restrictions": f"check_recipient_access {OURS}, reject_unauth_destination"},
        {"smtpd_sender_restrictions": f"check_sender_access proxy:{OURS}"},
        {"smtpd_restriction_classes": "ours", "ours": f"check_recipient_access {OURS}"},
    ],
)
def test_table_of_recipients_that_is_asked_for_actions_is_found(values: dict[str, str]) -> None:
    state = host(lookups={"no_actions": {OURS: NoAction("x.example", "x")}}, **values)
    (finding,) = judged(state)
    assert (finding.check, finding.severity) == ("action_table", "error")
    assert "a row of x.example with the value x" in finding.message


def test_table_of_recipients_with_nothing_but_actions_may_be_asked_for_them() -> None:
    assert found(host(smtpd_recipient_restrictions=f"check_recipient_access {OURS}")) == []


@pytest.mark.parametrize(
    ("code", "kind", "outcome", "remedy"),
    [
        (
            "250",
            "lmdb",
            "every recipient is accepted, also those that do not exist",
            "set address_verify_map to lmdb:$data_directory/verify_cache with mxrelay.postfix.main_cf",
        ),
        (
            "450",
            "",
            "no recipient is accepted",
            "install the package for a type that can be written to (lmdb), or use another recipients_policy",
        ),
    ],
)
def test_cache_that_keeps_nothing(code: str, kind: str, outcome: str, remedy: str) -> None:
    state = replace(
        host(address_verify_map="btree:/x", data_directory="/d", unverified_recipient_defer_code=code),
        verify_cache_problem="no btree",
        verify_cache_type=kind,
    )
    (finding,) = judged(state, verified=True)
    assert (finding.check, finding.severity, finding.domain) == ("verify_cache", "error", "x.example")
    assert finding.message == (
        "address_verify_map is btree:/x, and that type keeps nothing here (no btree), so no answer of a mail host is "
        f"remembered: {outcome}"
    )
    assert finding.remedy == remedy
    assert judged(state) == []
    assert judged(replace(state, verify_cache_problem=""), verified=True) == []


def test_release_without_a_data_directory_is_told_to_keep_its_cache_in_memory() -> None:
    state = replace(host(address_verify_map="btree:/x"), verify_cache_problem="no btree", verify_cache_type="hash")
    (finding,) = judged(state, verified=True)
    assert finding.remedy == "remove address_verify_map from main.cf: what mail hosts say is then kept in memory"


def test_what_becomes_of_mail_for_unknown_recipients_is_told_by_who_knows_them() -> None:
    (listed,) = judged(host(relay_recipient_maps=f"{OURS}, static:x", lookups=answering("static:x")))
    assert listed.message == (
        "static:x (relay_recipient_maps) knows an address of random letters: "
        "every recipient is accepted, so mail for those that do not exist bounces, often to forged senders"
    )
    (alias,) = judged(
        host(virtual_alias_maps="hash:/t/a:b", lookups=answering("hash:/t/a:b", "@x.example", "@x.example"))
    )
    assert alias.message == (
        "hash:/t/a:b (virtual_alias_maps) has the row @x.example: "
        "every recipient is accepted, also those that do not exist"
    )
    assert alias.remedy == (
        "remove the row @x.example from /t/a:b and run postmap hash:/t/a:b, "
        "or set recipients_policy to any if that is meant"
    )


def test_single_row_of_a_table_without_an_index_is_told_without_postmap() -> None:
    rows = {"texthash:/t/virtual": {"a@x.example": "a@elsewhere.example"}}
    (finding,) = judged(host(virtual_alias_maps="texthash:/t/virtual", lookups={"rewritten": rows}))
    assert finding.message == (
        "texthash:/t/virtual (virtual_alias_maps) sends mail for a@x.example to a@elsewhere.example, "
        "before its mail host is asked"
    )
    assert finding.remedy == "if that is not meant, remove the row a@x.example from texthash:/t/virtual"


def test_table_that_takes_all_mail_is_not_told_of_by_single_rows_too() -> None:
    rows = {"hash:/t/virtual": {"a@x.example": "a@elsewhere.example"}}
    lookups = answering("hash:/t/virtual", "@x.example", "b@elsewhere.example", rewritten=rows)
    assert found(host(virtual_alias_maps="hash:/t/virtual", lookups=lookups)) == [("rewrites", "error")]


@pytest.mark.parametrize("nobody", [NOBODY, ""])
def test_mail_that_is_not_relayed_or_not_asked_about_is_not_rewritten(nobody: str) -> None:
    lookups = {**answering("hash:/t/virtual", "@x.example", "b@elsewhere.example"), "nobody": nobody}
    state = host(virtual_alias_maps="hash:/t/virtual", lookups=lookups)
    assert found(state, relayed="" if nobody else "x.example") == []


def test_quoted_at_sign_is_no_part_of_a_rewritten_recipients_domain() -> None:
    rows = {'"a@b"@x.example': "a@elsewhere.example"}
    state = host(virtual_alias_maps="hash:/t/virtual", lookups={"rewritten": {"hash:/t/virtual": rows}})
    assert found(state) == [("rewrites", "info")]
    own = {'"a@b"@x.example': "@x.example"}
    state = host(virtual_alias_maps="hash:/t/virtual", lookups={"rewritten": {"hash:/t/virtual": own}})
    assert found(state) == []


def test_canonical_maps_rewrite_recipients_by_any_cleanup_that_does_so() -> None:
    rows = {"rewritten": {"hash:/t/canonical": {"a@x.example": "a@elsewhere.example"}}}
    values = {"canonical_maps": "hash:/t/canonical", "canonical_classes": "header_sender"}
    assert found(host(lookups=rows, **values)) == []
    other = Service("other", "unix", "n", "-", "y", "-", "0", "cleanup", {"canonical_classes": "envelope_recipient"})
    services = [smtpd(), smtpd("2525", cleanup_service_name="other"), cleanup(), other]
    assert found(host(*services, lookups=rows, **values)) == [("rewrites", "info")]
