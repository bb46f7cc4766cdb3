# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import os
from pathlib import Path

import pytest

from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.configuration.instance import Instance, describe
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.errors import HostError
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.commands import Result
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.postfix import Postfix
from ansible_collections.mxrelay.postfix.tests.unit.plugins.module_utils.fake_instance import FakeInstance, NoPostfix

# A text file that changed within these may be changing still, so that Postfix reads it again.
SECONDS_OF_DOUBT = 100


@pytest.fixture(name="instance")
def _instance(tmp_path: Path) -> Path:
    (tmp_path / "main.cf").write_text(
        "alias_maps = hash:/etc/aliases\n"
        "smtp_tls_session_cache_database = btree:$data_directory/cache\n"
        "relay_domains = x.example,\n  proxy:texthash:$config_directory/domains\n"
        "relay_recipient_maps = texthash:$config_directory/recipients\n"
        "transport_maps = hash:$config_directory/transport, texthash:$config_directory/domains\n"
    )
    (tmp_path / "master.cf").write_text("relay unix - - y - - smtp -v\n  -o smtp_fallback_relay=\n")
    (tmp_path / "recipients").write_text("# who\na@x.example x\nb@x.example x\n")
    os.utime(tmp_path / "recipients", (0, 1795359466.5))
    return tmp_path


def test_instance_is_described(instance: Path) -> None:
    commands = FakeInstance(instance)
    found = describe(Postfix(commands, str(instance)))
    assert (found.installed, found.version, found.default_database_type) == (True, "3.10.13", "hash")
    assert found.instance["queue_directory"] == "/var/spool/postfix"
    assert found.table_types == ["texthash"]
    assert found.parameters == commands.values
    assert found.explicit_parameters["relay_domains"] == "x.example,  proxy:texthash:$config_directory/domains"
    assert "virtual_alias_maps" not in found.explicit_parameters
    assert found.services == [
        {
            "name": "relay",
            "type": "unix",
            "private": "-",
            "unprivileged": "-",
            "chroot": "y",
            "wakeup": "-",
            "process_limit": "-",
            "command": "smtp -v",
            "overrides": {"smtp_fallback_relay": ""},
        }
    ]


def test_tables_are_those_that_main_cf_names_less_aliases_and_caches(instance: Path) -> None:
    found = describe(Postfix(FakeInstance(instance), str(instance))).tables
    assert found == [
        {
            "reference": f"texthash:{instance}/domains",
            "type": "texthash",
            "path": f"{instance}/domains",
            "parameters": ["relay_domains", "transport_maps"],
            "entries": None,
            "modified": None,
            "index": "none",
        },
        {
            "reference": f"texthash:{instance}/recipients",
            "type": "texthash",
            "path": f"{instance}/recipients",
            "parameters": ["relay_recipient_maps"],
            "entries": 2,
            "modified": 1795359466,
            "index": "none",
        },
        {
            "reference": f"hash:{instance}/transport",
            "type": "hash",
            "path": f"{instance}/transport",
            "parameters": ["transport_maps"],
            "entries": None,
            "modified": None,
            "index": "missing",
        },
    ]


def test_tables_of_overrides_are_told_with_their_service(instance: Path) -> None:
    (instance / "master.cf").write_text(
        f"587 inet n - y - - smtpd\n  -o smtpd_sender_login_maps=texthash:{instance}/logins\n"
        f"  -o relay_recipient_maps=texthash:{instance}/recipients\n"
    )
    found = describe(Postfix(FakeInstance(instance), str(instance))).tables
    assert {table["path"]: table["parameters"] for table in found} == {
        f"{instance}/logins": ["587/inet/smtpd_sender_login_maps"],
        f"{instance}/recipients": ["587/inet/relay_recipient_maps", "relay_recipient_maps"],
        f"{instance}/domains": ["relay_domains", "transport_maps"],
        f"{instance}/transport": ["transport_maps"],
    }


def test_all_instances_of_the_host_are_listed(instance: Path) -> None:
    found = describe(Postfix(FakeInstance(instance), str(instance))).instances
    assert found == [
        {"name": "", "group": "", "enabled": True, "config_directory": "/etc/postfix"},
        {"name": "out", "group": "mta", "enabled": False, "config_directory": "/etc/postfix-out"},
    ]


@pytest.mark.parametrize("answer", [None, Result(1, "", "postmulti: fatal: no\n")])
def test_host_without_postmulti_lists_no_instances(instance: Path, answer: Result | None) -> None:
    commands = FakeInstance(instance)
    commands.postmulti = answer
    assert describe(Postfix(commands, str(instance))).instances == []


def test_probe_is_old_enough_for_postfix_not_to_wait(instance: Path) -> None:
    commands = FakeInstance(instance)
    describe(Postfix(commands, str(instance)))
    assert [age > SECONDS_OF_DOUBT for age in commands.probe_ages] == [True]


def test_all_parameters_take_one_call(instance: Path) -> None:
    commands = FakeInstance(instance)
    describe(Postfix(commands, str(instance)))
    assert [argv[3:] for argv in commands.asked if argv[0] == "postconf" and argv[3:] in (["-x"], [])] == [["-x"]]


def test_only_the_named_parameters_are_returned_and_tables_none_the_less(instance: Path) -> None:
    found = describe(Postfix(FakeInstance(instance), str(instance)), ["relay_domains", "virtual_alias_maps", "zzz"])
    assert sorted(found.parameters) == ["relay_domains", "virtual_alias_maps"]
    assert list(found.explicit_parameters) == ["relay_domains"]
    assert len(found.tables) == 3


def test_host_without_postfix_is_no_error(tmp_path: Path) -> None:
    assert describe(Postfix(NoPostfix(), str(tmp_path))) == Instance()


def test_directory_without_an_instance_is_no_error(tmp_path: Path) -> None:
    assert describe(Postfix(FakeInstance(tmp_path), str(tmp_path))) == Instance()


def test_instance_without_master_cf_has_no_services(instance: Path) -> None:
    (instance / "master.cf").unlink()
    assert describe(Postfix(FakeInstance(instance), str(instance))).services == []


def test_postfix_that_does_not_work_is_an_error(instance: Path) -> None:
    with pytest.raises(HostError) as caught:
        describe(Postfix(FakeInstance(instance, ""), str(instance)))
    assert str(caught.value) == "postconf did not report its version: postconf: fatal: broken; reinstall Postfix"
