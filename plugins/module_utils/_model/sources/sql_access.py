# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""How a database with recipients is reached."""

from __future__ import annotations

from dataclasses import dataclass, field

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.addresses import stays_here


@dataclass(frozen=True)
class SqlAccess:
    """A database: a file of SQLite's, or one of a `server`, which is a host, the path of a socket, or empty for the
    socket of this host. `port` is 0 for the one that is usual."""

    engine: str
    database: str
    server: str = ""
    port: int = 0
    user: str = ""
    password: str = field(default="", repr=False)
    ca_file: str = ""
    seconds: int = 60

    @property
    def by_socket(self) -> bool:
        """Whether it is reached without a network."""
        return not self.server or self.server.startswith("/")

    @property
    def demands_tls(self) -> bool:
        """Whether what is said is to be encrypted, and the certificate is to hold: wherever it leaves this host."""
        here = self.server == "localhost" or stays_here(self.server)
        return not self.by_socket and (bool(self.ca_file) or not here)

    @property
    def place(self) -> str:
        """What it is called in errors."""
        where = f" at {self.server}{f':{self.port}' if self.port else ''}" if self.server else ""
        return f"{self.engine} database {self.database}{where}"
