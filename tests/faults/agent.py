# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run the module on its host as Ansible runs it, kill it from outside, and say what lies there afterwards.

Standard input is one JSON object with `do`, the name of a function below, and its arguments; standard output is what
the function returned, as JSON. The payload folder holds the module as Ansible transferred and exploded it.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import pathlib
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import time
from typing import Any

PAYLOAD = pathlib.Path("/srv/faults/payload")
STARTER = "AnsiballZ_relay_recipients.py"
# Nothing the module does takes this long, not even with a busy processor.
SECONDS_TO_END = 300


class Started:
    """One run of the module, in a session of its own."""

    def __init__(self, arguments: dict[str, Any], watcher: list[str]) -> None:
        self.arguments = arguments
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="run-", dir="/srv/faults"))
        debug = self.folder / "debug_dir"
        debug.mkdir()
        for part in ("ansible", "ansible_collections"):
            (debug / part).symlink_to(PAYLOAD / "debug_dir" / part)
        given = json.loads((PAYLOAD / "debug_dir/args").read_text())
        hidden = {key: value for key, value in given["ANSIBLE_MODULE_ARGS"].items() if key.startswith("_ansible_")}
        (debug / "args").write_text(json.dumps({"ANSIBLE_MODULE_ARGS": {**hidden, **arguments}}))
        shutil.copy2(PAYLOAD / STARTER, self.folder)
        self.began = time.monotonic()
        self.process = subprocess.Popen(
            [*watcher, sys.executable, str(self.folder / STARTER), "execute"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )

    def kill(self) -> None:
        """Kill the module and every process that it started."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)

    def end(self) -> dict[str, Any]:
        """Wait until the module has ended; return its code (negative: the signal), how long it took, what it said."""
        out, err = self.process.communicate(timeout=SECONDS_TO_END)
        seconds = time.monotonic() - self.began
        # Whoever is left of the group (a postmap whose parent is gone) goes before anyone looks at the files.
        self.kill()
        shutil.rmtree(str(self.folder))
        text = out.decode("utf-8", "replace")
        try:
            said = json.loads(text[text.index("{") :])
        except ValueError:
            said = {}
        errors = err.decode("utf-8", "replace")
        return {"code": self.process.returncode, "seconds": seconds, "said": said, "err": errors}


def run(arguments: dict[str, Any]) -> dict[str, Any]:
    """Run the module to its end."""
    return Started(arguments, []).end()


def run_together(runs: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Start all runs at once; return how each ended."""
    return [started.end() for started in [Started(arguments, []) for arguments in runs]]


def kill_after(arguments: dict[str, Any], seconds: float, scratch: bool = False) -> dict[str, Any]:
    """Run the module, and kill its process group after that many seconds, if it still runs then.

    They are counted from the start; with `scratch` from when the first scratch directory appears beside the table.
    """
    started = Started(arguments, [])
    if scratch:
        _await_scratch(started)
    try:
        started.process.wait(timeout=seconds)
    except subprocess.TimeoutExpired:
        started.kill()
    return started.end()


def run_watched(arguments: dict[str, Any]) -> dict[str, Any]:
    """Run the module to its end; also return for how long there was something to interrupt (`scratch_seconds`)."""
    started = Started(arguments, [])
    _await_scratch(started)
    seen = time.monotonic() - started.began
    ended = started.end()
    return dict(ended, scratch_seconds=ended["seconds"] - seen)


def _await_scratch(started: Started) -> None:
    directory = os.path.dirname(started.arguments["path"])
    while not any(name.startswith(".mxrelay-table-") for name in os.listdir(directory)):
        try:
            started.process.wait(timeout=0.001)
        except subprocess.TimeoutExpired:
            continue
        return


def kill_at_call(arguments: dict[str, Any], call: str, number: int) -> dict[str, Any]:
    """Run the module, and kill it when it enters its `number`th system call of that name, before that has effect."""
    strace = ["strace", "--output=/dev/null", f"--trace={call}", f"--inject={call}:signal=SIGKILL:when={number}"]
    return Started(arguments, strace).end()


SWAPPER = """
import os, sys
place, secret = sys.argv[1:]
while True:
    for name in os.listdir(place):
        if name.startswith(".mxrelay-table-") and not name.endswith(".moved"):
            path = os.path.join(place, name)
            try:
                os.rename(path, path + ".moved")
                os.symlink(secret, path)
            except OSError:
                pass
"""


def run_swapped(arguments: dict[str, Any], secret: str, user: int) -> dict[str, Any]:
    """Run the module while this user puts links to `secret` in the place of its scratch directories."""
    place = os.path.dirname(arguments["path"])
    swapper = subprocess.Popen(
        ["setpriv", f"--reuid={user}", "--clear-groups", sys.executable, "-c", SWAPPER, place, secret]
    )
    try:
        return run(arguments)
    finally:
        swapper.kill()
        swapper.wait()


def kill_builder(arguments: dict[str, Any], pattern: str) -> dict[str, Any]:
    """Run the module, and kill the first of its processes whose command line holds the pattern, if there is time.

    One that lists a table is not what builds it.
    """
    started = Started(arguments, [])
    while started.process.poll() is None:
        lines = {pid: _command_line(pid) for pid in _group(started.process.pid)}
        if any(_kill(pid) for pid, line in lines.items() if pattern in line and " -s " not in line):
            break
    return started.end()


def _kill(pid: int) -> bool:
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return False
    return True


def _group(leader: int) -> list[int]:
    """Return the processes of a group but its leader."""
    found = []
    for entry in os.listdir("/proc"):
        if entry.isdigit() and int(entry) != leader:
            try:
                if os.getpgid(int(entry)) == leader:
                    found.append(int(entry))
            except ProcessLookupError:
                continue
    return found


def _command_line(pid: int) -> str:
    try:
        return pathlib.Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode("utf-8", "replace")
    except OSError:
        return ""


def look(kind: str, path: str) -> dict[str, Any]:
    """Return digests of what the live table and its source hold, every file beside them, and what lies elsewhere.

    `copies` is how often the index was made by changing a copy since it was built, as the record says. `older` is
    whether it is older than the source, of which Postfix would warn for ever.
    """
    return {
        "live": _live(kind, path),
        "source": _source(path),
        "copies": _copies(path),
        "older": _is_older(kind, path),
        "files": {name: _metadata(os.path.join(os.path.dirname(path), name)) for name in _names(path)},
        "elsewhere": sorted(str(left) for top in ("/tmp", "/var/tmp") for left in pathlib.Path(top).glob("mxrelay*")),
    }


def _live(kind: str, path: str) -> str | None:
    """What Postfix reads from the table; None where it can't read it."""
    dumped = subprocess.run(["postmap", "-s", f"{kind}:{path}"], capture_output=True, check=False)
    if dumped.returncode != 0:
        return None
    return _digest([line.split(b"\t")[0] for line in dumped.stdout.splitlines()])


def _source(path: str) -> str | None:
    try:
        content = pathlib.Path(path).read_bytes()
    except FileNotFoundError:
        return None
    return _digest([line.split()[0] for line in content.splitlines() if line and not line.startswith(b"#")])


def _copies(path: str) -> int | None:
    directory, name = os.path.split(path)
    try:
        return int(json.loads(pathlib.Path(directory, f".{name}.mxrelay").read_text())["copies"])
    except FileNotFoundError:
        return None


def _is_older(kind: str, path: str) -> bool:
    suffix = {"hash": ".db", "btree": ".db"}.get(kind, f".{kind}")
    try:
        return os.stat(path + suffix).st_mtime_ns < os.stat(path).st_mtime_ns
    except FileNotFoundError:
        return False


def _digest(keys: list[bytes]) -> str:
    return hashlib.sha256(b"\n".join(sorted(keys))).hexdigest()


def digest_of(path: str) -> str | None:
    """Return the digest that `look` gives for a table with the keys that stand in this list, one a line."""
    return _source(path)


def _names(path: str) -> list[str]:
    return sorted(os.listdir(os.path.dirname(path)))


def _metadata(path: str) -> list[Any]:
    status = os.lstat(path)
    return [stat.filemode(status.st_mode), status.st_uid, status.st_gid, status.st_ino, status.st_nlink]


if __name__ == "__main__":
    order = json.loads(sys.stdin.read())
    print(json.dumps(globals()[order.pop("do")](**order)))
