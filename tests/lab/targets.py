# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run the integration targets by ansible-test, on a host of the lab that is its own controller."""

from __future__ import annotations

import os
import pathlib
import shutil

import nox

from lab import execution_environment, images
from lab.checkout import CACHE, COLLECTION_PATH, LAB, ROOT, copy_tree
from lab.commands import said, succeeds
from lab.counts import NOTHING, Count, gate
from lab.engine import LabError, say
from lab.environment import find_engine, remove_lab
from lab.execution_environment import Core

TARGETS = ROOT / "tests/integration/targets"
RECIPE = pathlib.Path(__file__).with_name("targets.Dockerfile")
# Others set these up; nobody runs them by themselves.
SHARED = "setup_"
# Where the collection is on the host.
TOP = "/srv"


def targets(session: nox.Session) -> Count:
    """Run all targets or those named, with the newest ansible-core, with --long also with the lowest."""
    names = [word for word in session.posargs if word != "--long"]
    if unknown := sorted(set(names) - set(all_targets())):
        session.error(f"no target {', '.join(unknown)}; there are {', '.join(all_targets())}")
    cores = [execution_environment.newest()]
    if "--long" in session.posargs:
        cores.append(execution_environment.lowest())
    engine = find_engine(session)
    remove_lab(session, engine)  # a run that was cut off left its own
    collection = copy_tree(session, CACHE / LAB / "targets").parents[2]
    counts = NOTHING
    for core in cores:
        counts += on_host(session, engine, have_image(session, engine, core), collection, names or all_targets())
    return counts


def all_targets() -> list[str]:
    """Return the names of the targets, without those that others need."""
    return sorted(path.name for path in TARGETS.iterdir() if not path.name.startswith(SHARED))


def have_image(session: nox.Session, engine: str, core: Core) -> str:
    """Return the name of the host's image, built anew if anything in it has changed."""
    try:
        tag = images.have_images(engine, core.suite, [images.MX], CACHE)
    except LabError as error:
        session.error(str(error))
    context = CACHE / LAB / f"targets-{core.name}"
    execution_environment.with_pip(context)
    shutil.copy(RECIPE, context / "Dockerfile")
    name = f"mxrelay-lab/targets-{core.name}:{LAB}"
    before = images.image_id(engine, name)
    say(f"building {name} with ansible-core {core.release}")
    arguments = ["--build-arg", f"BASE=mxrelay-lab/{images.MX}:{tag}", "--build-arg", f"CORE={core.release}"]
    command = [engine, "build", *arguments, "--tag", name, str(context)]
    if not succeeds(session, *command, env={**os.environ, "DOCKER_BUILDKIT": "0"}, quietly=True):
        session.error(f"{name} can't be built; what {engine} says is above")
    images.remove_replaced(engine, name, before)
    return name


def on_host(session: nox.Session, engine: str, image: str, collection: pathlib.Path, names: list[str]) -> Count:
    """Run the targets one after the other on a new host without a network, each as one test."""
    options = ["--detach", "--init", "--network", "none", "--label", f"mxrelay-lab={LAB}"]
    container = said(session, engine, "run", *options, image).strip()
    said(session, engine, "cp", f"{collection}/.", f"{container}:{TOP}")
    ansible_test = ["ansible-test", "integration", "--color", "no", "--allow-destructive", "--allow-root"]
    on_it = [engine, "exec", "--workdir", f"{TOP}/{COLLECTION_PATH}", container, *ansible_test]
    counts = sum((gate(session, *on_it, name) for name in names), NOTHING)
    remove_lab(session, engine)
    return counts
