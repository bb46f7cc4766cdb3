# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A CA of a test's own, and certificates that it issues."""

from __future__ import annotations

import ssl
from datetime import timedelta
from pathlib import Path

from lab.authority import A_DAY, Party


class Authority:
    """A CA. `file` holds its certificate."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._party = Party("CA of a test", days=730, begins=-365)
        self.file = folder / "ca.pem"
        self.file.write_text(self._party.pem)

    def settings(self, name: str, age: timedelta = timedelta()) -> ssl.SSLContext:
        """Those of a server with a certificate for the name, which was issued for two days so long ago."""
        server = Party(name, self._party, (name,), days=2, begins=-1 - age / A_DAY)
        path = self._folder / "server.pem"
        path.write_text(server.pem + server.key_pem)
        settings = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        settings.load_cert_chain(path)
        return settings
