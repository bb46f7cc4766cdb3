# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Take any mail on a port of this host, slowly: a mail host that answers after its own time, whatever the load.

Arguments: the port, the seconds before the answer to a message, and those for each megabyte of it.
"""

from __future__ import annotations

import asyncio
import sys

PORT, SECONDS, PER_MEGABYTE = int(sys.argv[1]), float(sys.argv[2]), float(sys.argv[3])


async def converse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Hold one SMTP connection, in which every command succeeds."""
    writer.write(b"220 slow.lab.example ESMTP\r\n")
    while line := await reader.readline():
        verb = line.strip().upper()
        if verb == b"DATA":
            writer.write(b"354 go on\r\n")
            size, end = 0, b""
            while not end.endswith(b"\r\n.\r\n") and (text := await reader.read(1 << 16)):
                size, end = size + len(text), end[-4:] + text
            await asyncio.sleep(SECONDS + PER_MEGABYTE * size / 1000000)
        writer.write(b"221 bye\r\n" if verb == b"QUIT" else b"250 ok\r\n")
        if verb == b"QUIT":
            break
    writer.close()


async def main() -> None:
    """Serve until killed."""
    server = await asyncio.start_server(converse, "127.0.0.1", PORT, backlog=1000)
    async with server:
        await server.serve_forever()


asyncio.run(main())
