# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.errors import InvalidInput
from ansible_collections.mxrelay.postfix.plugins.plugin_utils.followed_lists import (
    followed_lists,
    following_items,
    kept_lists,
    kept_words,
    lacking_libraries,
    sources_to_read,
    table_items,
    with_lists_of_sources,
    without_secrets,
)

THEN, NOW = "2026-01-31T09:00:00Z", "2026-01-31T09:05:00Z"
DECLARED = {
    "people": {"type": "file", "path": "/srv/people"},
    "mail": {"type": "postfix", "host": "mail.example", "covered": {"ldap:/etc/postfix/ad": "ad"}},
    "ad": {
        "type": "ldap",
        "uri": "ldaps://dc.example",
        "bases": ["dc=x"],
        "bind_dn": "cn=r",
        "bind_password": "secret",
    },
}
X = {"name": "X.example", "recipients_from": ["people"]}
Y = {
    "name": "y.example",
    "recipients_from": "people, people",
    "recipients": "info@y.example",
    "recipients_file": "y.txt",
}


def to_read(items: list[Any], declared: Any = None, hosts: Sequence[str] = ()) -> dict[str, dict[str, Any]]:
    return {source["name"]: source for source in without_secrets(sources_to_read(items, declared or DECLARED, hosts))}


SOURCES = to_read([X, Y])
TOLD = {"name": "people", "type": "file", "host": "localhost"}


def reading(*domains: str, **changes: Any) -> dict[str, Any]:
    told = {"count": 2, "catch_all": False, "why_incomplete": "", "complete": True, "digest": "d"}
    return {
        "domains": {name: {**told, **changes} for name in domains},
        "lists": {name: f"/tmp/{name}" for name in domains},
        "problem": "",
        "read_at": THEN,
    }


def followed(said: dict[str, Any], **options: Any) -> dict[str, Any]:
    return followed_lists([X], SOURCES, {"people": said}, NOW, **options)["x.example"]


@pytest.mark.parametrize(
    ("item", "follows"),
    [
        ({}, True),
        ({"state": "present", "recipients_policy": "listed"}, True),
        ({"recipients_from": ""}, False),
        ({"recipients_from": None}, False),
        ({"state": "absent"}, False),
        ({"recipients_policy": "any"}, False),
        ({"recipients_policy": "verify"}, False),
    ],
)
def test_present_domain_with_a_list_follows_what_it_names(item: dict[str, Any], follows: bool) -> None:
    assert [follower.name for follower in following_items([{**X, **item}], "mx_domains")] == ["x.example"] * follows


def test_place_of_a_follower_is_that_among_all_items() -> None:
    (follower,) = following_items(["z.example", {**X, "recipients_from": ["b", "a", "b"]}], "mx_domains")
    assert (follower.place, follower.sources) == (1, ["b", "a"])


def test_domain_with_subdomains_can_not_follow() -> None:
    with pytest.raises(InvalidInput) as caught:
        following_items([{**X, "subdomains": "yes"}], "mx_domains")
    assert caught.value.message == (
        "mx_domains[0] (x.example) has recipients_from and subdomains; leave subdomains out, and declare each "
        "subdomain that has recipients as a domain of its own"
    )


def test_sources_are_those_that_domains_follow() -> None:
    assert sources_to_read([X, Y], DECLARED, []) == {
        "people": {
            "host": "localhost",
            "declared_in": "mx_recipient_sources",
            "source": {
                "type": "file",
                "timeout": 60,
                "skip_invalid": False,
                "default_domain": "",
                "format": "lines",
                "attributes": ["mail", "proxyAddresses"],
                "path": "/srv/people",
            },
            "domains": ["x.example", "y.example"],
        }
    }
    assert sources_to_read([{"name": "x.example"}], "no mapping, and nobody needs one", []) == {}


def test_loop_over_sources_knows_no_password() -> None:
    item = {**X, "recipients_from": ["mail", "ad"]}
    assert list(to_read([item], DECLARED, ["mail.example"]).values()) == [
        {
            "name": "mail",
            "host": "mail.example",
            "type": "postfix",
            "covered": {"ldap:/etc/postfix/ad": "ad"},
            "declared_in": "mx_recipient_sources",
            "domains": ["x.example"],
        },
        {
            "name": "ad",
            "host": "localhost",
            "type": "ldap",
            "covered": {},
            "declared_in": "mx_recipient_sources",
            "domains": ["x.example"],
        },
    ]


