# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.configuration import change
from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.configuration.change import (
    MasterCfRequest,
    apply_configuration,
    plan_master_cf,
    rehearse_configuration,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.configuration.master_cf import ServiceRequest
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.errors import HostError, InvalidInput, Refused
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.edit_lock import edit_lock
from ansible_collections.mxrelay.postfix.tests.unit.plugins.module_utils.fake_configuration_host import (
    ConfigurationHost,
    identity,
)


@pytest.fixture(name="host")
def _host(tmp_path: Path) -> ConfigurationHost:
    return ConfigurationHost(tmp_path)


def test_all_changes_of_a_request_are_made_at_once(host: ConfigurationHost) -> None:
    plan = host.change(
        parameters={"soft_bounce": True},
        absent=["compatibility_level"],
        add_items={"relay_domains": ["x.example"], "transport_maps": ["static:t"]},
    )
    assert host.main_cf.read_text() == (
        "# head\nsoft_bounce = yes\nrelay_domains = x.example\ntransport_maps = static:t\n"
    )
    assert plan.changes == {
        "compatibility_level": ("2", None),
        "relay_domains": (None, "x.example"),
        "soft_bounce": ("no", "yes"),
        "transport_maps": (None, "static:t"),
    }
    assert plan.diff.before == "compatibility_level = 2\nsoft_bounce = no\n"
    assert plan.diff.after == "soft_bounce = yes\nrelay_domains = x.example\ntransport_maps = static:t\n"
    assert plan.diff.header == str(host.main_cf)
    assert host.commands.asked == [["-d"]]


def test_plan_alone_changes_nothing(host: ConfigurationHost) -> None:
    before = identity(host.main_cf)
    assert host.plan(parameters={"soft_bounce": True}).changed
    assert identity(host.main_cf) == before
    assert sorted(os.listdir(host.main_cf.parent)) == ["main.cf", "master.cf"]


@pytest.mark.parametrize("name", ["main.cf", "master.cf"])
def test_directory_that_others_write_to_is_refused(host: ConfigurationHost, name: str) -> None:
    directory = host.main_cf.parent
    directory.chmod(0o777)
    before = identity(host.main_cf)
    with pytest.raises(HostError) as caught:
        if name == "main.cf":
            host.plan(parameters={"soft_bounce": True})
        else:
            plan_master_cf(host.postfix, MasterCfRequest([ServiceRequest("smtp", "inet", chroot=True)]))
    assert caught.value.message == (
        f"{directory}/{name}: {directory} can be written to by everybody, who could make root change other files "
        f"there; let root alone write to it (chmod go-w {directory}), or use another directory"
    )
    assert identity(host.main_cf) == before


def test_second_run_touches_nothing_and_asks_nothing(host: ConfigurationHost) -> None:
    request = {
        "parameters": {"soft_bounce": "yes"},
        "add_items": {"relay_domains": ["x.example"]},
        "remove_items": {"relay_domains": ["y.example"]},
        "absent": ["transport_maps"],
    }
    host.change(**request)
    before = identity(host.main_cf)
    host.commands.asked.clear()
    plan = host.change(**request)
    assert (plan.changed, plan.changes) == (False, {})
    assert identity(host.main_cf) == before
    assert host.commands.asked == []


@pytest.mark.parametrize(
    ("request_", "message"),
    [
        (
            {"parameters": {"soft_bonce": "yes"}},
            'main.cf: Postfix has no parameter "soft_bonce"; did you mean "soft_bounce"? '
            "(for a parameter of a custom service, set allow_unknown: true)",
        ),
        (
            {"add_items": {"zzz": ["x"]}},
            'main.cf: Postfix has no parameter "zzz"; correct the name '
            "(for a parameter of a custom service, set allow_unknown: true)",
        ),
        (
            {"parameters": {"soft_bounce": "yes"}, "absent": ["soft_bounce"]},
            "main.cf: soft_bounce is in parameters and in absent; keep one of them",
        ),
        (
            {"parameters": {"relay_domains": "x"}, "add_items": {"relay_domains": ["y"]}},
            "main.cf: relay_domains is in parameters and in add_items; keep one of them",
        ),
        (
            {"add_items": {"relay_domains": ["x", "y"]}, "remove_items": {"relay_domains": ["y"]}},
            'main.cf: "y" is in add_items.relay_domains and in remove_items.relay_domains; keep one',
        ),
        (
            {"parameters": {"soft_bounce": None}},
            'main.cf: parameters.soft_bounce is null; give a value, "" for an explicitly empty one, '
            "or name the parameter in absent to remove it",
        ),
        (
            {"add_items": {"relay_domains": "x y"}},
            'main.cf: add_items.relay_domains is "x y"; give the members as a list',
        ),
        (
            {"absent": ["a b"]},
            'main.cf: "a b" (absent[0]) is not a parameter name; a name consists of letters, digits and underscores',
        ),
    ],
)
def test_bad_request_is_refused(host: ConfigurationHost, request_: dict[str, Any], message: str) -> None:
    assert host.refused(InvalidInput, **request_) == message


def test_unknown_name_may_be_allowed_and_is_removed_without(host: ConfigurationHost) -> None:
    host.change(parameters={"zzz": "x"}, allow_unknown=True)
    assert host.change(parameters={"zzz": "x"}).changed is False
    assert host.change(absent=["zzz"]).changes == {"zzz": ("x", None)}


def test_add_and_remove_of_one_list_are_one_change(host: ConfigurationHost) -> None:
    host.main_cf.write_text("relay_domains = a, b\n")
    host.change(add_items={"relay_domains": ["c"]}, remove_items={"relay_domains": ["a"]})
    assert host.main_cf.read_text() == "relay_domains = b, c\n"


def test_restrictions_keep_their_lines_when_one_comes_or_goes(host: ConfigurationHost) -> None:
    host.commands.defaults += "smtpd_client_restrictions =\n"
    before = "smtpd_client_restrictions =\n    permit_mynetworks,\n    # theirs\n    permit\n"
    host.main_cf.write_text(before)
    host.change(parameters={"smtpd_client_restrictions": "permit_mynetworks, reject_plaintext_session, permit"})
    assert host.main_cf.read_text() == before.replace("    permit\n", "    reject_plaintext_session, permit\n")
    host.change(parameters={"smtpd_client_restrictions": "permit_mynetworks, permit"})
    assert host.main_cf.read_text() == before


def test_duplicates_of_other_parameters_are_told_and_kept(host: ConfigurationHost) -> None:
    host.main_cf.write_text("a = 1\nsoft_bounce = no\na = 2\nsoft_bounce = no\n")
    plan = host.change(parameters={"soft_bounce": "no"})
    assert host.main_cf.read_text() == "a = 1\na = 2\nsoft_bounce = no\n"
    assert plan.changes == {"soft_bounce": ("no", "no")}
    assert plan.warnings == [f"{host.main_cf}: a is set on lines 1, 2; Postfix uses the last; remove the others"]


@pytest.mark.parametrize(("name", "restart"), [("inet_interfaces", True), ("soft_bounce", False)])
def test_restart_is_told(host: ConfigurationHost, name: str, restart: bool) -> None:
    assert host.plan(parameters={name: "yes"}).restart_needed is restart


def test_mode_and_symbolic_link_are_kept(host: ConfigurationHost, tmp_path: Path) -> None:
    target = tmp_path / "elsewhere"
    os.rename(host.main_cf, target)
    os.symlink(target, host.main_cf)
    os.chmod(target, 0o640)
    host.change(parameters={"soft_bounce": True})
    assert os.readlink(host.main_cf) == str(target)
    assert target.stat().st_mode & 0o777 == 0o640
    assert target.read_text() == "# head\ncompatibility_level = 2\nsoft_bounce = yes\n"
    assert sorted(os.listdir(tmp_path)) == ["elsewhere", "main.cf", "master.cf"]


def test_bytes_that_are_no_text_are_kept(host: ConfigurationHost) -> None:
    host.main_cf.write_bytes(b"# \xff\xfe\nsoft_bounce = no\n")
    host.change(parameters={"soft_bounce": True})
    assert host.main_cf.read_bytes() == b"# \xff\xfe\nsoft_bounce = yes\n"


def test_edit_made_between_plan_and_change_is_kept(host: ConfigurationHost) -> None:
    plan = host.plan(parameters={"soft_bounce": True})
    host.main_cf.write_text("soft_bounce = no\nmyhostname = other\n")
    done = apply_configuration(host.postfix, plan)
    assert host.main_cf.read_text() == "soft_bounce = yes\nmyhostname = other\n"
    assert done.before == "soft_bounce = no\nmyhostname = other\n"


def test_change_that_another_program_made_meanwhile_is_not_made_again(host: ConfigurationHost) -> None:
    plan = host.plan(parameters={"soft_bounce": True})
    host.main_cf.write_text("soft_bounce = yes\n")
    before = identity(host.main_cf)
    assert apply_configuration(host.postfix, plan).changed is False
    assert identity(host.main_cf) == before


def test_change_waits_for_the_lock_of_postfix(host: ConfigurationHost) -> None:
    plan = host.plan(parameters={"soft_bounce": True})
    thread = threading.Thread(target=apply_configuration, args=(host.postfix, plan))
    with edit_lock(str(host.main_cf)):
        thread.start()
        thread.join(0.2)
        assert thread.is_alive()
        host.main_cf.write_text("soft_bounce = no\nmyhostname = other\n")
    thread.join()
    assert host.main_cf.read_text() == "soft_bounce = yes\nmyhostname = other\n"


@pytest.mark.parametrize("name", ["main.cf", "master.cf"])
def test_missing_file_is_reported(host: ConfigurationHost, name: str) -> None:
    os.unlink(host.main_cf.parent / name)
    with pytest.raises(HostError) as caught:
        host.change_services(ServiceRequest("relay", "unix", chroot=True))
        host.plan(parameters={"soft_bounce": True})
    assert str(caught.value) == (
        f"{host.main_cf.parent / name} does not exist; install Postfix, or correct config_directory"
    )


def test_file_that_postfix_could_not_read_is_left_alone(host: ConfigurationHost) -> None:
    host.main_cf.write_text("soft_bounce = no\nwhat\n")
    assert host.refused(HostError, parameters={"soft_bounce": True}) == (
        f'{host.main_cf}, line 2: "what" has no name and "="; correct or remove the line'
    )


def test_services_are_changed_at_once(host: ConfigurationHost) -> None:
    plan = host.change_services(
        ServiceRequest("relay", "unix", overrides={"smtp_fallback_relay": ""}),
        ServiceRequest("smtp", "inet", state="absent"),
        ServiceRequest("x", "unix", command="y"),
    )
    relay = "relay unix - - - - - smtp\n"
    new = "x         unix  -       -       -       -       -       y\n"
    assert host.master_cf.read_text() == f"{relay}  -o smtp_fallback_relay=\n{new}"
    assert plan.changes == {
        "relay/unix": (relay, f"{relay}  -o smtp_fallback_relay=\n"),
        "smtp/inet": ("smtp inet n - - - - smtpd\n", None),
        "x/unix": (None, new),
    }
    assert plan.diff.before == f"smtp inet n - - - - smtpd\n{relay}"
    assert plan.diff.after == f"{relay}  -o smtp_fallback_relay=\n{new}"
    assert host.commands.asked == [["-d"]]


def test_second_run_over_services_touches_nothing(host: ConfigurationHost) -> None:
    request = ServiceRequest("relay", "unix", chroot=False, overrides={"a": "b c"})
    assert host.change_services(request).changed
    before = identity(host.master_cf)
    assert host.change_services(request).changed is False
    assert identity(host.master_cf) == before


def test_braces_are_not_written_for_a_release_that_has_none(host: ConfigurationHost) -> None:
    host.commands.defaults = "mail_version = 2.11.0\n"
    with pytest.raises(InvalidInput, match="needs Postfix 3.0 or later"):
        host.change_services(ServiceRequest("relay", "unix", overrides={"a": "b c"}))
    assert host.change_services(ServiceRequest("relay", "unix", overrides={"a": "b,c"})).changed


def test_service_named_twice_is_refused(host: ConfigurationHost) -> None:
    with pytest.raises(InvalidInput) as caught:
        host.change_services(ServiceRequest("a", "unix", command="x"), ServiceRequest("a", "unix", state="absent"))
    assert str(caught.value) == "master.cf: a/unix is both services[0] and services[1]; make them one"


def test_duplicate_services_are_told(host: ConfigurationHost) -> None:
    host.master_cf.write_text("a unix - - - - - x\nb unix - - - - - x\na unix - - - - - x\n")
    plan = host.change_services(ServiceRequest("b", "unix", state="absent"))
    assert plan.warnings == [f"{host.master_cf}: a/unix is defined more than once; Postfix uses the last"]


def test_services_changed_between_plan_and_change_are_kept(host: ConfigurationHost) -> None:
    plan = plan_master_cf(host.postfix, MasterCfRequest([ServiceRequest("relay", "unix", wakeup="5")]))
    host.master_cf.write_text("relay unix - - - - 1 smtp\n")
    apply_configuration(host.postfix, plan)
    assert host.master_cf.read_text() == "relay unix - - - 5 1 smtp\n"


@pytest.mark.parametrize(
    ("present", "wanted", "same"),
    [
        ("soft_bounce = YES\n", {"soft_bounce": True}, True),
        ("soft_bounce = yes\n", {"soft_bounce": False}, False),
        ("maximal_queue_lifetime = 240h\n", {"maximal_queue_lifetime": "10d"}, True),
        ("maximal_queue_lifetime = 10\n", {"maximal_queue_lifetime": "10d"}, True),
        ("maximal_queue_lifetime = 10h\n", {"maximal_queue_lifetime": "10d"}, False),
        ("message_size_limit = 010\n", {"message_size_limit": 10}, True),
        ("relay_domains = b.example A.example\n", {"relay_domains": ["a.example", "b.example"]}, True),
        ("relay_domains = b.example a.example\n", {"relay_domains": "a.example, b.example"}, True),
        ("relay_domains = !b.example a.example\n", {"relay_domains": ["a.example", "!b.example"]}, False),
        ("smtpd_relay_restrictions = permit, reject\n", {"smtpd_relay_restrictions": ["reject", "permit"]}, False),
        ("transport_maps = static:b static:a\n", {"transport_maps": ["static:a", "static:b"]}, False),
    ],
)
def test_value_of_the_same_meaning_is_left_as_it_is(
    host: ConfigurationHost, present: str, wanted: dict[str, Any], same: bool
) -> None:
    host.commands.defaults += "maximal_queue_lifetime = 5d\nmessage_size_limit = 10240000\nsmtpd_relay_restrictions =\n"
    host.main_cf.write_text(present)
    assert host.change(parameters=wanted).changed is not same
    assert (host.main_cf.read_text() == present) is same


@pytest.mark.parametrize(
    ("request_", "message"),
    [
        (
            {"parameters": {"soft_bounce": "true"}},
            'main.cf: soft_bounce (parameters.soft_bounce): "true" is neither yes nor no; write yes',
        ),
        (
            {"add_items": {"transport_maps": ["/etc/postfix/transport"]}},
            'main.cf: transport_maps (add_items.transport_maps): "/etc/postfix/transport" has no table type; '
            "write type:/etc/postfix/transport, such as hash:/etc/postfix/transport",
        ),
    ],
)
def test_value_that_postfix_would_misread_is_refused(
    host: ConfigurationHost, request_: dict[str, Any], message: str
) -> None:
    assert host.refused(InvalidInput, **request_) == message


def test_override_that_postfix_would_misread_is_refused(host: ConfigurationHost) -> None:
    with pytest.raises(InvalidInput) as caught:
        host.change_services(ServiceRequest("relay", "unix", overrides={"soft_bounce": "maybe"}))
    assert str(caught.value) == (
        'master.cf: soft_bounce (overrides of relay/unix): "maybe" is neither yes nor no; write one of them'
    )
    assert host.master_cf.read_text() == "smtp inet n - - - - smtpd\nrelay unix - - - - - smtp\n"


def test_restriction_class_that_the_same_request_makes_may_be_used(host: ConfigurationHost) -> None:
    host.commands.defaults += "smtpd_client_restrictions =\n"
    host.change(
        parameters={"smtpd_restriction_classes": "grey", "grey": "reject", "smtpd_client_restrictions": ["grey"]}
    )
    assert host.refused(InvalidInput, parameters={"grey": "rejekt"}) == (
        'main.cf: grey (parameters.grey): "rejekt" is not a restriction that smtpd knows; did you mean "reject"?'
    )


def test_other_hard_links_are_told(host: ConfigurationHost, tmp_path: Path) -> None:
    os.link(host.main_cf, tmp_path / "other")
    plan = host.change(parameters={"soft_bounce": True})
    assert plan.warnings == [
        f"{host.main_cf} has 1 other hard links, which keep the old content; make them symbolic links"
    ]
    assert (tmp_path / "other").read_text() == "# head\ncompatibility_level = 2\nsoft_bounce = no\n"


def test_new_file_of_a_killed_run_goes_with_the_next_change(host: ConfigurationHost) -> None:
    (host.main_cf.parent / ".mxrelay-main.cf").write_text("half")
    host.change(parameters={"soft_bounce": True})
    assert sorted(os.listdir(host.main_cf.parent)) == ["main.cf", "master.cf"]


@pytest.mark.parametrize("carry_out", [apply_configuration, rehearse_configuration])
def test_file_that_cannot_be_replaced_is_refused_in_check_mode_too(
    host: ConfigurationHost, monkeypatch: pytest.MonkeyPatch, carry_out: Callable[..., Any]
) -> None:
    def refuse(*paths: str) -> None:
        raise HostError(f"{paths}")

    monkeypatch.setattr(change, "refuse_unwritable", refuse)
    with pytest.raises(HostError, match="main.cf"):
        carry_out(host.postfix, host.plan(parameters={"soft_bounce": "yes"}))
    # What is right already needs no file to be written.
    carry_out(host.postfix, host.plan(parameters={"soft_bounce": "no"}))


def test_taken_port_of_a_new_service_changes_nothing_unless_it_is_restored(host: ConfigurationHost) -> None:
    before = host.master_cf.read_text()
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = str(server.getsockname()[1])
        plan = plan_master_cf(host.postfix, MasterCfRequest([ServiceRequest(port, "inet", command="smtpd")]))
        for carry_out in (rehearse_configuration, apply_configuration):
            with pytest.raises(Refused):
                carry_out(host.postfix, plan)
        assert host.master_cf.read_text() == before
        assert apply_configuration(host.postfix, plan, restores=True).changed
    assert host.master_cf.read_text() != before
