#!/usr/bin/env python
# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Stands in for the container engine's command: hands all to it, and notes how many bytes it was given to hand on."""

from __future__ import annotations

import os
import pathlib
import subprocess
import sys
import threading
from typing import IO

PIECE_BYTES = 1 << 16


def hand_on(to: IO[bytes]) -> None:
    """Copy standard input."""
    count = 0
    while piece := os.read(0, PIECE_BYTES):
        count += len(piece)
        to.write(piece)
        to.flush()
    to.close()
    with pathlib.Path(os.environ["BENCH_BYTES"]).open("a") as notes:
        print(count, file=notes)


def main() -> None:
    command = [os.environ["BENCH_ENGINE"], *sys.argv[1:]]
    with subprocess.Popen(command, stdin=subprocess.PIPE) as engine:
        if engine.stdin is None:
            raise RuntimeError("the engine was not started with a pipe")
        threading.Thread(target=hand_on, args=(engine.stdin,), daemon=True).start()
        code = engine.wait()
    # What reads no input leaves the thread waiting for more of it.
    sys.stdout.flush()
    os._exit(code)


if __name__ == "__main__":
    main()
