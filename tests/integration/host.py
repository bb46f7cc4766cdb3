# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A host with a real Postfix in a container of its own, and the collection's modules on it as they were installed."""

from __future__ import annotations

import io
import json
import os
import pathlib
import subprocess
import tarfile
from collections.abc import Mapping, Sequence
from typing import Any

import ansible

from lab import hosts

NAME = "config.lab.example"
HOME = "/srv/integration"
COLLECTION = "ansible_collections/mxrelay/postfix"
PACKAGES = ("postfix", "postfix-lmdb", "postfix-cdb", "postfix-pcre")
# As Debian's package leaves them; each test begins with these.
PRISTINE = "/srv/pristine"


class Host:
    """The container, and a process in it that runs modules."""

    def __init__(self) -> None:
        self._start()
        self._transfer()
        hosts.on(NAME, "cp", "-a", "/etc/postfix", PRISTINE)
        self._agent = subprocess.Popen(
            [os.environ["MXRELAY_LAB_ENGINE"], "exec", "-i", hosts.container(NAME), "python3", f"{HOME}/agent.py"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def _start(self) -> None:
        lab = os.environ["MXRELAY_LAB"]
        image = f"mxrelay-lab/mx:{os.environ['MXRELAY_LAB_TAG']}"
        self.stop()
        mounted = [f"--volume={volume}" for volume in json.loads(os.environ["MXRELAY_LAB_VOLUMES"])]
        hosts.engine(
            "run", "--detach", "--init", "--name", hosts.container(NAME), "--hostname", NAME, "--network", "none",
            "--label", f"mxrelay-lab={lab}", *mounted, "--entrypoint", "sleep", image, "infinity",
        )  # fmt: skip
        hosts.on(
            NAME, "env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "install", "--yes", "--no-download", "--quiet",
            *PACKAGES,
        )  # fmt: skip

    def _transfer(self) -> None:
        """Give the host the collection from its artifact, and the part of Ansible that modules import."""
        library = pathlib.Path(ansible.__file__).parent
        collection = pathlib.Path(os.environ["ANSIBLE_COLLECTIONS_PATH"]) / COLLECTION
        archive = io.BytesIO()
        with tarfile.open(fileobj=archive, mode="w") as tar:
            tar.add(library / "module_utils", "ansible/module_utils", filter=_source)
            tar.add(collection / "plugins", f"{COLLECTION}/plugins", filter=_source)
            tar.add(pathlib.Path(__file__).with_name("agent.py"), "agent.py")
        hosts.on(NAME, "mkdir", "-p", f"{HOME}/ansible")
        # What Ansible itself sends in place of the package's own file.
        version = f"__version__ = {ansible.__version__!r}\n__author__ = {ansible.__author__!r}\n"
        hosts.on(NAME, "sh", "-c", f"cat > {HOME}/ansible/__init__.py", given=version)
        command = [os.environ["MXRELAY_LAB_ENGINE"], "exec", "-i", hosts.container(NAME), "tar", "-x", "-C", HOME]
        subprocess.run(command, input=archive.getvalue(), check=True)

    def stop(self) -> None:
        """Remove the container."""
        hosts.engine("rm", "--force", "--volumes", hosts.container(NAME))

    def end(self) -> None:
        """End the process in the container, and remove it."""
        if self._agent.stdin is not None:
            self._agent.stdin.close()
        self._agent.wait()
        self.stop()

    def ask(self, do: str, **order: Any) -> Any:
        """Have agent.py do something."""
        assert self._agent.stdin is not None and self._agent.stdout is not None
        self._agent.stdin.write(json.dumps({"do": do, **order}) + "\n")
        self._agent.stdin.flush()
        answer = self._agent.stdout.readline()
        assert answer, f"{do} ended agent.py"
        return json.loads(answer)

    def run(self, module: str, arguments: Mapping[str, Any], check: bool = False) -> dict[str, Any]:
        """Run a module; return its result."""
        return dict(self.ask("run", module=module, arguments=dict(arguments), check=check))

    def on(self, *command: str, given: str | None = None) -> str:
        """Run a command; return its standard output, raise where it fails."""
        return hosts.on(NAME, *command, given=given)

    def shell(self, script: str, given: str | None = None) -> str:
        """Run a script; return its standard output, raise where it fails."""
        return hosts.on(NAME, "sh", "-ec", script, given=given)

    def text(self, path: str) -> str:
        """The content of a file."""
        return hosts.on(NAME, "cat", path)

    def write(self, path: str, text: str) -> None:
        """Give a file this content, as it would be a minute after it was written."""
        self.shell(f"cat > {path} && touch -d '1 minute ago' {path}", given=text)

    def put_tree(self, directory: str, files: Mapping[str, str]) -> None:
        """Make these files below a directory, old enough for Postfix to believe them."""
        archive = io.BytesIO()
        with tarfile.open(fileobj=archive, mode="w") as tar:
            for name, text in files.items():
                content = text.encode("utf-8", "surrogateescape")
                member = tarfile.TarInfo(name)
                member.size, member.mtime, member.mode = len(content), 1_600_000_000, 0o644
                tar.addfile(member, io.BytesIO(content))
        self.on("mkdir", "-p", directory)
        command = [os.environ["MXRELAY_LAB_ENGINE"], "exec", "-i", hosts.container(NAME), "tar", "-x", "-C", directory]
        subprocess.run(command, input=archive.getvalue(), check=True)

    def reset(self) -> None:
        """The configuration as the package left it, nothing of a test before, no Postfix running."""
        self.shell(
            f"rm -rf /etc/postfix && cp -a {PRISTINE} /etc/postfix && touch -d '1 minute ago' /etc/postfix/m*.cf"
        )

    def state(self, directory: str = "/etc/postfix") -> str:
        """Everything that a change would touch: names, inodes, times, modes, owners and content."""
        return self.shell(
            f"cd {directory} && find . -printf '%p %i %T@ %u %g %m %l\\n' | sort"
            " && find . -type f | sort | xargs sha256sum"
        )


def _source(member: tarfile.TarInfo) -> tarfile.TarInfo | None:
    return None if "__pycache__" in member.name else member


def succeeded(result: Mapping[str, Any]) -> Mapping[str, Any]:
    """The result, which is no failure."""
    assert not result.get("failed"), result
    return result


def lines(values: Sequence[str]) -> str:
    return "".join(f"{value}\n" for value in values)
