# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Have the network of a lab, beside those of other labs and of what runs that were cut off have left."""

from __future__ import annotations

import re
import subprocess

from lab.engine import LabError

SUBNETS = [f"10.253.{third}" for third in range(256)]
# What docker and podman say of a subnet that another network has.
TAKEN = re.compile("overlap|already used")


def have_network(engine: str, lab: str) -> str:
    """Return the first three numbers of the lab's addresses; make its network, in a free subnet, where it has none."""
    inspected = subprocess.run([engine, "network", "inspect", lab], capture_output=True, text=True, check=False)
    found = re.search(r"(\d+\.\d+\.\d+)\.0/24", inspected.stdout)
    if found:
        return found[1]
    for start in SUBNETS:
        options = ["--subnet", f"{start}.0/24", "--label", f"mxrelay-lab={lab}"]
        made = subprocess.run([engine, "network", "create", *options, lab], capture_output=True, text=True, check=False)
        if made.returncode == 0:
            return start
        if not TAKEN.search(made.stderr):
            raise LabError(f"{engine} can't make the network {lab}: {made.stderr.strip()}")
    raise LabError(f"every subnet from {SUBNETS[0]}.0/24 to {SUBNETS[-1]}.0/24 is taken; see `{engine} network ls`")
