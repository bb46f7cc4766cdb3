# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""How a source of recipients is declared: its type, and the options that each type has."""

from __future__ import annotations

POSTFIX = "postfix"
DOVECOT = "dovecot"
FILE = "file"
LDAP = "ldap"
SQL = "sql"
HTTP = "http"
TYPES = (POSTFIX, DOVECOT, FILE, LDAP, SQL, HTTP)

# Where a source is read: the host of the inventory, or this one.
CONTROLLER = "localhost"
COMMON = ("type", "host", "timeout", "skip_invalid", "default_domain")
OPTIONS = {
    POSTFIX: ("config_directory", "covered"),
    DOVECOT: (),
    FILE: ("path", "format", "column", "delimiter", "attributes"),
    LDAP: ("uri", "start_tls", "ca_file", "bind_dn", "bind_password", "bases", "filter", "attributes", "page_size"),
    SQL: ("engine", "database", "server", "port", "user", "password", "query", "ca_file"),
    HTTP: (
        "url",
        "format",
        "addresses",
        "column",
        "delimiter",
        "headers",
        "token",
        "login",
        "next_link",
        "next_token",
        "ca_file",
    ),
}
SECRETS = ("bind_password", "password", "token", "headers", "login")
