# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Build the docsite: the guides as they are, in Markdown, and the reference by antsibull-docs; Sphinx may not warn."""

from __future__ import annotations

import re
import shutil
import zlib
from collections.abc import Iterable, Mapping

import nox

from lab.checkout import CACHE, LAB, ROOT, copy_tree
from lab.counts import Count, gate

COLLECTION = "mxrelay.postfix"
SETTINGS = ROOT / "tests/docsite"
# Labels of Ansible's documentation that antsibull-docs refers to: their places below docs.ansible.com/ansible/latest.
LABELS = {
    "action_plugins": "plugins/action.html#action-plugins",
    "ansible_configuration_settings": "reference_appendices/config.html#ansible-configuration-settings",
    "common_return_values": "reference_appendices/common_return_values.html#common-return-values",
}
BUILTIN = re.compile(r"<(ansible_collections\.ansible\.builtin\.(\w+)_module)>")


def docsite(session: nox.Session) -> Count:
    """Build the site of this checkout; any warning fails."""
    top = CACHE / LAB / "docsite"
    source = copy_tree(session, top)
    reference = source / "reference"
    reference.mkdir(mode=0o755)  # antsibull-docs wants none that others can write to
    only_ours = {"ANSIBLE_COLLECTIONS_PATH": str(top), "ANSIBLE_COLLECTIONS_SCAN_SYS_PATH": "false"}
    options = ("--use-current", "--squash-hierarchy", "--fail-on-error", "--no-add-antsibull-docs-version")
    made = gate(
        session, "antsibull-docs", "collection", *options, "--dest-dir", str(reference), COLLECTION, env=only_ours
    )
    if made.failed:
        return made
    settings = top / "settings"
    shutil.copytree(SETTINGS, settings)
    shutil.copy(SETTINGS / "index.rst", source)
    texts = (path.read_text() for path in sorted(reference.glob("*.rst")))
    (settings / "ansible.inv").write_bytes(inventory({**LABELS, **builtin_modules(texts)}))
    html = top / "html"
    strictly = ("--nitpicky", "--fail-on-warning", "--keep-going", "--quiet", "--builder", "html")
    counts = made + gate(session, "sphinx-build", *strictly, "--conf-dir", str(settings), str(source), str(html))
    if not counts.failed:
        session.log(f"the site is {html / 'index.html'}")
    return counts


def builtin_modules(texts: Iterable[str]) -> dict[str, str]:
    """Return the labels of ansible-core's own modules that texts refer to, and their places."""
    found = {(label, name) for text in texts for label, name in BUILTIN.findall(text)}
    return {label: f"collections/ansible/builtin/{name}_module.html" for label, name in sorted(found)}


def inventory(labels: Mapping[str, str]) -> bytes:
    """Return an inventory of labels, as Sphinx reads it."""
    head = "# Sphinx inventory version 2\n# Project: Ansible\n# Version: \n"
    compressed = "# The remainder of this file is compressed using zlib.\n"
    lines = "".join(f"{label} std:label -1 {place} {title(label)}\n" for label, place in labels.items())
    return f"{head}{compressed}".encode() + zlib.compress(lines.encode())


def title(label: str) -> str:
    """Return what a link to a label says where the text that links says nothing."""
    return label.rpartition(".")[2].replace("_", " ").capitalize()
