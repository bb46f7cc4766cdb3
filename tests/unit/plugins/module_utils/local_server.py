# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A server of this machine, for as long as a test asks it."""

from __future__ import annotations

import contextlib
import socketserver
import threading
from collections.abc import Iterator
from typing import TypeVar

# Seconds until it sees that it is to end.
LOOKS_AGAIN = 0.01
Server = TypeVar("Server", bound=socketserver.BaseServer)


@contextlib.contextmanager
def answering(server: Server) -> Iterator[Server]:
    """The server, which answers in a thread of its own until the block ends."""
    threading.Thread(target=server.serve_forever, args=(LOOKS_AGAIN,), daemon=True).start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
