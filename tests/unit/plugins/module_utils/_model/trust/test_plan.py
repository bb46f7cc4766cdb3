# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.configuration.main_cf import MainCf
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.configuration.master_cf import MasterCf
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.configuration.match_lists import expand
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.admission import AdmissionEvidence
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.contents import Content
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.host import HostState
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.trust.hosts import MxHost
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.trust.plan import (
    TrustPlan,
    TrustRequest,
    decide_trust,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.trust.trust_table import (
    TrustTable,
    read_trust_table,
)

TABLE = "cidr:/etc/postfix/trusted_mx"
ELEMENT = f"check_client_access {TABLE}"
LIMITS = "${smtpd_client_connection_limit_exceptions:$mynetworks}"
DEFAULTS = {
    "mydestination": "$myhostname, localhost",
    "mydomain": "example",
    "myhostname": "mail.example",
    "mynetworks": "127.0.0.0/8",
    "parent_domain_matches_subdomains": "",
    "postscreen_access_list": "permit_mynetworks",
    "relay_domains": "",
    "smtpd_client_event_limit_exceptions": LIMITS,
    "smtpd_client_restrictions": "",
    "smtpd_helo_restrictions": "",
    "smtpd_recipient_restrictions": "",
    "smtpd_relay_restrictions": "permit_mynetworks, reject_unauth_destination",
    "smtpd_sender_restrictions": "",
    "virtual_alias_domains": "",
    "virtual_mailbox_domains": "",
}
NONE = TrustTable()
MASTER_CF = "smtp inet n - y - - smtpd\n"
MX = (MxHost("mx1.example", ("192.0.2.1", "2001:db8::1")),)
REQUEST = TrustRequest(MX, own_addresses=frozenset({"127.0.0.1", "192.0.2.9"}))
# What is set for every MX host, whatever the lists are.
ALWAYS = {"smtpd_client_event_limit_exceptions": ["192.0.2.1", "[2001:db8::1]"]}


def host(
    main_cf: str = "",
    master_cf: str = MASTER_CF,
    contents: dict[str, Content] | None = None,
    version: int = 3,
    results: dict[str, Sequence[str] | None] | None = None,
) -> HostState:
    """A mail host of x.example with these files; `results` are those of its access tables."""
    explicit = {"virtual_mailbox_domains": "x.example", **MainCf(main_cf).values}
    defaults = DEFAULTS if version == 3 else {k: v for k, v in DEFAULTS.items() if "relay_rest" not in k}
    parameters = {**defaults, **explicit}
    return HostState(
        parameters=parameters,
        values={name: expand(value, parameters) for name, value in parameters.items()},
        explicit=explicit,
        services=MasterCf(master_cf).effective,
        contents=contents or {},
        admission=AdmissionEvidence(defaults=defaults, results=results or {}),
    )


def plan(state: HostState, request: TrustRequest = REQUEST, known: TrustTable | None = NONE) -> TrustPlan:
    return decide_trust(state, request, known)


def causes(found: TrustPlan) -> list[str]:
    return [refusal.cause for refusal in found.refusals]


def test_each_list_that_refuses_gets_the_table_first() -> None:
    found = plan(
        host(
            "smtpd_client_restrictions = permit_mynetworks, reject_rbl_client list.example\n"
            "smtpd_helo_restrictions = permit_mynetworks\n"
            "smtpd_sender_restrictions = reject_unknown_sender_domain\n"
            "smtpd_recipient_restrictions = reject_unauth_destination, check_policy_service unix:private/spf\n"
            "smtpd_data_restrictions = reject_unauth_pipelining\n"
        )
    )
    assert found == TrustPlan(
        inserted={
            "smtpd_client_restrictions": (ELEMENT, 0),
            "smtpd_sender_restrictions": (ELEMENT, 0),
            "smtpd_recipient_restrictions": (ELEMENT, 0),
        },
        added=ALWAYS,
        table=TrustTable(
            ("192.0.2.1", "2001:db8::1"), ("192.0.2.1", "[2001:db8::1]"), ("smtpd_client_event_limit_exceptions",)
        ).text,
        exempts=[
            "smtpd_client_restrictions: reject_rbl_client list.example",
            "smtpd_sender_restrictions: reject_unknown_sender_domain",
            "smtpd_recipient_restrictions: check_policy_service unix:private/spf",
            "the limits of clients (smtpd_client_*_limit)",
        ],
    )


def test_host_that_trusts_already_needs_nothing() -> None:
    table = TrustTable(
        ("192.0.2.1", "2001:db8::1"), ("192.0.2.1", "[2001:db8::1]"), ("smtpd_client_event_limit_exceptions",)
    )
    state = host(
        f"smtpd_client_restrictions = permit_mynetworks, {ELEMENT}, reject_rbl_client list.example\n"
        f"smtpd_client_event_limit_exceptions = {LIMITS}, 192.0.2.1, [2001:db8::1]\n"
    )
    found = plan(state, known=table)
    assert (found.inserted, found.removed, found.added, found.overrides) == ({}, {}, {}, {})
    assert found.table == table.text


def test_table_comes_behind_a_check_of_recipients_and_the_rest_is_told() -> None:
    found = plan(
        host(
            "smtpd_recipient_restrictions = reject_rbl_client a, reject_unverified_recipient, reject_rbl_client b\n"
            "smtpd_client_event_limit_exceptions = 192.0.2.1\n"
        )
    )
    assert found.inserted == {"smtpd_recipient_restrictions": (ELEMENT, 3)}
    assert found.added == {"smtpd_client_event_limit_exceptions": ["[2001:db8::1]"]}
    assert found.untouched == [
        "smtpd_recipient_restrictions: reject_rbl_client a; it is in front of a check of recipients, so put that check "
        "first"
    ]
    assert found.exempts[0] == "smtpd_recipient_restrictions: reject_rbl_client b"
    known = read_trust_table(found.table or "")
    assert known is not None
    # What was there before is not ours.
    assert (known.limits, known.set) == (("[2001:db8::1]",), ())


def test_nothing_is_put_where_it_would_exempt_from_nothing() -> None:
    found = plan(host("smtpd_recipient_restrictions = reject_rbl_client a, check_recipient_access hash:/r\n"))
    assert found.inserted == {}
    assert found.untouched == ["smtpd_recipient_restrictions: reject_rbl_client a"]


def test_list_that_refers_to_another_gets_the_table_by_that() -> None:
    found = plan(
        host(
            "smtpd_sender_restrictions = $smtpd_client_restrictions\n"
            "smtpd_client_restrictions = $blocked\n"
            "blocked = reject_rbl_client a\n"
        )
    )
    assert found.inserted == {"smtpd_client_restrictions": (ELEMENT, 0)}
    assert found.exempts[:2] == [
        "smtpd_client_restrictions: reject_rbl_client a",
        "smtpd_sender_restrictions: reject_rbl_client a",
    ]


def test_restriction_in_front_of_such_a_list_needs_the_table_as_well() -> None:
    found = plan(
        host(
            "smtpd_sender_restrictions = reject_unknown_sender_domain, $smtpd_client_restrictions\n"
            "smtpd_client_restrictions = reject_rbl_client a\n"
        )
    )
    assert found.inserted == {
        "smtpd_client_restrictions": (ELEMENT, 0),
        "smtpd_sender_restrictions": (ELEMENT, 0),
    }


def test_table_that_others_have_put_something_in_front_of_moves() -> None:
    state = host(f"smtpd_client_restrictions = reject_rbl_client a, {ELEMENT}, reject_rbl_client b\n")
    found = plan(state)
    assert found.removed == {"smtpd_client_restrictions": [ELEMENT]}
    assert found.inserted == {"smtpd_client_restrictions": (ELEMENT, 0)}


def test_table_leaves_a_list_to_which_others_have_added_a_check_of_recipients_behind_all_else() -> None:
    value = f"{ELEMENT}, reject_rbl_client a, check_recipient_access hash:/r"
    found = plan(host(f"smtpd_recipient_restrictions = {value}\n"))
    assert (found.removed, found.inserted) == ({"smtpd_recipient_restrictions": [ELEMENT]}, {})
    own = MASTER_CF.rstrip() + f" -o {{ smtpd_recipient_restrictions = {value} }}\n"
    left = "reject_rbl_client a, check_recipient_access hash:/r"
    assert plan(host("", own)).overrides["smtp/inet"]["smtpd_recipient_restrictions"] == left


CLASSES = (
    "smtpd_restriction_classes = users\n"
    "users = check_recipient_access hash:/r, reject\n"
    "smtpd_client_restrictions = check_client_access hash:/c, reject_rbl_client a\n"
)


def test_class_that_only_rows_of_a_table_name_is_never_behind_the_permit() -> None:
    found = plan(host(CLASSES, results={"hash:/c": ["DUNNO", "users"], "hash:/r": ["OK"]}))
    assert found.inserted == {"smtpd_client_restrictions": (ELEMENT, 2)}
    assert found.exempts[0] == "smtpd_client_restrictions: reject_rbl_client a"
    assert found.untouched == [
        "smtpd_client_restrictions: check_client_access hash:/c; rows of check_client_access hash:/c lead to a check "
        "of recipients, so MX hosts are exempt only behind it: put it first"
    ]
    harmless = plan(host(CLASSES, results={"hash:/c": ["DUNNO"], "hash:/r": ["OK"]}))
    assert harmless.inserted == {"smtpd_client_restrictions": (ELEMENT, 0)}


def test_greylisting_to_which_rows_of_a_check_of_recipients_lead_is_told() -> None:
    main_cf = (
        "smtpd_restriction_classes = grey\n"
        "grey = check_policy_service inet:127.0.0.1:10023\n"
        "smtpd_recipient_restrictions = check_recipient_access hash:/r\n"
    )
    told = "smtpd_recipient_restrictions: check_recipient_access hash:/r"
    behind = "check_policy_service inet:127.0.0.1:10023"
    assert plan(host(main_cf, results={"hash:/r": ["grey", "OK"]})).untouched == [f"{told} (its rows lead to {behind})"]
    assert plan(host(main_cf, results={"hash:/r": None})).untouched == [
        f"{told} (its rows cannot be listed, and may lead to {behind})"
    ]
    assert plan(host(main_cf, results={"hash:/r": ["OK", "REJECT"]})).untouched == []


def test_override_of_a_service_that_strangers_reach_gets_the_table_and_no_other() -> None:
    master_cf = (
        "smtp inet n - y - - smtpd -o smtpd_client_restrictions=reject_rbl_client,a\n"
        "  -o smtpd_client_event_limit_exceptions=127.0.0.0/8 -o smtpd_helo_restrictions=\n"
        "submission inet n - y - - smtpd -o smtpd_client_restrictions=permit_sasl_authenticated,reject\n"
        "  -o smtpd_relay_restrictions=permit_sasl_authenticated,reject\n"
    )
    found = plan(host("smtpd_client_restrictions = reject_rbl_client b\n", master_cf))
    assert found.inserted == {}
    assert found.overrides == {
        "smtp/inet": {
            "smtpd_client_restrictions": f"check_client_access,{TABLE},reject_rbl_client,a",
            "smtpd_client_event_limit_exceptions": "127.0.0.0/8,192.0.2.1,[2001:db8::1]",
        }
    }
    assert found.exempts[0] == "smtpd_client_restrictions of smtp/inet: reject_rbl_client a"


POSTSCREEN = "smtp inet n - y - 1 postscreen\nsmtpd pass - - y - - smtpd\n"


@pytest.mark.parametrize(
    ("main_cf", "inserted", "added"),
    [
        ("", {}, {"postscreen_access_list": [TABLE]}),
        ("postscreen_access_list = permit_mynetworks, cidr:/a\n", {"postscreen_access_list": (TABLE, 1)}, {}),
        ("postscreen_access_list = cidr:/a\n", {"postscreen_access_list": (TABLE, 0)}, {}),
        (f"postscreen_access_list = cidr:/a, {TABLE}\n", {}, {}),
    ],
)
def test_postscreen_lets_mx_hosts_pass(
    main_cf: str, inserted: dict[str, tuple[str, int]], added: dict[str, list[str]]
) -> None:
    found = plan(host(main_cf, POSTSCREEN))
    assert (found.inserted, found.added) == (inserted, {**added, **ALWAYS})
    assert "postscreen" in found.exempts


def test_override_of_postscreen_is_its_own() -> None:
    own = POSTSCREEN.replace("postscreen", "postscreen -o postscreen_access_list=permit_mynetworks")
    assert plan(host("", own)).overrides == {"smtp/inet": {"postscreen_access_list": f"permit_mynetworks,{TABLE}"}}


@pytest.mark.parametrize(
    ("main_cf", "cause"),
    [
        (
            "smtpd_relay_restrictions =\nsmtpd_recipient_restrictions = reject_unauth_destination\n",
            "smtpd_relay_restrictions is empty, so a permit in smtpd_recipient_restrictions would let MX hosts relay "
            "anywhere",
        ),
        (
            "smtpd_relay_restrictions = permit_mynetworks\n",
            "it is not sure that smtpd_relay_restrictions refuses foreign destinations: smtpd_relay_restrictions: it "
            "ends without rejecting foreign destinations (smtp/inet)",
        ),
        (
            "smtpd_relay_restrictions = permit\nsmtpd_recipient_restrictions = reject_unauth_destination\n",
            "it is not sure that smtpd_relay_restrictions refuses foreign destinations: permit in "
            "smtpd_relay_restrictions: it permits every client (smtp/inet)",
        ),
        (
            "smtpd_relay_restrictions = check_policy_service unix:p, reject_unauth_destination\n",
            "it is not sure that smtpd_relay_restrictions refuses foreign destinations: check_policy_service unix:p in "
            "smtpd_relay_restrictions: what a policy service answers cannot be listed (smtp/inet)",
        ),
        (
            "mynetworks = 127.0.0.0/8, 192.0.2.0/30\n",
            "192.0.2.1 may relay anywhere through this host, as smtpd_relay_restrictions permits 192.0.2.0/30 "
            "(smtp/inet)",
        ),
        (
            "smtpd_relay_restrictions = $smtpd_client_restrictions, reject_unauth_destination\n"
            "smtpd_client_restrictions = reject_rbl_client a\n",
            "smtpd_relay_restrictions of smtp/inet refers to a list that needs a permit for the MX hosts, by which "
            "they could relay",
        ),
        (
            "relay_domains = static:all\n",
            "static:all in relay_domains: it takes in domains that are nobody's, so everybody can relay through this "
            "host",
        ),
        (
            "virtual_mailbox_domains =\nmyhostname = Mail.Example\n",
            "this host takes mail for no domain: mydestination, virtual_mailbox_domains, virtual_alias_domains and "
            "relay_domains name nothing but the host itself",
        ),
    ],
)
def test_host_that_could_relay_or_has_no_mail_is_refused(main_cf: str, cause: str) -> None:
    assert cause in causes(plan(host(main_cf)))


def test_service_with_relay_restrictions_of_its_own_is_judged_by_them() -> None:
    open_port = MASTER_CF + "2525 inet n - y - - smtpd -o smtpd_relay_restrictions=\n"
    closed = open_port.rstrip() + " -o smtpd_recipient_restrictions=reject_unauth_destination\n"
    assert plan(host("", closed)).refusals == []
    assert len(
        plan(host("", open_port.replace("smtpd_relay_restrictions=", "smtpd_relay_restrictions=permit"))).refusals
    )
    # With neither list smtpd takes no mail.
    none = open_port.rstrip() + " -o smtpd_recipient_restrictions=\n"
    assert plan(host("", none)).refusals == []
    usual = MASTER_CF.rstrip() + " -o smtpd_relay_restrictions=\n"
    assert causes(plan(host("", usual)))[0].startswith("smtpd_relay_restrictions of smtp/inet is empty")


def test_declared_domain_makes_a_mail_host_of_one_that_is_named_after_it() -> None:
    state = host("virtual_mailbox_domains =\nmyhostname = x.example\n")
    assert len(plan(state).refusals) == 1
    assert plan(state, replace(REQUEST, domains=["X.example"])).refusals == []


def test_domains_in_a_table_are_mail() -> None:
    assert plan(host("virtual_mailbox_domains = hash:/d\n")).refusals == []


@pytest.mark.parametrize(
    ("main_cf", "domains"),
    [("", ["x.example"]), ("virtual_mailbox_domains = z.example\n", []), ("relay_domains = hash:/d\n", ["x.example"])],
)
def test_domains_of_mx_hosts_that_this_host_takes_mail_for_are_told(main_cf: str, domains: list[str]) -> None:
    assert plan(host(main_cf), replace(REQUEST, domains=["x.example", "y.example"])).domains == domains
    assert plan(host(), replace(REQUEST, domains=["X.Example"])).domains == ["X.Example"]
    table = host("virtual_mailbox_domains = hash:/d\n")
    assert plan(table, replace(REQUEST, domains=["x.example"])).domains == ["x.example"]


def test_other_reasons_to_refuse() -> None:
    own = replace(REQUEST, own_addresses=frozenset({"192.0.2.1"}))
    assert causes(plan(host(), own)) == ["mx1.example (192.0.2.1) is this host itself"]
    assert causes(plan(host("", "smtp inet n - y - 1 smtp-sink\n"))) == [
        "no service of master.cf takes mail from other hosts on port 25"
    ]
    assert causes(plan(host(), known=None)) == ["/etc/postfix/trusted_mx was not written by trust_mx"]
    assert causes(plan(host(version=2)))[0].startswith("this Postfix has no smtpd_relay_restrictions")


def test_addresses_that_are_no_longer_trusted_go() -> None:
    known = TrustTable(("192.0.2.7",), ("192.0.2.7",), ("smtpd_client_event_limit_exceptions",))
    state = host(f"smtpd_client_event_limit_exceptions = {LIMITS}, 192.0.2.7, 192.0.2.8\n")
    found = plan(state, known=known)
    assert found.removed == {"smtpd_client_event_limit_exceptions": ["192.0.2.7"]}
    assert found.added == ALWAYS
    assert found.table is not None
    assert read_trust_table(found.table) == TrustTable(
        ("192.0.2.1", "2001:db8::1"), ("192.0.2.1", "[2001:db8::1]"), ("smtpd_client_event_limit_exceptions",)
    )


GONE = replace(REQUEST, hosts=(), present=False)
KNOWN = TrustTable(("192.0.2.1",), ("192.0.2.1",), ("postscreen_access_list", "smtpd_client_event_limit_exceptions"))


def test_only_what_is_there_for_the_mx_hosts_is_taken_back() -> None:
    state = host(
        f"smtpd_client_restrictions = {ELEMENT}, reject_rbl_client a\n"
        f"smtpd_etrn_restrictions = {ELEMENT}, reject\n"
        f"postscreen_access_list = permit_mynetworks, {TABLE}\n"
        f"smtpd_client_event_limit_exceptions = {LIMITS}, 192.0.2.1\n",
        f"smtp inet n - y - - smtpd -o smtpd_helo_restrictions=check_client_access,{TABLE},reject\n"
        "  -o smtpd_client_event_limit_exceptions=127.0.0.0/8,192.0.2.1\n",
    )
    assert plan(state, GONE, KNOWN) == TrustPlan(
        removed={"smtpd_client_restrictions": [ELEMENT], "smtpd_etrn_restrictions": [ELEMENT]},
        absent=["postscreen_access_list", "smtpd_client_event_limit_exceptions"],
        overrides={
            "smtp/inet": {
                "smtpd_helo_restrictions": "reject",
                "smtpd_client_event_limit_exceptions": "127.0.0.0/8",
            }
        },
        table=None,
    )


def test_what_others_have_added_since_stays() -> None:
    state = host(
        f"postscreen_access_list = permit_mynetworks, {TABLE}, cidr:/a\n"
        f"smtpd_client_event_limit_exceptions = {LIMITS}, 192.0.2.1, 192.0.2.8\n"
    )
    found = plan(state, GONE, KNOWN)
    assert (found.absent, found.removed) == (
        [],
        {"postscreen_access_list": [TABLE], "smtpd_client_event_limit_exceptions": ["192.0.2.1"]},
    )


def test_list_that_somebody_else_has_unset_is_no_longer_ours() -> None:
    known = read_trust_table(plan(host(), known=KNOWN).table or "")
    assert known is not None
    assert known.set == ("smtpd_client_event_limit_exceptions",)


def test_list_that_was_set_before_stays_though_it_says_the_default() -> None:
    found = plan(host(f"postscreen_access_list = permit_mynetworks, {TABLE}\n"), GONE, TrustTable(("192.0.2.1",)))
    assert (found.absent, found.removed) == ([], {"postscreen_access_list": [TABLE]})


def test_table_that_something_else_names_stays() -> None:
    found = plan(host(f"smtpd_sender_restrictions = check_sender_access {TABLE}\n"), GONE, KNOWN)
    assert found.table == KNOWN.text
    assert found.untouched == ["/etc/postfix/trusted_mx stays, since smtpd_sender_restrictions still names it"]


def test_host_without_anything_of_it_has_nothing_to_take_back() -> None:
    assert plan(host("smtpd_client_restrictions = reject\n"), GONE) == TrustPlan(table=None)


def test_same_addresses_in_other_lists_are_not_taken_back() -> None:
    state = host("mynetworks = 127.0.0.0/8, 192.0.2.1\n")
    assert plan(state, GONE, KNOWN) == TrustPlan(table=None)


def test_list_of_postscreen_in_an_override_is_taken_back() -> None:
    own = POSTSCREEN.replace("postscreen", f"postscreen -o postscreen_access_list=permit_mynetworks,{TABLE}")
    found = plan(host("", own), GONE, KNOWN)
    assert found.overrides == {"smtp/inet": {"postscreen_access_list": "permit_mynetworks"}}


def test_table_stays_as_long_as_an_override_names_it_where_no_run_puts_it() -> None:
    own = MASTER_CF.rstrip() + f" -o mynetworks=127.0.0.0/8,{TABLE}\n"
    found = plan(host("", own), GONE, KNOWN)
    assert (found.overrides, found.table) == ({}, KNOWN.text)
    assert found.untouched == ["/etc/postfix/trusted_mx stays, since smtp/inet still names it"]
