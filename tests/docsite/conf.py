# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sphinx' configuration of the docsite, as ./run docsite copies it beside what the site is built from."""

from __future__ import annotations

import pathlib

project = "mxrelay.postfix"
author = "the mxrelay.postfix authors"
copyright = author
html_title = project
html_short_title = project

extensions = ["myst_parser", "sphinx.ext.intersphinx", "sphinx_antsibull_ext"]
include_patterns = [
    "index.rst",
    "README.md",
    "CHANGELOG.md",
    "CODE_OF_CONDUCT.md",
    "CONTRIBUTING.md",
    "SECURITY.md",
    "docs/*.md",
    "reference/**",
]
# Headings are link targets by the names that GitHub gives them.
myst_heading_anchors = 4
default_role = "any"
highlight_language = "YAML+Jinja"
pygments_style = "ansible"
# Written by tests/lab/docsite.py, so that a build asks nobody.
ansible_labels = pathlib.Path(__file__).with_name("ansible.inv")
intersphinx_mapping = {"ansible": ("https://docs.ansible.com/ansible/latest/", str(ansible_labels))}

html_theme = "sphinx_ansible_theme"
html_copy_source = False
html_show_sphinx = False
html_use_index = False
