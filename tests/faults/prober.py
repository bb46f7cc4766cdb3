# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ask a server without end, each time over a new connection, for a listed and for an unlisted recipient.

The first line of standard input is a JSON object: `server`, `port`, `listed`, `unlisted` (lists of addresses that are
asked for in turn). After the first probe a line `ready` is printed; when standard input ends, one JSON object:
`probes`, `wrong` (what was answered that should not have been) and `slowest` (seconds).
"""

from __future__ import annotations

import itertools
import json
import select
import smtplib
import sys
import time
from typing import Any

SECONDS_TO_ANSWER = 30
# One of the two processors of a small machine is to be free for those who are being watched.
SECONDS_BETWEEN = 0.02
MOST_TO_TELL = 20


def answers(server: str, port: int, addresses: list[str]) -> list[Any]:
    """Return the answer to RCPT for each address, each in a mail transaction of its own."""
    found = []
    with smtplib.SMTP(server, port, timeout=SECONDS_TO_ANSWER) as smtp:
        smtp.ehlo("tester.lab.example")
        for address in addresses:
            smtp.docmd("MAIL", "FROM:<stranger@elsewhere.test>")
            code, text = smtp.docmd("RCPT", f"TO:<{address}>")
            found.append((code, text.decode("utf-8", "replace")))
            smtp.docmd("RSET")
    return found


def probe(order: dict[str, Any]) -> dict[str, Any]:
    """Probe until standard input ends."""
    probes = 0
    wrong: list[str] = []
    slowest = 0.0
    for listed, unlisted in zip(itertools.cycle(order["listed"]), itertools.cycle(order["unlisted"])):
        began = time.monotonic()
        try:
            good, bad = answers(order["server"], order["port"], [listed, unlisted])
            if good[0] != 250:
                wrong.append(f"{time.time():.3f} {listed}: {good}")
            if bad[0] != 550 or not bad[1].startswith("5.1.1"):
                wrong.append(f"{time.time():.3f} {unlisted}: {bad}")
        except (OSError, smtplib.SMTPException) as error:
            wrong.append(f"{time.time():.3f} {listed}: {error!r}")
        slowest = max(slowest, time.monotonic() - began)
        probes += 1
        if probes == 1:
            print("ready", flush=True)
        if select.select([sys.stdin], [], [], SECONDS_BETWEEN)[0]:
            break
    return {"probes": probes, "wrong": len(wrong), "told": wrong[:MOST_TO_TELL], "slowest": slowest}


if __name__ == "__main__":
    print(json.dumps(probe(json.loads(sys.stdin.readline()))))
