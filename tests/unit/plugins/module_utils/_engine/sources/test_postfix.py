# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.sources.postfix import (
    NOT_THERE,
    read_postfix_source,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.errors import SourceError
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.sources.definition import source_definition
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.sources.reading import Reading
from ansible_collections.mxrelay.postfix.tests.unit.plugins.module_utils.fake_mx_host import FakeMxHost

COVER = "name in covered the source that has its addresses"
SYSTEM = ("postmaster@l.example", "mailer-daemon@l.example")
# What a mail host that has all four classes begins with.
BASE = {
    "mydestination": "l.example, localhost",
    "local_recipient_maps": "$alias_maps",
    "alias_maps": "inline:{root=x}",
    "virtual_alias_domains": "$virtual_alias_maps",
    "virtual_alias_maps": "",
    "virtual_mailbox_domains": "m.example",
    "virtual_mailbox_maps": "",
    "relay_domains": "r.example",
    "relay_recipient_maps": "",
    "parent_domain_matches_subdomains": "relay_domains",
    "myorigin": "l.example",
    "luser_relay": "",
}


@pytest.fixture(name="host")
def _host(tmp_path: Path) -> FakeMxHost:
    host = FakeMxHost(str(tmp_path))
    host.table("aliases", "Root x\nlist y\n")
    host.table("virtual", "a.example any\nann@a.example bob\nann bob\n@c.example bob\nc.example any\n")
    host.table("mailbox", "m@m.example x\nlost@nowhere.example x\n")
    host.table("relay", "r@r.example x\ns@sub.r.example x\n")
    return host


def configured(host: FakeMxHost, **values: str) -> None:
    tables = {
        "alias_maps": f"hash:{host.path('aliases')}",
        "virtual_alias_maps": f"hash:{host.path('virtual')}",
        "virtual_mailbox_maps": f"proxy:hash:{host.path('mailbox')}",
        "relay_recipient_maps": f"hash:{host.path('relay')}",
    }
    every = {**BASE, **tables, **values}
    host.write("main.cf", "".join(f"{name} = {value}\n" for name, value in every.items()))


def read(host: FakeMxHost, *domains: str, **options: Any) -> Reading:
    definition = source_definition({"type": "postfix", "config_directory": host.config_directory, **options})
    return read_postfix_source(definition, host, domains)


def of(found: Reading, domain: str) -> list[str]:
    return [address for address in found.addresses if address.endswith(f"@{domain}")]


def test_every_class_has_its_recipients(host: FakeMxHost) -> None:
    configured(host)
    found = read(host)
    assert set(found.addresses) == {
        "root@l.example",
        "list@l.example",
        "ann@l.example",
        # It is in the table of aliases, as a domain that Postfix also takes for a name.
        "a.example@l.example",
        "c.example@l.example",
        *SYSTEM,
        "ann@a.example",
        "m@m.example",
        "r@r.example",
        "s@sub.r.example",
    }
    assert found.catch_alls == {"c.example"}
    assert (found.incomplete, found.skipped) == ({}, 0)


def test_subdomains_are_relayed_only_if_postfix_says_so(host: FakeMxHost) -> None:
    configured(host, parent_domain_matches_subdomains="")
    assert of(read(host), "sub.r.example") == []


def test_class_that_comes_first_counts(host: FakeMxHost) -> None:
    configured(host, relay_domains="r.example, l.example, m.example", mydestination="l.example, !m.example")
    assert of(read(host), "m.example") == ["m@m.example"]
    configured(host, mydestination="l.example, m.example")
    assert set(of(read(host), "m.example")) == {
        f"{name}@m.example" for name in ("root", "list", "ann", "a.example", "c.example", "postmaster", "mailer-daemon")
    }


def test_domains_may_be_in_files_and_tables(host: FakeMxHost) -> None:
    host.write("domains", "# ours\nm.example\n")
    host.table("more", "r.example x\n")
    configured(host, virtual_mailbox_domains=host.path("domains"), relay_domains=f"hash:{host.path('more')}")
    assert (of(read(host), "m.example"), of(read(host), "r.example")) == (["m@m.example"], ["r@r.example"])


