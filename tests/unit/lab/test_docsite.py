# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from sphinx.util.inventory import InventoryFile

from lab import docsite

SERVICE = "ansible_collections.ansible.builtin.service_module"
TEXT = f"- :ref:`service <{SERVICE}>` and :ref:`ours <ansible_collections.mxrelay.postfix.mx_role>`; <{SERVICE}>"


def test_modules_of_core_are_found_once() -> None:
    assert docsite.builtin_modules([TEXT, TEXT]) == {SERVICE: "collections/ansible/builtin/service_module.html"}


def test_sphinx_reads_the_inventory() -> None:
    written = docsite.inventory({**docsite.LABELS, SERVICE: "collections/ansible/builtin/service_module.html"})
    read = InventoryFile.loads(written, uri="https://docs.example").data
    places = {label: item.uri for label, item in read["std:label"].items()}
    assert places == {
        "action_plugins": "https://docs.example/plugins/action.html#action-plugins",
        "ansible_configuration_settings": (
            "https://docs.example/reference_appendices/config.html#ansible-configuration-settings"
        ),
        "common_return_values": "https://docs.example/reference_appendices/common_return_values.html#common-return-values",
        SERVICE: "https://docs.example/collections/ansible/builtin/service_module.html",
    }
    assert read["std:label"]["common_return_values"].display_name == "Common return values"
