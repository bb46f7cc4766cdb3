# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Find the container engine of this machine, or install and start one."""

from __future__ import annotations

import os
import pathlib
import shutil
import subprocess
import sys
import time

DOCKER_SOCKET = pathlib.Path("/var/run/docker.sock")
PODMAN_SOCKET = pathlib.Path("/run/podman/podman.sock")
SECONDS_TO_START = 60


class LabError(Exception):
    """The lab cannot be had; the message says what to do."""


def say(text: str) -> None:
    """Tell the person at the terminal what happens now."""
    print(f"lab: {text}", file=sys.stderr, flush=True)


def as_root(*command: str) -> list[str]:
    """Return the command as one that root runs."""
    if os.geteuid() == 0:
        return list(command)
    if shutil.which("sudo") is None:
        raise LabError(f"`{' '.join(command)}` must run as root, and there is no sudo; start ./run as root")
    return ["sudo", *command]


def install(*packages: str) -> None:
    """Install Debian packages."""
    if shutil.which("apt-get") is None:
        raise LabError(f"no apt-get on this machine; install {', '.join(packages)} with its own package manager")
    say(f"installing {' '.join(packages)}")
    environment = ["env", "DEBIAN_FRONTEND=noninteractive"]
    subprocess.run(as_root("apt-get", "-qq", "update"), check=True)
    subprocess.run(
        as_root(*environment, "apt-get", "-qq", "install", "--yes", "--no-install-recommends", *packages),
        check=True,
        stdout=subprocess.DEVNULL,
    )


def answers(engine: str) -> bool:
    """Return whether the engine's command is there and its server answers."""
    if shutil.which(engine) is None:
        return False
    return subprocess.run([engine, "info"], capture_output=True, check=False).returncode == 0


def has_candidate(package: str) -> bool:
    """Return whether apt knows a version of the package."""
    result = subprocess.run(["apt-cache", "policy", package], capture_output=True, text=True, check=False)
    return "Candidate:" in result.stdout and "Candidate: (none)" not in result.stdout


def start(command: list[str], socket: pathlib.Path, log: pathlib.Path) -> None:
    """Start a server in the background, and wait until its socket is there."""
    say(f"starting {command[0]}; its log is {log}")
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as output:
        process = subprocess.Popen(
            as_root(*command),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    end = time.monotonic() + SECONDS_TO_START
    while not socket.exists():
        if process.poll() is not None:
            raise LabError(f"{command[0]} ended with code {process.returncode}; see {log}")
        if time.monotonic() > end:
            raise LabError(f"{command[0]} did not make {socket} within {SECONDS_TO_START} seconds; see {log}")
        time.sleep(0.2)


def start_docker(cache: pathlib.Path) -> None:
    """Start dockerd, by systemd where systemd runs, and wait until it answers this user."""
    if pathlib.Path("/run/systemd/system").is_dir():
        say("starting docker.service")
        subprocess.run(as_root("systemctl", "start", "docker.service"), check=True)
    elif subprocess.run(as_root("docker", "info"), capture_output=True, check=False).returncode != 0:
        start(["dockerd"], DOCKER_SOCKET, cache / "dockerd.log")
    end = time.monotonic() + SECONDS_TO_START
    while subprocess.run(as_root("docker", "info"), capture_output=True, check=False).returncode != 0:
        if time.monotonic() > end:
            raise LabError(f"dockerd does not answer on {DOCKER_SOCKET}; see {cache / 'dockerd.log'} or its journal")
        time.sleep(0.2)
    if not answers("docker"):
        say(f"letting this user use {DOCKER_SOCKET} until dockerd starts again")
        if shutil.which("setfacl") is None:
            install("acl")
        subprocess.run(as_root("setfacl", "-m", f"u:{os.getuid()}:rw", str(DOCKER_SOCKET)), check=True)


def find_engine(cache: pathlib.Path) -> str:
    """Return `docker` or `podman`, whichever answers; install and start Docker where neither is there.

    With podman, DOCKER_HOST of this process names its socket, since Ansible's modules talk to that.
    """
    if answers("docker"):
        return "docker"
    if shutil.which("docker") is None and answers("podman"):
        if not PODMAN_SOCKET.exists():
            uri = f"unix://{PODMAN_SOCKET}"
            start(["podman", "system", "service", "--time=0", uri], PODMAN_SOCKET, cache / "podman.log")
        os.environ["DOCKER_HOST"] = f"unix://{PODMAN_SOCKET}"
        return "podman"
    if shutil.which("docker") is None or shutil.which("dockerd") is None:
        say("neither docker nor podman is there")
        install("docker.io", "iptables")
        if shutil.which("docker") is None and has_candidate("docker-cli"):
            install("docker-cli")
    start_docker(cache)
    if not answers("docker"):
        raise LabError("docker does not answer; see `docker info`")
    return "docker"