@pytest.mark.parametrize(
    ("item", "declared", "hosts", "message"),
    [
        (
            {"recipients_from": ["peple"]},
            DECLARED,
            [],
            'x.example has recipients_from "peple", which is not in secondary_mx_recipient_sources; declare it there, '
            "or correct the name (there are: people, mail, ad)",
        ),
        (
            {},
            None,
            [],
            'x.example has recipients_from "people", which is not in secondary_mx_recipient_sources; declare it there, '
            "or correct the name (there are: none)",
        ),
        (
            {"recipients_from": ["mail"]},
            DECLARED,
            ["mail.example"],
            'x.example follows "mail", some addresses of which only "ad" has (covered); name that in recipients_from '
            "as well",
        ),
        (
            {"recipients_from": ["mail", "ad"]},
            DECLARED,
            ["mx.example"],
            "secondary_mx_recipient_sources.mail has the host mail.example, which is not in the inventory; add it "
            "there, or correct the name",
        ),
        (
            {},
            {"people": {"type": "fyle"}},
            [],
            "secondary_mx_recipient_sources.people has a type that does not exist; give one of postfix, dovecot, file, "
            "ldap, sql, http",
        ),
    ],
)
def test_source_that_can_not_be_read_is_refused(
    item: dict[str, Any], declared: Any, hosts: list[str], message: str
) -> None:
    with pytest.raises(InvalidInput) as caught:
        sources_to_read([{**X, **item}], declared, hosts, "secondary_mx")
    assert caught.value.message == message


def test_list_is_what_the_source_says() -> None:
    noted = {**TOLD, "read_at": THEN, "count": 2, "digest": "d"}
    assert followed(reading("x.example")) == {
        "sources": [noted],
        "recipients_file": ["/tmp/x.example"],
        "max_removals": "10%",
    }


@pytest.mark.parametrize(
    ("options", "limit"),
    [({"limit": "50"}, "50"), ({"let_through": ["x.example"]}, "100%"), ({"let_through": ["y.example"]}, "10%")],
)
def test_limit_is_that_of_the_host_unless_the_domain_is_let_through(options: dict[str, Any], limit: str) -> None:
    assert followed(reading("x.example"), **options)["max_removals"] == limit


@pytest.mark.parametrize(
    ("said", "failed_at", "problem"),
    [
        ({"problem": "timed out", "read_at": THEN, "domains": {}}, THEN, "timed out"),
        ({"failed": True, "msg": "Python is missing"}, NOW, "Python is missing"),
        ({"unreachable": True, "msg": "no route to host"}, NOW, "no route to host"),
        ({}, NOW, "it was not read"),
        (reading("y.example"), THEN, "it was not read"),
        (reading("x.example", count=0), THEN, "it has no address of this domain"),
        (
            reading("x.example", why_incomplete="there is a catch-all"),
            THEN,
            "there is a catch-all, or give the domain recipients_policy: any or verify",
        ),
    ],
)
def test_list_stays_if_the_source_can_not_be_believed(said: dict[str, Any], failed_at: str, problem: str) -> None:
    assert followed(said) == {
        "sources": [{**TOLD, "failed_at": failed_at, "problem": problem}],
        "why": f"source people: {problem}",
        "max_removals": "10%",
    }


def test_list_of_several_sources_stays_if_one_of_them_failed() -> None:
    item = {**X, "recipients_from": ["people", "ad"]}
    sources = to_read([item])
    failed = {"problem": "timed out", "read_at": NOW}
    told = followed_lists([item], sources, {"people": reading("x.example"), "ad": failed}, NOW)["x.example"]
    assert told["why"] == "source ad: timed out"
    assert [source.get("problem", "") for source in told["sources"]] == ["", "timed out"]
    told = followed_lists([item], sources, {"people": reading("x.example"), "ad": reading("x.example")}, NOW)
    assert told["x.example"]["recipients_file"] == ["/tmp/x.example", "/tmp/x.example"]


AD_LACKS = {"problem": "python3-ldap3 was not found", "lacks": "python3-ldap3", "read_at": NOW}
ON_MX = {**DECLARED, "ad": {**DECLARED["ad"], "host": "mx.example"}}


@pytest.mark.parametrize(
    ("host", "people", "installs", "awaits"),
    [
        ("mx.example", reading("x.example"), True, "python3-ldap3 on mx.example"),
        ("mx.example", reading("x.example"), False, None),
        ("mx.example", {"problem": "timed out"}, True, None),
        ("localhost", reading("x.example"), True, None),
    ],
)
def test_list_awaits_a_library_that_a_run_installs_if_nothing_else_is_wrong(
    host: str, people: dict[str, Any], installs: bool, awaits: str | None
) -> None:
    item = {**X, "recipients_from": ["people", "ad"]}
    sources = to_read([item], {**ON_MX, "ad": {**ON_MX["ad"], "host": host}}, ["mx.example"])
    found = followed_lists([item], sources, {"people": people, "ad": AD_LACKS}, NOW, installs=installs)
    assert found["x.example"].get("awaits") == awaits
    assert found["x.example"]["why"].endswith("source ad: python3-ldap3 was not found")
    (told,) = with_lists_of_sources([item], found, "mx_domains")
    assert told.get("awaits") == awaits
    assert list(kept_lists(found, [{"kept": {"x.example": {"why": "so", "removals": 0, "of": 0}}}], "once")) == (
        [] if awaits else ["x.example"]
    )