def test_table_of_domains_that_only_answers_is_asked(host: FakeMxHost) -> None:
    host.write("domains.re", "/^(m|n)\\.example$/ x\n")
    configured(host, virtual_mailbox_domains=f"regexp:{host.path('domains.re')}", virtual_mailbox_maps="")
    assert of(read(host), "m.example") == []
    why = "virtual_mailbox_maps is empty at the mail host, which so takes every address; set it there"
    assert read(host, "n.example").incomplete == {"n.example": why}
    configured(host, virtual_mailbox_domains=f"regexp:{host.path('domains.re')}")
    assert of(read(host), "m.example") == ["m@m.example"]


def test_table_of_domains_that_can_not_be_asked_makes_all_incomplete(host: FakeMxHost) -> None:
    table = f"regexp:{host.path('nothing')}"
    configured(host, virtual_mailbox_domains=f"{table}, m.example")
    problem = f"open {host.path('nothing')}: No such file or directory"
    assert read(host).incomplete == {"": f"{table} could not be asked ({problem}); repair it there"}


def test_domain_that_is_in_no_class_is_told(host: FakeMxHost) -> None:
    configured(host)
    assert read(host, "no.example", "l.example").incomplete == {"no.example": NOT_THERE}


def test_domain_is_there_in_either_of_its_forms(host: FakeMxHost) -> None:
    host.table("relay", "r@xn--bcher-kva.example x\n")
    configured(host, relay_domains="xn--bcher-kva.example")
    found = read(host, "bücher.example")
    assert (of(found, "xn--bcher-kva.example"), found.incomplete) == (["r@xn--bcher-kva.example"], {})


def test_table_that_can_not_be_listed_is_named_unless_covered(host: FakeMxHost) -> None:
    configured(host, relay_recipient_maps=f"hash:{host.path('relay')}, proxy:mysql:/etc/postfix/relay.cf")
    why = f"relay_recipient_maps has proxy:mysql:/etc/postfix/relay.cf, whose type can't be listed; {COVER}"
    assert read(host).incomplete == {"r.example": why, "sub.r.example": why}
    assert of(read(host), "r.example") == ["r@r.example"]
    assert read(host, covered={"mysql:/etc/postfix/relay.cf": "database"}).incomplete == {}


def test_what_takes_every_address_makes_its_class_incomplete(host: FakeMxHost) -> None:
    configured(host, luser_relay="root", virtual_mailbox_maps="static:all")
    found = read(host)
    assert found.incomplete.keys() == {"l.example"}
    assert found.catch_alls == {"c.example", "m.example"}


def test_server_on_port_25_may_have_lists_of_its_own(host: FakeMxHost) -> None:
    configured(host)
    host.write(
        "master.cf",
        "127.0.0.1:10025 inet n - y - - smtpd -o local_recipient_maps= -o relay_recipient_maps=\n"
        "smtp inet n - y - 1 postscreen\n"
        "smtpd pass - - y - - smtpd -o relay_recipient_maps=hash:$config_directory/mailbox\n",
    )
    host.write("main.cf", Path(host.path("main.cf")).read_text() + f"config_directory = {host.config_directory}\n")
    found = read(host)
    assert (of(found, "r.example"), found.incomplete) == ([], {})


def test_entry_that_is_no_address_makes_its_domain_incomplete(host: FakeMxHost) -> None:
    host.table("relay", "a%b@r.example x\nr@r.example x\n")
    configured(host)
    assert read(host).incomplete.keys() == {"r.example"}
    assert (read(host, skip_invalid=True).incomplete, read(host, skip_invalid=True).skipped) == ({}, 1)


def test_host_without_postfix_is_told(host: FakeMxHost) -> None:
    host.installed = False
    with pytest.raises(SourceError) as caught:
        read(host)
    assert caught.value.message == (
        f"there is no Postfix with {host.config_directory}/main.cf on this host; correct the host"
    )
