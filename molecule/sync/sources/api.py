# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""HTTPS servers that answer as the APIs of mailcow, Microsoft Graph and Google's Directory do, or worse if told to.

Each user of a domain is a line of /etc/sources/people/NAME. /etc/sources/api.json says which of the APIs misbehaves,
and how; it is read at each request. /run/api.log has a line for each request: the port and the path. Port 8444 has
another certificate than 8443 if the file says that it has expired.
"""

from __future__ import annotations

import http.server
import json
import pathlib
import socket
import ssl
import threading
import time
import urllib.parse
from typing import Any

FOLDER = pathlib.Path("/etc/sources")
LOG = pathlib.Path("/run/api.log")
HOST = socket.gethostname()
KEY = "let me read"
TOKEN = "token-of-the-lab"
PAGE = 40
SECONDS_TO_BE_SLOW = 30


def told(name: str) -> str:
    """How the API misbehaves, empty if it does not."""
    return str(json.loads((FOLDER / "api.json").read_text()).get(name, ""))


def people(name: str) -> list[str]:
    """The addresses of the domain, or of another tenant."""
    users = (FOLDER / "people" / name).read_text().split()
    return [user.replace(f"@{name}.", "@other-tenant.") for user in users] if told(name) == "other tenant" else users


def page_of(users: list[str], start: int) -> tuple[list[str], int]:
    """The users of a page, and where the next one starts, 0 after the last."""
    end = start + PAGE
    return users[start:end], end if end < len(users) else 0


class Answers(http.server.BaseHTTPRequestHandler):
    """One request."""

    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        """Log in, as at Microsoft's identity platform."""
        form = urllib.parse.parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
        right = (form.get("grant_type"), form.get("client_secret")) == (["client_credentials"], [KEY])
        self.say(200 if right else 401, {"access_token": TOKEN} if right else {"error": "invalid_client"})

    def do_GET(self) -> None:
        """List users."""
        url = urllib.parse.urlsplit(self.path)
        query = dict(urllib.parse.parse_qsl(url.query))
        answer = {
            "/api/v1/get/mailbox/all": self.mailcow,
            "/v1.0/users": self.graph,
            "/admin/directory/v1/users": self.google,
            "/short": self.short,
            "/secure": self.secure,
        }.get(url.path)
        if answer is None:
            self.say(404, {"error": "not found"})
        else:
            answer(query)

    def mailcow(self, _query: dict[str, str]) -> None:
        if self.headers["X-API-Key"] != KEY:
            self.say(401, {"type": "error", "msg": "authentication failed"})
            return
        if told("mailcow") == "slow":
            time.sleep(SECONDS_TO_BE_SLOW)
        self.say(200, [{"username": user, "active": 1, "name": "somebody"} for user in people("mailcow")])

    def graph(self, query: dict[str, str]) -> None:
        if not self.authorized():
            return
        users, following = page_of(people("graph"), int(query.get("$skiptoken", 0)))
        document: dict[str, Any] = {
            "@odata.context": "https://graph.microsoft.com/v1.0/$metadata#users(mail,proxyAddresses)",
            "value": [
                {"mail": user, "proxyAddresses": [f"SMTP:{user}", "X500:/o=Example/cn=somebody", f"SIP:{user}"]}
                for user in users
            ],
        }
        document["value"].append({"mail": None, "proxyAddresses": []})
        if following:
            document["@odata.nextLink"] = f"https://{HOST}:8443/v1.0/users?$top={PAGE}&$skiptoken={following}"
        self.say(200, document)

    def google(self, query: dict[str, str]) -> None:
        if not self.authorized():
            return
        if told("google") == "page of errors":
            self.send(200, b"<!DOCTYPE html><html><body>Please log in</body></html>", "text/html")
            return
        users, following = page_of(people("google"), int(query.get("pageToken", 0)))
        document: dict[str, Any] = {
            "kind": "admin#directory#users",
            "users": [{"primaryEmail": user, "emails": [{"address": user, "primary": True}]} for user in users],
        }
        if following:
            document["nextPageToken"] = str(following)
        self.say(200, document)

    def short(self, _query: dict[str, str]) -> None:
        body = "".join(f"{user}\n" for user in people("short")).encode()
        self.send(200, body, "text/plain", body[: body.index(b"user50@")] if told("short") == "cut" else body)

    def secure(self, _query: dict[str, str]) -> None:
        rows = "".join(f"{user};somebody\r\n" for user in people("secure"))
        self.send(200, f"address;name\r\n{rows}".encode(), "text/csv")

    def authorized(self) -> bool:
        if self.headers["Authorization"] == f"Bearer {TOKEN}":
            return True
        self.say(401, {"error": {"code": "InvalidAuthenticationToken"}})
        return False

    def say(self, status: int, document: object) -> None:
        self.send(status, json.dumps(document).encode(), "application/json")

    def send(self, status: int, body: bytes, kind: str, part: bytes | None = None) -> None:
        """Send a response, or only a part of the body that it promises."""
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body if part is None else part)
        self.close_connection = part is not None and part != body

    def log_message(self, _format: str, *_arguments: object) -> None:
        with LOG.open("a") as log:
            log.write(f"{self.server.server_address[1]} {self.path.partition('?')[0]}\n")


class Server(http.server.ThreadingHTTPServer):
    """A server whose certificate is chosen at each connection."""

    def get_request(self) -> tuple[socket.socket, Any]:
        connection, address = super().get_request()
        expired = self.server_port == 8444 and told("secure") == "expired"
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*(FOLDER / f"{'expired' if expired else 'server'}.{kind}" for kind in ("crt", "key")))
        return context.wrap_socket(connection, server_side=True, do_handshake_on_connect=False), address


if __name__ == "__main__":
    threading.Thread(target=Server(("", 8444), Answers).serve_forever).start()
    Server(("", 8443), Answers).serve_forever()
