# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the lab's playbooks and tests need before they start: engine, images, network, and their environment."""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterable

import nox
import yaml

from lab import engine, images, network
from lab.checkout import CACHE, LAB, ROOT
from lab.collection import COLLECTIONS, INSTALLED, PACKED
from lab.commands import said
from lab.traced import traced

# The volume where hosts keep what their Python compiled, see tests/lab/images/compile_once.py.
COMPILED = "mxrelay-lab-compiled:/var/cache/lab-compiled"


def kinds_of(scenarios: Iterable[str]) -> dict[str, set[str]]:
    """Return the kinds of the scenarios' own hosts, by their Debian release."""
    wanted = images.suite_wanted()
    kinds: dict[str, set[str]] = {}
    for name in scenarios:
        for platform in yaml.safe_load((ROOT / f"molecule/{name}/molecule.yml").read_text())["platforms"]:
            suite = images.known_suite(platform.get("suite", wanted), str(platform["name"]))
            kinds.setdefault(suite, set()).add(platform.get("kind", images.MX))
    return kinds


def find_engine(session: nox.Session) -> str:
    """Return the command of the container engine, which is installed and started where it has to be."""
    CACHE.mkdir(exist_ok=True)
    try:
        with (CACHE / "lab.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)  # another part may be installing it
            return engine.find_engine(CACHE)
    except engine.LabError as error:
        session.error(str(error))


def lab_images(session: nox.Session, scenarios: Iterable[str] = ("default",)) -> tuple[str, str, dict[str, str]]:
    """Have engine and images for the scenarios; return the engine's command and the images' tags."""
    command = find_engine(session)
    try:
        return command, *images.have_all(command, kinds_of(scenarios), CACHE)
    except engine.LabError as error:
        session.error(str(error))


def lab_environment(
    session: nox.Session, scenarios: Iterable[str] = ("default",), lab: str = LAB, keep: bool = False
) -> dict[str, str]:
    """Have what the lab's hosts for the scenarios need; return what its playbooks and tests read.

    What is left of an earlier lab of this name is removed, unless it is to be kept.
    """
    command, tag, mx_tags = lab_images(session, scenarios)
    if not keep:
        remove_lab(session, command, lab)
    try:
        net = network.have_network(command, lab)
    except engine.LabError as error:
        session.error(str(error))
    environment = {
        **{name: value for name, value in os.environ.items() if name == "DOCKER_HOST"},
        "MXRELAY_LAB": lab,
        "MXRELAY_LAB_ENGINE": command,
        "MXRELAY_LAB_NET": net,
        "MXRELAY_LAB_TAG": tag,
        "MXRELAY_LAB_MX_TAGS": json.dumps(mx_tags),
        "MXRELAY_LAB_SUITE": images.suite_wanted(),
        "ANSIBLE_HOME": str(CACHE / "ansible"),
        "ANSIBLE_COLLECTIONS_PATH": str(COLLECTIONS),
        "ANSIBLE_CALLBACK_PLUGINS": str(ROOT / "tests/lab/callbacks"),
        "ANSIBLE_CALLBACKS_ENABLED": "pack_once",
        "MXRELAY_LAB_PLUGINS": str(INSTALLED / "plugins"),
        "MXRELAY_LAB_PACKED": str(PACKED),
        "MXRELAY_LAB_VOLUMES": json.dumps([COMPILED]),
        "PYTHONPATH": str(ROOT / "tests"),
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    return traced(environment)


def remove_lab(session: nox.Session, command: str, lab: str = LAB) -> None:
    """Remove the lab's containers and network; images and what hosts compiled stay."""
    label = f"label=mxrelay-lab={lab}"
    containers = said(session, command, "ps", "--all", "--quiet", "--filter", label).split()
    if containers:
        said(session, command, "rm", "--force", "--volumes", *containers)
    networks = said(session, command, "network", "ls", "--quiet", "--filter", label).split()
    if networks:
        said(session, command, "network", "rm", *networks)
