# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""On the host: run modules, each in a process of its own that has loaded Ansible already, and kill them on demand.

Orders are lines of JSON on standard input, answers are lines of JSON on standard output. `do` names a function below.
"""

from __future__ import annotations

import importlib
import io
import json
import os
import random
import select
import signal
import statistics
import subprocess
import sys
import time
from typing import Any

sys.path.insert(0, "/srv/integration")

from ansible.module_utils import basic

# Seconds; nothing that a module does here takes as long.
PATIENCE = 60
MODULES = "ansible_collections.mxrelay.postfix.plugins.modules."


class Started:
    """A module that runs in a process group of its own."""

    def __init__(self, module: str, arguments: dict[str, Any], check: bool) -> None:
        main = importlib.import_module(MODULES + module).main
        reader, writer = os.pipe()
        self.pid = os.fork()
        if not self.pid:
            os.close(reader)
            os.setpgid(0, 0)
            _become_module(main, arguments, check, writer)
        # Here too: it may be killed before it has come to that.
        os.setpgid(self.pid, self.pid)
        os.close(writer)
        self._reader = reader

    def has_said(self, seconds: float) -> bool:
        """Whether the module has come to its end, in that time or before."""
        return bool(select.select([self._reader], [], [], seconds)[0])

    def wait(self) -> dict[str, Any]:
        """What the module said, and what ended it."""
        with os.fdopen(self._reader, "rb") as stream:
            said = stream.read()
        status = os.waitpid(self.pid, 0)[1]
        result = json.loads(said) if said else {}
        result["ended"] = os.WTERMSIG(status) if os.WIFSIGNALED(status) else 0
        return result


def _become_module(main: Any, arguments: dict[str, Any], check: bool, writer: int) -> None:
    given = {"_ansible_check_mode": check, "_ansible_diff": True, "_ansible_remote_tmp": "/tmp", **arguments}
    basic._ANSIBLE_ARGS = json.dumps({"ANSIBLE_MODULE_ARGS": given}).encode()
    basic._ANSIBLE_PROFILE = "legacy"
    os.dup2(writer, 1)
    sys.stdout = io.TextIOWrapper(os.fdopen(1, "wb", closefd=False), "utf-8")
    code = 70
    try:
        main()
    except SystemExit as end:
        code = int(end.code or 0)
    finally:
        sys.stdout.flush()
        os._exit(code)


def run(module: str, arguments: dict[str, Any], check: bool = False) -> dict[str, Any]:
    """Run a module to its end."""
    return Started(module, arguments, check).wait()


def kill(module: str, arguments: dict[str, Any], seconds: float, lock: str) -> tuple[int, float]:
    """Run a module and kill its process group after `seconds`; return the signal, 0 where it was faster, and its time.

    Both times are counted from when the lock appears, one that an earlier run left being removed; without its name,
    from the start.
    """
    if lock and os.path.exists(lock):
        os.unlink(lock)
    started = Started(module, arguments, False)
    while lock and not os.path.exists(lock) and not started.has_said(0):
        pass
    began = time.monotonic()
    if not started.has_said(seconds):
        os.killpg(started.pid, signal.SIGKILL)
    return started.wait()["ended"], time.monotonic() - began


def kill_often(module: str, rounds: list[dict[str, Any]], path: str, part: str, seed: int) -> dict[str, Any]:
    """Run a module with each of the arguments in turn, and kill it at a random moment of the time that one run takes.

    That is the whole run, or the part `while locked`, in which it holds its lock and after. Returns for each round the
    signal (0 where the run was faster) and the file's content before and after.
    """
    chance = random.Random(seed)
    lock = f"{path}.tmp" if part == "while locked" else ""
    durations = [kill(module, rounds[0], PATIENCE, lock)[1]]
    found: list[list[Any]] = []
    for arguments in rounds:
        # Postfix's commands wait until a file of theirs that has just been changed is a second old.
        os.utime(path, (0, 0))
        before = _text(path)
        ended, lasted = kill(module, arguments, chance.uniform(0, statistics.median(durations[-9:])), lock)
        if not ended:
            durations.append(lasted)
        found.append([ended, before, _text(path)])
    return {"rounds": found}


def _text(path: str) -> str:
    with open(path, encoding="utf-8", errors="surrogateescape", newline="") as stream:
        return stream.read()


def parallel(module: str, runs: list[dict[str, Any]], commands: list[list[str]]) -> dict[str, Any]:
    """Start the commands and the runs at the same time; return what failing commands say, and the results of runs."""
    started = [subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) for command in commands]
    results = [module_run.wait() for module_run in [Started(module, arguments, False) for arguments in runs]]
    said = [(command.communicate()[0].decode("utf-8", "replace"), command.returncode) for command in started]
    return {"failed": [text for text, code in said if code], "results": results}


def read_many(directories: list[str], options: list[str] | None = None) -> list[list[Any]]:
    """What postconf says about each configuration directory: code, output and errors."""
    found = []
    for directory in directories:
        done = subprocess.run(
            ["postconf", "-c", directory, *(options or ["-n"])],
            capture_output=True,
            check=False,
        )
        out, err = done.stdout.decode("utf-8", "surrogateescape"), done.stderr.decode("utf-8", "replace")
        found.append([done.returncode, out, err])
    return found


def main() -> None:
    for line in sys.stdin:
        order = json.loads(line)
        print(json.dumps(globals()[order.pop("do")](**order)), flush=True)


if __name__ == "__main__":
    main()
