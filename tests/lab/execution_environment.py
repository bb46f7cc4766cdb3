# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Build the execution environment that extensions/awx shows, with the collection of this checkout, on Debian."""

from __future__ import annotations

import ast
import dataclasses
import json
import pathlib
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from typing import Any

import nox
import yaml

from lab import images
from lab.checkout import CACHE, LAB, ROOT
from lab.collection import ARTIFACT
from lab.commands import succeeds
from lab.engine import say

SHIPPED = ROOT / "extensions/awx/execution-environment.yml"
PINS = ROOT / "requirements/execution-environment.txt"
COLLECTION = "https://github.com/mxrelay/mxrelay.postfix.git"
# What the connection to the lab's hosts needs, in place of SSH.
OF_THE_LAB = ["requests"]
# Where this machine's pip finds packages, as far as a container finds them there too.
PLACES = ("index-url", "extra-index-url", "trusted-host", "proxy", "timeout", "default-timeout")

Words = Mapping[str, Any]


@dataclasses.dataclass(frozen=True)
class Core:
    """An ansible-core in an execution environment, and the Debian whose Python it runs on."""

    name: str
    release: str
    suite: str


def lowest() -> Core:
    """Return the lowest ansible-core that meta/runtime.yml allows."""
    allowed = yaml.safe_load((ROOT / "meta/runtime.yml").read_text())["requires_ansible"]
    return Core("lowest", allowed.removeprefix(">="), "bookworm")


def newest() -> Core:
    """Return the ansible-core of the execution environment that is shipped."""
    named = yaml.safe_load(SHIPPED.read_text())["dependencies"]["ansible_core"]["package_pip"]
    return Core("newest", named.removeprefix("ansible-core=="), images.DEFAULT_SUITE)


def built(session: nox.Session, engine: str, core: Core) -> str:
    """Return the name of the image of this lab, built anew where anything in it has changed."""
    with images.alone_with(core.suite, CACHE):
        base = images.base_image(engine, core.suite)
    folder = CACHE / LAB / f"execution-environment-{core.name}"
    added = with_pip(folder)
    (artifact,) = ARTIFACT.glob("*.tar.gz")
    shutil.copy(artifact, added)
    changed = definition(yaml.safe_load(SHIPPED.read_text()), core, base, added)
    (folder / "execution-environment.yml").write_text(yaml.safe_dump(changed, sort_keys=False))
    name = f"mxrelay-lab/execution-environment-{core.name}:{LAB}"
    before = images.image_id(engine, name)
    say(f"building {name} with ansible-core {core.release}")
    command = ["ansible-builder", "build", "--container-runtime", engine, "--tag", name, "--verbosity", "3"]
    options = ["--file", str(folder / "execution-environment.yml"), "--context", str(folder / "context")]
    if not succeeds(session, *command, *options, env={"DOCKER_BUILDKIT": "0"}, quietly=True):
        session.error(f"{name} can't be built; what ansible-builder says is above")
    images.remove_replaced(engine, name, before)
    return name


def with_pip(folder: pathlib.Path) -> pathlib.Path:
    """Make the folder of an image anew; return what is added to the image, with pip's pins and configuration in it."""
    shutil.rmtree(folder, ignore_errors=True)
    added = folder / "added"
    added.mkdir(parents=True)
    shutil.copy(PINS, added / "constraints.txt")
    pip_configuration(asked_of_pip(), added)
    return added


def definition(shipped: Words, core: Core, base: str, added: pathlib.Path) -> dict[str, Any]:
    """Return the definition that is shipped with another base and ansible-core, and the collection from a file."""
    files = sorted(path for path in added.iterdir() if path.suffix != ".gz")
    (artifact,) = added.glob("*.tar.gz")
    steps = shipped["additional_build_steps"]
    collections = [
        {"name": artifact.name, "type": "file"} if entry["name"] == COLLECTION else entry
        for entry in shipped["dependencies"]["galaxy"]["collections"]
    ]
    return {
        **shipped,
        "images": {"base_image": {"name": base}},
        "dependencies": {
            **shipped["dependencies"],
            "ansible_core": {"package_pip": f"ansible-core=={core.release}"},
            "python": OF_THE_LAB,
            "galaxy": {"collections": collections},
        },
        "additional_build_files": [
            *({"src": str(path), "dest": "lab"} for path in files),
            {"src": str(artifact), "dest": "."},
        ],
        "additional_build_steps": {
            **steps,
            "prepend_base": [
                "COPY _build/lab/ /etc/lab/",
                "ENV PIP_CONFIG_FILE=/etc/lab/pip.conf",
                # Packages of a frozen mirror are as good as fresh ones here.
                "RUN echo 'Acquire::Check-Valid-Until \"false\";' > /etc/apt/apt.conf.d/80lab",
                *steps["prepend_base"],
            ],
        },
    }


def asked_of_pip() -> dict[str, str]:
    """Return how this machine's pip is configured, by the files that it reads and by the environment."""
    command = [sys.executable, "-m", "pip", "config", "list"]
    lines = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
    found = [re.fullmatch(r"(global|install|:env:)\.([\w-]+)=(.*)", line) for line in lines]
    said = sorted((match for match in found if match), key=lambda match: match[1] == ":env:")
    return {match[2]: str(ast.literal_eval(match[3])) for match in said}


def pip_configuration(settings: Mapping[str, str], folder: pathlib.Path) -> None:
    """Write pip's configuration for a container, with the certificates that this machine's pip trusts."""
    kept = {name: remote(settings[name]) for name in PLACES if name in settings}
    lines = [f"{name} = {value}\n" for name, value in kept.items() if value]
    if "cert" in settings:
        shutil.copyfile(settings["cert"], folder / "certificates.pem")
        lines.append("cert = /etc/lab/certificates.pem\n")
    text = "".join(["[global]\n", "constraint = /etc/lab/constraints.txt\n", *lines])
    (folder / "pip.conf").write_text(text, encoding="utf-8")


def remote(value: str) -> str:
    """Return those of a setting's values that are not on this machine's disk."""
    return " ".join(word for word in value.split() if not word.startswith(("file:", "/")))


def named(images_by_core: Mapping[str, str]) -> str:
    """Return the images as the tests read them from the environment."""
    return json.dumps(images_by_core)
