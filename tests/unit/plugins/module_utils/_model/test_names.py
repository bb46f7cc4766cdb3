# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.errors import InvalidInput
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.names import (
    address,
    addresses_by_domain,
    domain_name,
    domain_names,
    domain_of,
    hops_of,
    is_hop,
    is_somebody,
    needs_quotes,
    nexthops,
    port_of_hop,
    recipient,
    shown,
    transport_result,
)

PLACE = "domains[0].name"


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("x.example", "x.example"),
        ("Mail.X.Example", "mail.x.example"),
        ("_dmarc.x.example", "_dmarc.x.example"),
        ("bücher.example", "bücher.example"),
        ("xn--bcher-kva.example", "xn--bcher-kva.example"),
        ("localhost", "localhost"),
        ("a" * 63 + ".example", "a" * 63 + ".example"),
    ],
)
def test_domain_is_lower_cased_and_otherwise_kept(text: str, name: str) -> None:
    assert domain_name(text, PLACE) == name


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (None, "domains[0].name is null; give a domain name"),
        (7, "7 (domains[0].name) is not a domain name; write it as a string"),
        ("", '"" (domains[0].name) is empty; give a domain name'),
        (
            "x.example.",
            '"x.example." (domains[0].name) ends with a dot, which Postfix never matches; write "x.example"',
        ),
        (".x.example", '".x.example" (domains[0].name) starts with a dot; write "x.example"'),
        ("x..example", '"x..example" (domains[0].name) has an empty part between its dots; correct the domain name'),
        (
            "x example",
            '"x example" (domains[0].name) contains white space; write one domain name, without spaces',
        ),
        ("x\texample", '"x\\texample" (domains[0].name) contains a control character; remove it'),
        ("x.example\n", '"x.example\\n" (domains[0].name) contains a newline; remove it'),
        ("\ufeffx.example", '"\\ufeffx.example" (domains[0].name) contains a control character; remove it'),
        (
            "#x.example",
            '"#x.example" (domains[0].name) starts with #, which makes a comment in a table; remove the #',
        ),
        (
            "bob@x.example",
            '"bob@x.example" (domains[0].name) contains an @; give the domain alone, without the local part',
        ),
        ("-x.example", '"-x.example" (domains[0].name) is not a domain name ("-x"); correct it'),
        ("x,y.example", '"x,y.example" (domains[0].name) is not a domain name ("x,y"); correct it'),
        (
            "192.0.2.1",
            '"192.0.2.1" (domains[0].name) is a number or an IP address, not a domain name; give the domain\'s name',
        ),
        (
            "a" * 64 + ".example",
            f'"{"a" * 64}.example" (domains[0].name) has a part of more than 63 characters; correct the domain name',
        ),
        (
            "a." * 127 + "b",
            f'"{"a." * 60}..." (domains[0].name) is longer than 253 characters; correct the domain name',
        ),
    ],
)
def test_bad_domain_is_refused_with_the_remedy(text: object, message: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        domain_name(text, PLACE)
    assert caught.value.message == message


def test_one_leading_dot_only_where_subdomains_are_meant() -> None:
    assert domain_name(".X.example", PLACE, allow_subdomains=True) == ".x.example"
    with pytest.raises(InvalidInput):
        domain_name("..x.example", PLACE, allow_subdomains=True)
    with pytest.raises(InvalidInput):
        domain_name(".", PLACE, allow_subdomains=True)


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("bob@x.example", "bob@x.example"),
        ("Bob.Smith+Tag@X.Example", "bob.smith+tag@x.example"),
        ("o'brien@x.example", "o'brien@x.example"),
        ("first..last@x.example", "first..last@x.example"),
        ('"bob"@x.example', "bob@x.example"),
        ('"Bob Smith"@x.example', '"bob smith"@x.example'),
        ('"a@b"@x.example', '"a@b"@x.example'),
        ('"a\\"b"@x.example', '"a\\"b"@x.example'),
        ("jörg@bücher.example", "jörg@bücher.example"),
    ],
)
def test_address_becomes_the_key_that_postfix_looks_up(text: str, key: str) -> None:
    assert address(text, "recipients[3]") == key


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (None, "recipients[3] is null; give a full address"),
        (True, "True (recipients[3]) is not a full address; write it as a string"),
        ("", '"" (recipients[3]) is empty; give a full address'),
        ("bob", '"bob" (recipients[3]) has no @; give a full address, such as name@domain.example'),
        (
            "a@b@x.example",
            '"a@b@x.example" (recipients[3]) has more than one @; give one address, or quote the local part',
        ),
        ('"a"@b@x.example', '"\\"a\\"@b@x.example" (recipients[3]) has more than one @; give one address'),
        (
            "bob smith@x.example",
            '"bob smith@x.example" (recipients[3]) contains white space; quote the local part or correct it',
        ),
        (" bob@x.example", '" bob@x.example" (recipients[3]) contains white space; quote the local part or correct it'),
        (
            "bob\u00a0@x.example",
            '"bob\\xa0@x.example" (recipients[3]) contains white space; quote the local part or correct it',
        ),
        ("bob@x.example\n", '"bob@x.example\\n" (recipients[3]) contains a newline; remove it'),
        ('"bob\tb"@x.example', '"\\"bob\\tb\\"@x.example" (recipients[3]) contains a control character; remove it'),
        ("bob\0@x.example", '"bob\\x00@x.example" (recipients[3]) contains a control character; remove it'),
        (
            "#bob@x.example",
            '"#bob@x.example" (recipients[3]) starts with #, which makes a comment in a table; remove the #',
        ),
        (
            "@x.example",
            '"@x.example" (recipients[3]) has no local part; give a full address; '
            "to accept every address of a domain give it recipients_policy: any",
        ),
        ("bob@", '"bob@" (recipients[3]) has no domain; give a full address, such as name@domain.example'),
        (
            '"#foo"@x.example',
            '"\\"#foo\\"@x.example" (recipients[3]) starts with #, which makes a comment in a table; '
            "remove the address",
        ),
        ('"\u00a0"@x.example', '"\\xa0" (recipients[3]) contains white space; correct it'),
        ('""@x.example', '"\\"\\"@x.example" (recipients[3]) has an empty local part; give a full address'),
        (
            '"bob"x.example',
            '"\\"bob\\"x.example" (recipients[3]) has no @ after its quoted local part; give a full address',
        ),
        (
            "<bob@x.example",
            '"<bob@x.example" (recipients[3]) has characters in its local part that need quotes; '
            "quote it or correct it",
        ),
        (
            "bob@x.example.",
            '"bob@x.example." (recipients[3]) ends with a dot, which Postfix never matches; write "bob@x.example"',
        ),
        ("bob@.x.example", '"bob@.x.example" (recipients[3]) starts with a dot; write "bob@x.example"'),
        ("bob@x.example>", '"bob@x.example>" (recipients[3]) is not a domain name ("example>"); correct it'),
    ],
)
def test_bad_address_is_refused_with_the_remedy(text: object, message: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        address(text, "recipients[3]")
    assert caught.value.message == message.replace('\\"', '"')


def test_domain_of_a_key() -> None:
    assert domain_of('"a@b"@x.example') == "x.example"
    assert domain_of("@x.example") == "x.example"
    assert domain_of("postmaster") == ""


def test_neither_a_wildcard_nor_a_role_is_somebody() -> None:
    assert is_somebody("a@x.example")
    others = ("@x.example", "postmaster@x.example", "abuse@x.example", "x.example")
    assert [is_somebody(key) for key in others] == [False] * 4


def test_local_part_with_other_characters_than_an_atom_needs_quotes() -> None:
    assert [needs_quotes(text) for text in ("a.b", "first..last", "a b", "a@b", "")] == [False, False, True, True, True]


@pytest.mark.parametrize(
    ("nexthop", "port", "mx_lookup", "result"),
    [
        ("", None, False, "relay:"),
        (None, None, True, "relay:"),
        ("Mail.X.example", None, False, "relay:[mail.x.example]"),
        ("mail.x.example", 2525, False, "relay:[mail.x.example]:2525"),
        ("mail.x.example", None, True, "relay:mail.x.example"),
        ("mail.x.example", 26, True, "relay:mail.x.example:26"),
        ("192.0.2.7", None, False, "relay:[192.0.2.7]"),
        ("2001:DB8::1", 25, False, "relay:[ipv6:2001:db8::1]:25"),
        ("[mail.x.example]", None, False, "relay:[mail.x.example]"),
        ("[mail.x.example]:2525", None, False, "relay:[mail.x.example]:2525"),
        ("[mail.x.example]:2525", 2525, False, "relay:[mail.x.example]:2525"),
        ("mail.x.example", 1, False, "relay:[mail.x.example]:1"),
        ("mail.x.example", 65535, False, "relay:[mail.x.example]:65535"),
        ("[ipv6:2001:db8::1]", None, False, "relay:[ipv6:2001:db8::1]"),
        ("[2001:db8::1]:26", None, False, "relay:[ipv6:2001:db8::1]:26"),
    ],
)
def test_transport_result(nexthop: str | None, port: int | None, mx_lookup: bool, result: str) -> None:
    assert transport_result("relay", nexthop, port, mx_lookup, "entries[0]") == result


@pytest.mark.parametrize(
    ("nexthop", "port", "mx_lookup", "message"),
    [
        ("", 25, False, "entries[0].nexthop: port 25 is given without a nexthop; give the nexthop or remove the port"),
        (
            "mail.x.example:25",
            None,
            False,
            '"mail.x.example:25" (entries[0].nexthop) is not a host name, an IP address or [host]:port; '
            "give the host alone and its port in the option port",
        ),
        (
            "[mail.x.example",
            None,
            False,
            '"[mail.x.example" (entries[0].nexthop) is not a host name, an IP address or [host]:port; '
            "give the host alone and its port in the option port",
        ),
        (
            "mail .example",
            None,
            False,
            '"mail .example" (entries[0].nexthop) contains white space; give one host name or IP address',
        ),
        ("mail\n", None, False, '"mail\\n" (entries[0].nexthop) contains a newline; remove it'),
        (
            "[mail.x.example]:smtp",
            None,
            False,
            '"[mail.x.example]:smtp" (entries[0].nexthop) has a port that is not a number; write [host]:port',
        ),
        (
            "[mail.x.example]:25",
            26,
            False,
            '"[mail.x.example]:25" (entries[0].nexthop) has a port that differs from the option port (26); '
            "give the port once",
        ),
        (
            "mail.x.example",
            70000,
            False,
            '"mail.x.example" (entries[0].nexthop) has the port 70000; give a port from 1 to 65535',
        ),
        (
            "[mail.x.example]",
            None,
            True,
            '"[mail.x.example]" (entries[0].nexthop) is in brackets, which turn the MX lookup off; '
            "remove them or mx_lookup",
        ),
        (
            "192.0.2.7",
            None,
            True,
            '"192.0.2.7" (entries[0].nexthop) is an IP address, which has no MX record; '
            "remove mx_lookup or give a name",
        ),
        (
            "mail.x.example.",
            None,
            False,
            '"mail.x.example." (entries[0].nexthop) ends with a dot, which Postfix never matches; '
            'write "mail.x.example"',
        ),
        ("[]", None, False, '"[]" (entries[0].nexthop) has nothing in its brackets; give a host name or an IP address'),
        (
            "300.1.2.3",
            None,
            False,
            '"300.1.2.3" (entries[0].nexthop) is a number or an IP address, not a domain name; give the domain\'s name',
        ),
    ],
)
def test_bad_nexthop_is_refused(nexthop: str, port: int | None, mx_lookup: bool, message: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        transport_result("relay", nexthop, port, mx_lookup, "entries[0]")
    assert caught.value.message == message


@pytest.mark.parametrize("transport", ["", "relay:", "a b", None])
def test_bad_transport_name_is_refused(transport: object) -> None:
    with pytest.raises(InvalidInput, match=r"entries\[0\]\.transport"):
        transport_result(transport, "mail.x.example", None, False, "entries[0]")


PATTERN = (
    "is a pattern, and a table of recipients holds whole addresses; list them; "
    "to accept every address of a domain give it recipients_policy: any"
)


@pytest.mark.parametrize(
    "text",
    [
        "*",
        "*@x.example",
        "sales-*@x.example",
        "a*b@x.example",
        "*@*",
        ".*@x.example",
        "/^.*@x\\.example$/",
        '"*"@x.example',
    ]
    + ["%@x.example", "?@x.example", ".+@x.example", "/.+/"],
)
def test_pattern_is_no_recipient(text: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        recipient(text, "recipients[0]")
    assert caught.value.message == f"{shown(text)} (recipients[0]) {PATTERN}"


# What smtpd 3.10 answered to each, with its defaults and the address in relay_recipient_maps.
@pytest.mark.parametrize(
    ("text", "route"),
    [
        *((text, "%") for text in ("a%b@x.example", "%a@x.example", "a%@x.example", '"a b%c"@x.example')),
        *((text, "!") for text in ("a!b@x.example", "!a@x.example", "y.example!u@x.example", '"a!b"@x.example')),
        ('"a@b"@x.example', "@"),
        *((text, "") for text in ("-a@x.example", "-@x.example", '"-a b"@x.example', '"-a"@x.example')),
    ],
)
def test_address_whose_mail_postfix_refuses_is_no_recipient(text: str, route: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        recipient(text, "recipients[0]")
    problem = (
        f"has a {route} in its local part, which names a route, so Postfix refuses its mail (allow_untrusted_routing)"
        if route
        else "starts with -, so Postfix refuses its mail (allow_min_user)"
    )
    assert caught.value.message == f"{shown(text)} (recipients[0]) {problem}; remove the address"


@pytest.mark.parametrize("character", "#$&'+/=?^_`{|}~.-")
def test_address_that_postfix_takes_is_a_recipient(character: str) -> None:
    for text in (f"a{character}b@x.example", f"a{character}@x.example"):
        assert recipient(text, "") == text


def test_domains_of_a_list_are_told_by_their_place() -> None:
    assert domain_names(["X.example", "y.example"], "domains") == ["x.example", "y.example"]
    with pytest.raises(InvalidInput) as error:
        domain_names(["x.example", "a@y.example"], "domains")
    expected = '"a@y.example" (domains[1]) contains an @; give the domain alone, without the local part'
    assert str(error.value) == expected


def test_domain_without_an_address_is_left_out() -> None:
    given = {"X.example": "A@x.example", "y.example": "", "z.example": None}
    assert addresses_by_domain(given, "recipients") == {"x.example": "a@x.example"}
    with pytest.raises(InvalidInput, match=r"^\"nobody\" \(recipients\[x\.example\]\) "):
        addresses_by_domain({"x.example": "nobody"}, "recipients")


@pytest.mark.parametrize(
    ("hosts", "port", "mx_lookup", "text"),
    [
        (["A.example", "b.example"], None, False, "[a.example],[b.example]"),
        (["a.example", "[b.example]:26"], 2525, False, "[a.example]:2525,[b.example]:26"),
        (["a.example", "b.example"], None, True, "a.example,b.example"),
        (["2001:db8::1", "192.0.2.1"], 26, False, "[ipv6:2001:db8::1]:26,[192.0.2.1]:26"),
        (["a.example"], 26, False, "[a.example]:26"),
        ([], None, False, ""),
    ],
)
def test_several_nexthops(hosts: list[str], port: int | None, mx_lookup: bool, text: str) -> None:
    assert nexthops(hosts, port, mx_lookup, "mail_host") == text


@pytest.mark.parametrize(
    ("hosts", "message"),
    [
        (["a.example", "relay:[b.example]"], r'"relay:\[b.example\]" \(mail_host\[1\]\) is not a host name'),
        (["a.example", "A.example"], r"mail_host has \[a.example\] twice; name each host once"),
    ],
)
def test_bad_nexthop_of_several_is_refused(hosts: list[str], message: str) -> None:
    with pytest.raises(InvalidInput, match=message):
        nexthops(hosts, None, False, "mail_host")


@pytest.mark.parametrize("text", ["[a]:25,[b]:26", " [a]:25, [b]:26 ", "[a]:25 [b]:26", "[a]:25\t,\n[b]:26"])
def test_hops_are_told_apart_as_postfix_does(text: str) -> None:
    assert hops_of(text) == ["[a]:25", "[b]:26"]
    assert hops_of("") == []


# What smtp(8) of Postfix 3.10 did with each: true if it looked the host up, false if it stopped with a fatal error.
@pytest.mark.parametrize(
    ("text", "connects"),
    [
        ("[mail.lab.example]:25", True),
        ("nowhere.example:smtp", True),
        ("nowhere.example:", True),
        ("[nowhere.example]:", True),
        ("under_score.example", True),
        ("10.253.1.10", True),
        ("[ipv6:2001:db8::1]", True),
        ("[IPv6:2001:db8::1]:25", True),
        ("[2001:db8::1]:25", True),
        ("[ipv6:::1]", True),
        ("[nowhere.example]:1", True),
        ("[nowhere.example]:65535", True),
        ("[nowhere.example]:65536", False),
        ("bücher.example", True),
        ("relay:[b.example]:25", False),
        ("smtp:nowhere.example", False),
        ("[nowhere.example", False),
        ("[nowhere.example]x", False),
        # What the host does not call a port stops smtp as well; what it calls one can't be told.
        ("[nowhere.example]:amavisd", True),
        ("nowhere.example:amavisd", True),
        ("relay:nowhere", False),
        ("nowhere.example:99999", False),
        ("[nowhere.example]:0", False),
        ("nowhere.example.", False),
        ("-bad.example", False),
        ("a..b", False),
        ("[]", False),
        ("[10.253.1.300]", False),
        ("2001:db8::1", False),
        ("x/y", False),
        ("unix:/x", False),
    ],
)
def test_hop_is_one_that_smtp_connects_to(text: str, connects: bool) -> None:
    assert is_hop(text) is connects


@pytest.mark.parametrize(
    ("text", "port"),
    [
        ("mail.x.example", 25),
        ("mail.x.example:", 25),
        ("[mail.x.example]:2525", 2525),
        ("mail.x.example:smtp", 25),
        ("[mail.x.example]:lmtp", 24),
        ("[mail.x.example]:submission", 587),
        ("[mail.x.example]:submissions", 465),
        ("[mail.x.example]:smtps", 465),
        # What services(5) of another host may call a port.
        ("[mail.x.example]:amavisd", 25),
        ("[ipv6:2001:db8::1]", 25),
        ("[ipv6:2001:db8::1]:26", 26),
    ],
)
def test_port_of_a_hop(text: str, port: int) -> None:
    assert port_of_hop(text) == port


@pytest.mark.parametrize(("value", "said"), [(None, "null"), (25, "25"), ({"a": 1}, "a mapping"), (["a"], "a list")])
def test_value_that_is_no_text_is_named_without_what_it_holds(value: object, said: str) -> None:
    assert shown(value) == said
