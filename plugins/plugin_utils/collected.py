# Copyright the mxrelay.postfix authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What sources said in this run of Ansible, kept on the controller until it ends.

Several MX hosts follow the same source, and each host's task has a process of its own. They share a folder that only
this user can read, and that Ansible removes: each source is read by the first that needs it, while the others wait.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import pathlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from itertools import islice
from typing import Any

from ansible import constants

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.errors import HostError
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.idna import canonical, is_international
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.sources.summary import SourceSummary
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.clock import now

FOLDER = "mxrelay-sources"
_KEPT = "collected.json"


@dataclass(frozen=True)
class Collected:
    """What one source said: the summary and the file of each domain that has addresses, or the problem.

    `lacks` is the package without which its host can't read it. `asked` are the domains that it was asked about, None
    if it says the same whatever is asked.
    """

    summary: SourceSummary = field(default_factory=SourceSummary)
    files: Mapping[str, str] = field(default_factory=dict)
    problem: str = ""
    lacks: str = ""
    asked: Sequence[str] | None = None

    def knows(self, declared: Sequence[str]) -> bool:
        """Whether it would say nothing else if it was asked about these domains."""
        if self.asked is None:
            return True
        return set(map(canonical, declared)) <= set(map(canonical, [*self.asked, *self.summary.domains]))

    def result(self, declared: Sequence[str]) -> dict[str, Any]:
        """The result of the task, as that of the module, and the list of each domain. No address is in it."""
        told = self.summary.told(declared)
        by_form = {canonical(name): path for name, path in self.files.items()}
        lists = {
            name: _spelled(by_form[canonical(name)], name) for name in told["domains"] if canonical(name) in by_form
        }
        lacking = {"lacks": self.lacks} if self.lacks else {}
        return {"changed": False, **told, "problem": self.problem, **lacking, "lists": lists}


def _spelled(path: str, domain: str) -> str:
    """The list, each of its addresses with the domain spelled like this: a file beside it if that is another one."""
    if not is_international(domain):
        return path
    digest = hashlib.sha256(domain.encode()).hexdigest()
    spelled, part = pathlib.Path(f"{path}-{digest}"), pathlib.Path(f"{path}-{digest}-{os.getpid()}")
    with open(path, encoding="utf-8") as addresses:
        part.write_text("".join(f"{line.rpartition('@')[0]}@{domain}\n" for line in addresses), encoding="utf-8")
    part.replace(spelled)
    return str(spelled)


def failed_read(problem: str, lacks: str = "") -> Collected:
    """What a source said that could not be read."""
    return Collected(SourceSummary.failed(problem, now()), {}, problem, lacks)


def source_key(definition: Mapping[str, Any], host: str, domains: Sequence[str] = ()) -> str:
    """A name of what a source says on this host, if it is asked about these domains."""
    asked = [definition, host, sorted(domains)]
    return hashlib.sha256(json.dumps(asked, sort_keys=True, default=str).encode()).hexdigest()


def collected_once(key: str, collect: Callable[[pathlib.Path], Collected]) -> Collected:
    """What the source of that key said in this run; `collect` asks it, and puts its lists into the folder given.

    A host that lacks a package is asked again, since it may have it by then.
    """
    folder = pathlib.Path(constants.DEFAULT_LOCAL_TMP) / FOLDER / key
    for private in (folder.parent, folder):
        private.mkdir(mode=0o700, exist_ok=True)
    with _locked(folder):
        kept = folder / _KEPT
        if kept.exists():
            return _from_text(json.loads(kept.read_text(encoding="utf-8")))
        found = collect(folder)
        if not found.lacks:
            kept.write_text(json.dumps(asdict(found)), encoding="utf-8")
        return found


def _from_text(data: Mapping[str, Any]) -> Collected:
    return Collected(SourceSummary.from_text(data["summary"]), data["files"], data["problem"], asked=data["asked"])


@contextmanager
def _locked(folder: pathlib.Path) -> Iterator[None]:
    """Waits until no other process of this run has the folder; one that is killed has it no longer."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def taken_apart_by_domain(path: pathlib.Path, folder: pathlib.Path) -> Collected:
    """The lists of a file that the module made, each as a file of its own in the folder. The file goes.

    Raises HostError if it is not whole.
    """
    with path.open(encoding="utf-8") as lines:
        summary = SourceSummary.from_text(json.loads(next(lines)))
        files = {}
        for number, (name, domain) in enumerate(summary.domains.items()):
            if domain.count:
                part = folder / str(number)
                addresses = list(islice(lines, domain.count))
                if len(addresses) != domain.count:
                    raise HostError(f"{path}: is cut; run again")
                part.write_text("".join(addresses), encoding="utf-8")
                files[name] = str(part)
    path.unlink()
    return Collected(summary, files)
