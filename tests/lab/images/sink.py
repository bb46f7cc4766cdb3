# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Take any mail on port 25 and append it to the file named by the first argument: where nothing should arrive."""

from __future__ import annotations

import socketserver
import sys


class Sink(socketserver.StreamRequestHandler):
    """One SMTP connection, in which every command succeeds."""

    def handle(self) -> None:
        """Answer until QUIT."""
        self.wfile.write(b"220 sink.lab.example ESMTP\r\n")
        for line in self.rfile:
            verb = line.strip().upper()
            if verb == b"DATA":
                self.wfile.write(b"354 go on\r\n")
                with open(sys.argv[1], "ab") as kept:
                    for text in self.rfile:
                        if text == b".\r\n":
                            break
                        kept.write(text)
            if verb == b"QUIT":
                self.wfile.write(b"221 bye\r\n")
                return
            self.wfile.write(b"250 ok\r\n")


if __name__ == "__main__":
    socketserver.ThreadingTCPServer.allow_reuse_address = True
    socketserver.ThreadingTCPServer(("", 25), Sink).serve_forever()
