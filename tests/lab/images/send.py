# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Talk SMTP as a stranger on the Internet would, and print every answer as JSON.

Standard input is one JSON object a line, for each of which a connection is made: `server` (a host name; absent: the
MX hosts of the first recipient's domain, best first, until one answers), `port`, `sender` (one with other letters than
ASCII's asks for SMTPUTF8), `recipients`, `message` (absent: QUIT after the last RCPT), `auth` (user and password),
`helo` (absent: the tester's name), `xclient` (what to claim by XCLIENT before). Standard output is one JSON object a
line: `server` (that answered, or null), `tried` (each server tried, with the error or null), `auth`, `mail`, `rcpt` (a
list), `data`: each answer as `[code, text]`, or null where that command was not sent.
"""

from __future__ import annotations

import contextlib
import json
import smtplib
import sys
from typing import Any

import dns.resolver

SECONDS_TO_CONNECT = 5
SECONDS_TO_ANSWER = 60


def answer(reply: Any) -> list[Any]:
    """Return smtplib's reply as code and text."""
    return [reply[0], reply[1].decode("utf-8", "replace")]


def servers_of(domain: str) -> list[str]:
    """Return the MX hosts of the domain, best first."""
    records = sorted(dns.resolver.resolve(domain, "MX"), key=lambda record: record.preference)
    return [str(record.exchange).rstrip(".") for record in records]


def talk(smtp: smtplib.SMTP, order: Any) -> Any:
    """Send what the order asks for over an open connection; return the answers until the server hung up."""
    result: dict[str, Any] = {"auth": None, "mail": None, "rcpt": [], "data": None}
    with contextlib.suppress(smtplib.SMTPServerDisconnected):
        helo = order.get("helo") or "tester.lab.example"
        smtp.ehlo(helo)
        if order.get("xclient"):
            smtp.docmd("XCLIENT", order["xclient"])
            smtp.ehlo(helo)
        if order.get("auth"):
            smtp.user, smtp.password = order["auth"]
            try:
                result["auth"] = answer(smtp.auth("plain", smtp.auth_plain))
            except smtplib.SMTPAuthenticationError as refused:
                result["auth"] = answer((refused.smtp_code, refused.smtp_error))
        international = "" if order["sender"].isascii() else " SMTPUTF8"
        smtp.command_encoding = "utf-8"
        result["mail"] = answer(smtp.docmd("MAIL", f"FROM:<{order['sender']}>{international}"))
        if result["mail"][0] == 250:
            for recipient in order["recipients"]:
                result["rcpt"].append(answer(smtp.docmd("RCPT", f"TO:<{recipient}>")))
        if order.get("message") and any(code == 250 for code, text in result["rcpt"]):
            result["data"] = answer(smtp.data(order["message"]))
        smtp.quit()
    return result


def carry_out(order: Any) -> Any:
    """Return what the first server that can be reached answered."""
    servers = [order["server"]] if order.get("server") else servers_of(order["recipients"][0].rpartition("@")[2])
    tried: list[tuple[str, str | None]] = []
    for server in servers:
        try:
            smtp = smtplib.SMTP(server, order.get("port", 25), timeout=SECONDS_TO_CONNECT)
        except OSError as error:
            tried.append((server, str(error)))
            continue
        tried.append((server, None))
        assert smtp.sock, "a client that has connected has a socket"
        smtp.sock.settimeout(SECONDS_TO_ANSWER)
        return dict(talk(smtp, order), server=server, tried=tried)
    return {"server": None, "tried": tried, "auth": None, "mail": None, "rcpt": [], "data": None}


if __name__ == "__main__":
    for line in sys.stdin:
        print(json.dumps(carry_out(json.loads(line))))
