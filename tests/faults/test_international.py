# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Internationalised domains, named in the mail by either of their forms."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence

from faults import host
from lab import hosts

HUMAN, DNS = host.INTERNATIONAL
ASK = """
import json, smtplib, sys
server, port, addresses = json.load(sys.stdin)
smtp = smtplib.SMTP(server, port)
smtp.ehlo("tester.lab.example")
smtp.command_encoding = "utf-8"
codes = [smtp.docmd("MAIL", "FROM:<stranger@elsewhere.test> SMTPUTF8")[0]]
print(json.dumps(codes + [smtp.docmd("RCPT", f"TO:<{address}>")[0] for address in addresses]))
"""


def answers(table: host.Table, addresses: Sequence[str]) -> list[int]:
    """The codes of RCPT for each address, from a client that speaks SMTPUTF8."""
    told = hosts.on("tester", "python3", "-c", ASK, given=json.dumps([host.NAME, table.port, addresses]))
    mail, *found = json.loads(told)
    assert mail == 250
    return found


def test_domain_given_in_one_form_is_found_in_both(table_for: Callable[[str, str], host.Table]) -> None:
    table = table_for("hash", "international")
    asked = [f"{local}@{name}" for local in ("jürgen", "JÜRGEN", "nobody") for name in (HUMAN, HUMAN.upper(), DNS)]
    found = [250] * 6 + [550] * 3
    arguments = {"path": table.path, "type": table.kind}
    given = [{"name": HUMAN, "recipients": [f"jürgen@{HUMAN}"]}]
    assert host.said(host.ask("run", arguments={**arguments, "domains": given}))["total"] == 2
    assert answers(table, asked) == found
    same = [{"name": DNS, "recipients": [f"jürgen@{DNS}"]}]
    assert host.said(host.ask("run", arguments={**arguments, "domains": same}))["changed"] is False
    gone = [{"name": DNS, "state": "absent"}]
    assert host.said(host.ask("run", arguments={**arguments, "domains": gone}))["removed"] == 2


def test_domain_on_which_the_standards_differ_is_refused_in_one_form(
    table_for: Callable[[str, str], host.Table],
) -> None:
    table = table_for("lmdb", "international")
    human = {"name": "faß.example", "recipients_policy": "any"}
    arguments = {"path": table.path, "type": table.kind, "domains": [human]}
    message = host.refused(host.ask("run", arguments=arguments))
    assert message.endswith("give the form that DNS has as well: @xn--fa-hia.example or @fass.example")
    dns = {"name": "xn--fa-hia.example", "recipients_policy": "any"}
    assert host.said(host.ask("run", arguments={**arguments, "domains": [human, dns]}))["total"] == 2
