# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.configuration.parameter_values import (
    Judge,
    table_types,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.errors import InvalidInput

DEFAULTS = {"b": "no", "i": "50", "t": "5d", "s": "30s", "text": "", "max_use": "100", "mail_version": "3.10.13"}
JUDGE = Judge(DEFAULTS, ("grey",))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("b", "yes"), ("b", "NO"), ("b", "$x"), ("b", "${x?{yes}:{no}}"),
        ("i", "0"), ("i", "-1"), ("i", "+7"), ("i", "${x}0"),
        ("t", "5"), ("t", "5d"), ("t", "$x"),
        ("text", "anything, at all"), ("unknown", "yes"),
        ("inet_protocols", "ipv4, ipv6"), ("inet_protocols", "all"), ("smtp_tls_security_level", ""),
        ("smtp_tls_security_level", "dane-only"), ("smtp_tls_security_level", "$x"),
        ("mynetworks", "127.0.0.0/8 [::1]/128 [::1] [fe80::]/64 10.1.2.3 !10.0.0.5 /etc/nets hash:/etc/nets $x"),
        ("mynetworks", "[127.0.0.0]/8 [::1/128] host.example cidr:/etc/postfix/nets !hash:/x 0.0.0.0/0"),
        ("mynetworks", ""),
        ("proxy_interfaces", "192.0.2.1 [2001:db8::1], 2001:db8::2 mx.x_y.example [mx.example] $x $x/8"),
        ("transport_maps", "hash:/x, proxy:ldap:/y $virtual_maps"), ("transport_maps", ""),
        ("transport_maps", "pipemap:{hash:/x, static:{a b}}"),
        ("smtpd_relay_restrictions", "permit_mynetworks, grey reject_unauth_destination"),
    ],
)  # fmt: skip
def test_value_that_postfix_takes(name: str, value: str) -> None:
    JUDGE.check(name, value, "parameters")


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("b", "true", '"true" is neither yes nor no; write yes'),
        ("b", "Off", '"Off" is neither yes nor no; write no'),
        ("b", "", '"" is neither yes nor no; write one of them'),
        ("proxy_interfaces", "$x 10.0.0.0/8", '"10.0.0.0/8" is a network, not an address'),
        ("proxy_interfaces", "10.0.0.256", '"10.0.0.256" is neither an address nor the name of a host'),
        ("proxy_interfaces", "a.example -b.example", '"-b.example" is neither an address nor the name of a host'),
        ("proxy_interfaces", "host/24", '"host/24" is neither an address nor the name of a host'),
        ("max_use", "0", '"0" is more or less than Postfix takes; write a whole number from 1 to 2147483647'),
        ("i", "5k", '"5k" is not a whole number; write digits only'),
        ("i", "", '"" is not a whole number; write digits only'),
        ("t", "5D", '"5D" is not a time; write digits followed by one of s, m, h, d, w, such as 5d '
         "(without a unit, d is assumed)"),
        ("s", "1 h", '"1 h" is not a time; write digits followed by one of s, m, h, d, w, such as 5d '
         "(without a unit, s is assumed)"),
        ("inet_protocols", "ipv5", '"ipv5" is not one of all, ipv4, ipv6; did you mean "ipv6"?'),
        ("unverified_recipient_tempfail_action", "permit",
         '"permit" is not one of defer, defer_if_permit; use one of them'),
        ("mynetworks", "127.0.0.0/8 10.0.0.1/8",
         '"10.0.0.1/8" has bits set beyond its mask; write 10.0.0.0/8, or 10.0.0.1 for one host'),
        ("mynetworks", "[fe80::1]/64",
         '"[fe80::1]/64" has bits set beyond its mask; write [fe80::]/64, or fe80::1 for one host'),
        ("mynetworks", "10.0.0/8",
         "\"10.0.0/8\" is not a network ('10.0.0/8' does not appear to be an IPv4 or IPv6 interface); "
         "write address/bits, such as 192.0.2.0/24"),
        ("mynetworks", "10.0.0.0/255.0.0.0",
         '"10.0.0.0/255.0.0.0" has a mask that Postfix can\'t read; write 10.0.0.0/8'),
        ("mynetworks", "::1/128", '"::1/128" is read as a table; write [::1]/128'),
        ("mynetworks", "! 10.0.0.1", '"!" has nothing after it; write the member without a blank after "!"'),
        ("mynetworks", "[::1]x", '"[::1]x" is not a network; write an IPv6 network as [2001:db8::]/32'),
        ("transport_maps", "hash:/x /etc/postfix/transport",
         '"/etc/postfix/transport" has no table type; '
         "write type:/etc/postfix/transport, such as hash:/etc/postfix/transport"),
        ("smtpd_client_restrictions", "permit_mynetwork",
         '"permit_mynetwork" is not a restriction that smtpd knows; did you mean "permit_mynetworks"?'),
        ("grey", "qwertz", '"qwertz" is not a restriction that smtpd knows; '
         "correct it, or name it in smtpd_restriction_classes"),
    ],
)  # fmt: skip
def test_value_that_postfix_would_misread_is_refused(name: str, value: str, message: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        JUDGE.check(name, value, "parameters.p")
    assert str(caught.value) == f"main.cf: {name} (parameters.p): {message}"


@pytest.mark.parametrize(
    ("name", "value", "types"),
    [
        ("transport_maps", "hash:/a, hash:/b lmdb:/c", ["hash", "lmdb"]),
        ("transport_maps", "proxy:hash:/a", ["proxy", "hash"]),
        ("transport_maps", "pipemap:{hash:/a, proxy:ldap:/b}", ["pipemap", "hash", "proxy", "ldap"]),
        ("relay_domains", "x.example !hash:/a $mydestination /file", ["hash"]),
        ("mynetworks", "::1/128 [::1]/128 10.0.0.0/8 cidr:/a", ["cidr"]),
        (
            "smtpd_client_restrictions",
            "check_client_access cidr:/a, check_policy_service unix:private/p, permit",
            ["cidr"],
        ),
        ("relayhost", "[x]:25", []),
        ("smtpd_milters", "inet:localhost:1", []),
    ],
)
def test_types_of_the_tables_in_a_value(name: str, value: str, types: list[str]) -> None:
    assert table_types(name, value) == types