def test_libraries_are_listed_once_for_each_host_but_not_for_the_controller() -> None:
    item = {**X, "recipients_from": ["people", "ad", "dc", "here", "there"]}
    declared = {**ON_MX, "dc": ON_MX["ad"], "here": DECLARED["ad"], "there": {**ON_MX["ad"], "host": "mail.example"}}
    sources = to_read([item], declared, ["mx.example", "mail.example"])
    readings = dict.fromkeys(("ad", "dc", "here"), AD_LACKS)
    readings["there"] = {**AD_LACKS, "lacks": "python3-pymysql"}
    assert lacking_libraries(sources, {"people": reading("x.example"), **readings}) == {
        "mx.example": ["python3-ldap3"],
        "mail.example": ["python3-pymysql"],
    }


def test_source_that_covers_a_table_of_another_need_not_have_the_domain() -> None:
    item = {**X, "recipients_from": ["mail", "ad"]}
    sources = to_read([item], DECLARED, ["mail.example"])

    def told(in_mail: int, in_ad: int) -> dict[str, Any]:
        readings = {"mail": reading("x.example", count=in_mail), "ad": reading("x.example", count=in_ad)}
        readings["ad"]["lists"] = {"x.example": "/tmp/ad"} if in_ad else {}
        return followed_lists([item], sources, readings, NOW)["x.example"]

    assert told(2, 0)["recipients_file"] == ["/tmp/x.example"]
    assert told(0, 2)["recipients_file"] == ["/tmp/ad"]
    assert told(0, 0)["why"] == "none of its sources has an address of this domain"


def test_items_get_the_lists_of_their_sources() -> None:
    items = [{"name": "z.example"}, X, Y]
    lists = {
        "x.example": {"sources": [], "why": "source people: timed out", "max_removals": "10%"},
        "y.example": {"sources": [], "recipients_file": ["/tmp/y"], "max_removals": "10%"},
    }
    assert with_lists_of_sources(items, lists, "mx_domains") == [
        {"name": "z.example"},
        {**X, "follows": True, "kept": "source people: timed out"},
        {**Y, "follows": True, "recipients_file": ["y.txt", "/tmp/y"]},
    ]
    with pytest.raises(InvalidInput) as caught:
        with_lists_of_sources(items, {"x.example": lists["x.example"]}, "mx_domains")
    assert caught.value.message == (
        "y.example has recipients_from, and its sources were not read; have a role do that, or give its recipients"
    )


def test_own_lists_of_a_kept_domain_do_not_count() -> None:
    (item,) = with_lists_of_sources([Y], {"y.example": {"why": "it failed"}}, "mx_domains")
    assert "recipients" not in item and "recipients_file" not in item


def test_table_gets_what_the_sources_made_of_the_items() -> None:
    lists = {
        "x.example": {"sources": [TOLD], "why": "source people: timed out", "max_removals": "10%"},
        "y.example": {"sources": [TOLD], "recipients_file": ["/tmp/y"], "max_removals": "100%"},
    }
    kept = {"name": "x.example", "sources": [TOLD], "recipients_policy": "kept", "why": "source people: timed out"}
    listed = {
        "name": "y.example",
        "sources": [TOLD],
        "recipients": ["info@y.example", "postmaster@y.example"],
        "recipients_file": ["y.txt", "/tmp/y"],
        "max_removals": "100%",
    }
    assert list(table_items([X, "z.example", Y], lists, ["postmaster"])) == [kept, listed]
    assert list(table_items([Y], lists, [])) == [{**listed, "recipients": ["info@y.example"]}]
    assert list(table_items([Y], lists, ["abuse"])) == [{**listed, "recipients": ["info@y.example", "abuse@y.example"]}]


def test_kept_lists_are_those_of_sources_and_of_the_table() -> None:
    lists = {"x.example": {"why": "it failed"}, "y.example": {"recipients_file": []}}
    failed = {"x.example": {"why": "it failed", "removals": 0, "of": 0, "once": "-e once"}}
    cut = {"why": "too many", "removals": 3, "of": 4}
    assert kept_lists(lists, [{}, {"skipped": True}], "-e once") == failed
    assert kept_lists(lists, [{"kept": {"y.example": cut, "of.others": cut}}, {"kept": {}}], "-e once") == {
        **failed,
        "y.example": {**cut, "once": "-e once"},
    }


def test_kept_lists_are_told_with_what_to_do() -> None:
    once = "-e mx_max_removals=100%"
    failed, cut = {"why": "source ad: timed out", "removals": 0}, {"why": "3 of its 4 would go", "removals": 3}
    assert kept_words({}, once) == ""
    assert kept_words({"x.example": failed}, once) == (
        "The list of 1 domain stays as it is, and everything else is done:\n- x.example: source ad: timed out"
    )
    assert kept_words({"y.example": {**cut, "once": "-e this"}}, once).endswith("let it through once with -e this")
    assert kept_words({"y.example": cut, "x.example": failed}, once) == (
        "The lists of 2 domains stay as they are, and everything else is done:\n"
        "- x.example: source ad: timed out\n"
        "- y.example: 3 of its 4 would go; check that, and if it is right let it through once with "
        "-e mx_max_removals=100%"
    )
