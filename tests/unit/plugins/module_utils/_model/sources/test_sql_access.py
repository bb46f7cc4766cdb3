# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.sources.sql_access import SqlAccess


@pytest.mark.parametrize(
    ("server", "ca_file", "by_socket", "demands_tls"),
    [
        ("", "", True, False),
        ("/run/mysqld/mysqld.sock", "", True, False),
        ("/run/mysqld/mysqld.sock", "/ca.pem", True, False),
        ("localhost", "", False, False),
        ("127.0.0.9", "", False, False),
        ("::1", "", False, False),
        ("localhost", "/ca.pem", False, True),
        ("db.example", "", False, True),
        ("192.0.2.1", "", False, True),
    ],
)
def test_what_leaves_the_host_demands_tls(server: str, ca_file: str, by_socket: bool, demands_tls: bool) -> None:
    access = SqlAccess("mysql", "mail", server, ca_file=ca_file)
    assert (access.by_socket, access.demands_tls) == (by_socket, demands_tls)


def test_place_has_no_secret() -> None:
    access = SqlAccess("mysql", "mail", "db.example", 3307, "reader", "secret")
    assert access.place == "mysql database mail at db.example:3307"
    assert SqlAccess("sqlite", "/srv/mail.db").place == "sqlite database /srv/mail.db"
    assert "secret" not in repr(access)
