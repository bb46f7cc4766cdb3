# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A load balancer that runs on a lab host: it passes connections on, and says by the PROXY protocol whose they are.

`serve VERSION:PORT:SERVER:SERVERPORT...` listens at each PORT of the host. `say SERVER SERVERPORT HEADER...` talks to a
server itself: it sends the line HEADER first, "" for none, and prints what it hears of MAIL and RCPT elsewhere.
"""

from __future__ import annotations

import contextlib
import json
import socket
import struct
import sys
import threading

SIGNATURE = b"\r\n\r\n\0\r\nQUIT\n"
SECONDS = 20


def header(version: str, client: tuple[str, int], here: tuple[str, int]) -> bytes:
    """Return what introduces the connection of a client, who came to this place."""
    if version == "1":
        return f"PROXY TCP4 {client[0]} {here[0]} {client[1]} {here[1]}\r\n".encode()
    addresses = socket.inet_aton(client[0]) + socket.inet_aton(here[0]) + struct.pack("!HH", client[1], here[1])
    return SIGNATURE + struct.pack("!BBH", 0x21, 0x11, len(addresses)) + addresses


def serve(*places: str) -> None:
    """Pass on what comes to each place, for good."""
    threads = [threading.Thread(target=_listen, args=place.split(":")) for place in places]
    for thread in threads:
        thread.start()


def _listen(version: str, port: str, server: str, server_port: str) -> None:
    with socket.create_server(("", int(port))) as listener:
        while True:
            link, client = listener.accept()
            away = socket.create_connection((server, int(server_port)))
            away.sendall(header(version, client, link.getsockname()))
            for source, target in ((link, away), (away, link)):
                threading.Thread(target=_pass_on, args=(source, target)).start()


def _pass_on(source: socket.socket, target: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while piece := source.recv(65536):
            target.sendall(piece)
        target.shutdown(socket.SHUT_WR)


def say(server: str, port: str, introduction: str) -> None:
    """Print the answers: to the connection, MAIL, and RCPT of somebody elsewhere."""
    heard: list[str] = []
    with socket.create_connection((server, int(port)), SECONDS) as link, link.makefile("rb") as lines:
        if introduction:
            link.sendall(f"{introduction}\r\n".encode())
        for command in ("", "EHLO balancer.example", "MAIL FROM:<s@elsewhere.test>", "RCPT TO:<r@elsewhere.test>"):
            if command:
                link.sendall(f"{command}\r\n".encode())
            line = lines.readline().decode()
            while line[3:4] == "-":
                line = lines.readline().decode()
            heard.append(line.strip())
            if line[:1] not in ("2", "3"):
                break
    print(json.dumps(heard))


if __name__ == "__main__":
    if sys.argv[1] == "serve":
        serve(*sys.argv[2:])
    else:
        say(*sys.argv[2:])
