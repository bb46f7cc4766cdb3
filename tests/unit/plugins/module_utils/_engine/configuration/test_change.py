# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import os
import threading
from pathlib import Path
from typing import Any, Sequence

import pytest

from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.configuration.change import (
    MainCfRequest,
    MasterCfRequest,
    apply_configuration,
    plan_main_cf,
    plan_master_cf,
    rehearse_configuration,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.configuration.master_cf import ServiceRequest
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.errors import HostError, InvalidInput, Refused
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.commands import Result
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.edit_lock import edit_lock
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.postfix import Postfix

DEFAULTS = """\
compatibility_level = 0
mail_version = 3.10.13
mynetworks = 192.0.2.0/24
relay_domains = ${{$compatibility_level} <level {2} ? {$mydestination} : {}}
smtpd_restriction_classes =
smtp_fallback_relay = $fallback_relay
soft_bounce = no
transport_maps =
inet_interfaces = all
"""


class FakeCommands:
    """postconf of one release; keeps what it was asked of the live files, and what of staged ones."""

    def __init__(self, live: Path, defaults: str = DEFAULTS) -> None:
        self.live = live
        self.defaults = defaults
        self.asked: list[list[str]] = []
        self.staged: list[str] = []
        self.texts: dict[str, str] = {}
        self.results: dict[str, Result] = {}

    def run(self, argv: Sequence[str], data: bytes | None = None, silence: float | None = None) -> Result:
        assert argv[1] == "-c"
        if argv[2] != str(self.live):
            return self._run_staged(Path(argv[2]), " ".join([argv[0], *argv[3:]]))
        self.asked.append(list(argv[3:]))
        assert argv[0] == "postconf"
        if argv[3:] == ["mynetworks"]:
            return Result(0, "mynetworks = 198.51.100.7/32\n", "")
        assert argv[3:] == ["-d"]
        return Result(0, self.defaults, "")

    def _run_staged(self, directory: Path, command: str) -> Result:
        self.staged.append(command)
        for name in ("main.cf", "master.cf"):
            self.texts[f"{command}: {name}"] = (directory / name).read_bytes().decode("utf-8", "surrogateescape")
        answers = {
            "postconf -d mail_version": self.defaults,
            "postconf mail_owner": "mail_owner = nobody\n",
            "postconf -m": "static\ncidr\n",
        }
        result = self.results.get(command, Result(0, answers.get(command, ""), ""))
        return Result(result.rc, result.out, result.err.replace("@", str(directory)))


class Host:
    """A configuration directory with both files, and a Postfix to ask about it."""

    def __init__(self, directory: Path) -> None:
        self.main_cf = directory / "main.cf"
        self.master_cf = directory / "master.cf"
        self.main_cf.write_text("# head\ncompatibility_level = 2\nsoft_bounce = no\n")
        self.master_cf.write_text("smtp inet n - - - - smtpd\nrelay unix - - - - - smtp\n")
        self.commands = FakeCommands(directory)
        self.postfix = Postfix(self.commands, str(directory))

    def plan(self, **request: Any) -> Any:
        return plan_main_cf(self.postfix, MainCfRequest(**request))

    def change(self, **request: Any) -> Any:
        return apply_configuration(self.postfix, self.plan(**request))

    def change_services(self, *services: ServiceRequest) -> Any:
        return apply_configuration(self.postfix, plan_master_cf(self.postfix, MasterCfRequest(services)))

    def refused(self, error: type[Exception], **request: Any) -> str:
        before = self.main_cf.read_bytes()
        with pytest.raises(error) as caught:
            self.plan(**request)
        assert self.main_cf.read_bytes() == before
        return str(caught.value)


@pytest.fixture(name="host")
def _host(tmp_path: Path) -> Host:
    return Host(tmp_path)


def identity(path: Path) -> tuple[int, int]:
    status = os.stat(path)
    return status.st_ino, status.st_mtime_ns


def test_all_changes_of_a_request_are_made_at_once(host: Host) -> None:
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


def test_plan_alone_changes_nothing(host: Host) -> None:
    before = identity(host.main_cf)
    assert host.plan(parameters={"soft_bounce": True}).changed
    assert identity(host.main_cf) == before
    assert sorted(os.listdir(host.main_cf.parent)) == ["main.cf", "master.cf"]


def test_second_run_touches_nothing_and_asks_nothing(host: Host) -> None:
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


def test_unset_list_begins_with_the_default_of_this_host(host: Host) -> None:
    host.main_cf.write_text("compatibility_level = 1\n")
    host.change(add_items={"relay_domains": ["x.example"]})
    assert host.main_cf.read_text() == "compatibility_level = 1\nrelay_domains = $mydestination, x.example\n"


def test_host_without_compatibility_level_has_that_of_postfix(host: Host) -> None:
    host.main_cf.write_text("")
    host.change(add_items={"relay_domains": ["x.example"]})
    assert host.main_cf.read_text() == "relay_domains = $mydestination, x.example\n"


def test_default_item_is_removed_from_an_unset_list(host: Host) -> None:
    host.main_cf.write_text("")
    host.change(remove_items={"relay_domains": ["$mydestination"]})
    assert host.main_cf.read_text() == "relay_domains =\n"


@pytest.mark.parametrize("option", ["add_items", "remove_items"])
def test_computed_list_is_refused_while_unset(host: Host, option: str) -> None:
    assert host.refused(Refused, **{option: {"mynetworks": ["10.0.0.0/8"]}}) == (
        "main.cf: mynetworks is not set, and Postfix computes it, at present to 198.51.100.7/32; "
        "to add or remove members, set the whole list in parameters.mynetworks first"
    )


def test_computed_list_that_is_set_is_a_list_like_any_other(host: Host) -> None:
    host.main_cf.write_text("mynetworks = 127.0.0.0/8\n")
    host.change(add_items={"mynetworks": ["10.0.0.0/8"]})
    assert host.main_cf.read_text() == "mynetworks = 127.0.0.0/8, 10.0.0.0/8\n"


@pytest.mark.parametrize(
    ("request_", "message"),
    [
        (
            {"parameters": {"soft_bonce": "yes"}},
            'main.cf: Postfix knows no parameter "soft_bonce"; did you mean "soft_bounce"? '
            "(for a parameter of a custom service, set allow_unknown: true)",
        ),
        (
            {"add_items": {"zzz": ["x"]}},
            'main.cf: Postfix knows no parameter "zzz"; correct the name '
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
def test_bad_request_is_refused(host: Host, request_: dict[str, Any], message: str) -> None:
    assert host.refused(InvalidInput, **request_) == message


def test_parameter_of_a_later_release_is_refused_with_that_release(host: Host) -> None:
    host.commands.defaults = "mail_version = 2.9.15\n"
    assert host.refused(InvalidInput, parameters={"smtpd_relay_restrictions": ["reject"]}) == (
        "main.cf: smtpd_relay_restrictions needs Postfix 2.10 or later; leave it out here; this host has 2.9.15"
    )


@pytest.mark.parametrize("name", ["fallback_relay", "my_clients"])
def test_name_that_a_value_refers_to_is_known(host: Host, name: str) -> None:
    host.main_cf.write_text("transport_maps = $my_clients\n")
    assert host.plan(parameters={name: "x"}).changes == {name: (None, "x")}


def test_restriction_class_of_main_cf_or_of_the_request_is_known(host: Host) -> None:
    assert host.plan(parameters={"smtpd_restriction_classes": "grey, slow", "slow": "permit"}).changed
    host.main_cf.write_text("smtpd_restriction_classes = grey\n")
    assert host.plan(parameters={"grey": ["permit"]}).changes == {"grey": (None, "permit")}


def test_name_that_a_service_refers_to_is_known(host: Host) -> None:
    host.master_cf.write_text("smtp inet n - - - - smtpd\n# -o a=$theirs\n  -o smtpd_client_restrictions=$ours\n")
    assert host.plan(parameters={"ours": "reject"}).changed
    assert host.refused(InvalidInput, parameters={"theirs": "reject"}).startswith(
        'main.cf: Postfix knows no parameter "theirs"'
    )


def test_name_that_the_same_request_refers_to_is_known(host: Host) -> None:
    assert host.plan(parameters={"mine": "x", "transport_maps": "${mine}"}).changed


def test_unknown_name_may_be_allowed_and_is_removed_without(host: Host) -> None:
    host.change(parameters={"zzz": "x"}, allow_unknown=True)
    assert host.change(parameters={"zzz": "x"}).changed is False
    assert host.change(absent=["zzz"]).changes == {"zzz": ("x", None)}


def test_add_and_remove_of_one_list_are_one_change(host: Host) -> None:
    host.main_cf.write_text("relay_domains = a, b\n")
    host.change(add_items={"relay_domains": ["c"]}, remove_items={"relay_domains": ["a"]})
    assert host.main_cf.read_text() == "relay_domains = b, c\n"


def test_duplicates_of_other_parameters_are_told_and_kept(host: Host) -> None:
    host.main_cf.write_text("a = 1\nsoft_bounce = no\na = 2\nsoft_bounce = no\n")
    plan = host.change(parameters={"soft_bounce": "no"})
    assert host.main_cf.read_text() == "a = 1\na = 2\nsoft_bounce = no\n"
    assert plan.changes == {"soft_bounce": ("no", "no")}
    assert plan.warnings == [f"{host.main_cf}: a is set on lines 1, 2; Postfix uses the last; remove the others"]


@pytest.mark.parametrize(("name", "restart"), [("inet_interfaces", True), ("soft_bounce", False)])
def test_restart_is_told(host: Host, name: str, restart: bool) -> None:
    assert host.plan(parameters={name: "yes"}).restart_needed is restart


def test_mode_and_symbolic_link_are_kept(host: Host, tmp_path: Path) -> None:
    target = tmp_path / "elsewhere"
    os.rename(host.main_cf, target)
    os.symlink(target, host.main_cf)
    os.chmod(target, 0o640)
    host.change(parameters={"soft_bounce": True})
    assert os.readlink(host.main_cf) == str(target)
    assert target.stat().st_mode & 0o777 == 0o640
    assert target.read_text() == "# head\ncompatibility_level = 2\nsoft_bounce = yes\n"
    assert sorted(os.listdir(tmp_path)) == ["elsewhere", "main.cf", "master.cf"]


def test_bytes_that_are_no_text_are_kept(host: Host) -> None:
    host.main_cf.write_bytes(b"# \xff\xfe\nsoft_bounce = no\n")
    host.change(parameters={"soft_bounce": True})
    assert host.main_cf.read_bytes() == b"# \xff\xfe\nsoft_bounce = yes\n"


def test_edit_made_between_plan_and_change_is_kept(host: Host) -> None:
    plan = host.plan(parameters={"soft_bounce": True})
    host.main_cf.write_text("soft_bounce = no\nmyhostname = other\n")
    done = apply_configuration(host.postfix, plan)
    assert host.main_cf.read_text() == "soft_bounce = yes\nmyhostname = other\n"
    assert done.before == "soft_bounce = no\nmyhostname = other\n"


def test_change_that_another_program_made_meanwhile_is_not_made_again(host: Host) -> None:
    plan = host.plan(parameters={"soft_bounce": True})
    host.main_cf.write_text("soft_bounce = yes\n")
    before = identity(host.main_cf)
    assert apply_configuration(host.postfix, plan).changed is False
    assert identity(host.main_cf) == before


def test_change_waits_for_the_lock_of_postfix(host: Host) -> None:
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
def test_missing_file_is_reported(host: Host, name: str) -> None:
    os.unlink(host.main_cf.parent / name)
    with pytest.raises(HostError) as caught:
        host.change_services(ServiceRequest("relay", "unix", chroot=True))
        host.plan(parameters={"soft_bounce": True})
    assert str(caught.value) == (
        f"{host.main_cf.parent / name} does not exist; install Postfix, or correct config_directory"
    )


def test_file_that_postfix_could_not_read_is_left_alone(host: Host) -> None:
    host.main_cf.write_text("soft_bounce = no\nwhat\n")
    assert host.refused(HostError, parameters={"soft_bounce": True}) == (
        f'{host.main_cf}, line 2: "what" has no name and "="; correct or remove the line'
    )


def test_services_are_changed_at_once(host: Host) -> None:
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


def test_second_run_over_services_touches_nothing(host: Host) -> None:
    request = ServiceRequest("relay", "unix", chroot=False, overrides={"a": "b c"})
    assert host.change_services(request).changed
    before = identity(host.master_cf)
    assert host.change_services(request).changed is False
    assert identity(host.master_cf) == before


@pytest.mark.parametrize(
    ("version", "compatibility_level", "changed"),
    [("3.10.13", "2", False), ("3.0.0", "1", False), ("3.10.13", "0", True), ("2.11.0", "2", True)],
)
def test_default_of_chroot_depends_on_release_and_level(
    host: Host, version: str, compatibility_level: str, changed: bool
) -> None:
    host.commands.defaults = f"mail_version = {version}\ncompatibility_level = 0\n"
    host.main_cf.write_text(f"compatibility_level = {compatibility_level}\n")
    assert host.change_services(ServiceRequest("relay", "unix", chroot=False)).changed is changed


def test_braces_are_not_written_for_a_release_that_has_none(host: Host) -> None:
    host.commands.defaults = "mail_version = 2.11.0\n"
    with pytest.raises(InvalidInput, match="needs Postfix 3.0 or later"):
        host.change_services(ServiceRequest("relay", "unix", overrides={"a": "b c"}))
    assert host.change_services(ServiceRequest("relay", "unix", overrides={"a": "b,c"})).changed


def test_service_named_twice_is_refused(host: Host) -> None:
    with pytest.raises(InvalidInput) as caught:
        host.change_services(ServiceRequest("a", "unix", command="x"), ServiceRequest("a", "unix", state="absent"))
    assert str(caught.value) == "master.cf: a/unix is both services[0] and services[1]; make them one"


def test_duplicate_services_are_told(host: Host) -> None:
    host.master_cf.write_text("a unix - - - - - x\nb unix - - - - - x\na unix - - - - - x\n")
    plan = host.change_services(ServiceRequest("b", "unix", state="absent"))
    assert plan.warnings == [f"{host.master_cf}: a/unix is defined more than once; Postfix uses the last"]


def test_services_changed_between_plan_and_change_are_kept(host: Host) -> None:
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
    host: Host, present: str, wanted: dict[str, Any], same: bool
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
def test_value_that_postfix_would_misread_is_refused(host: Host, request_: dict[str, Any], message: str) -> None:
    assert host.refused(InvalidInput, **request_) == message


def test_override_that_postfix_would_misread_is_refused(host: Host) -> None:
    with pytest.raises(InvalidInput) as caught:
        host.change_services(ServiceRequest("relay", "unix", overrides={"soft_bounce": "maybe"}))
    assert str(caught.value) == (
        'master.cf: soft_bounce (overrides of relay/unix): "maybe" is neither yes nor no; write one of them'
    )
    assert host.master_cf.read_text() == "smtp inet n - - - - smtpd\nrelay unix - - - - - smtp\n"


def test_restriction_class_that_the_same_request_makes_may_be_used(host: Host) -> None:
    host.commands.defaults += "smtpd_client_restrictions =\n"
    host.change(
        parameters={"smtpd_restriction_classes": "grey", "grey": "reject", "smtpd_client_restrictions": ["grey"]}
    )
    assert host.refused(InvalidInput, parameters={"grey": "rejekt"}) == (
        'main.cf: grey (parameters.grey): "rejekt" is not a restriction that smtpd knows; did you mean "reject"?'
    )


def test_outcome_is_tried_before_it_goes_live(host: Host) -> None:
    host.change(parameters={"soft_bounce": True})
    assert host.commands.staged == [
        "postconf -n",
        "postconf -d mail_version",
        "postconf -M",
        "postconf mail_owner",
        "postfix check",
    ]
    text = host.main_cf.read_text()
    assert host.commands.texts["postconf -n: main.cf"] == text
    assert host.commands.texts["postconf -n: master.cf"] == host.master_cf.read_text()
    checked = host.commands.texts["postfix check: main.cf"]
    assert checked.startswith(text)
    own = dict(line.split(" = ") for line in checked[len(text) :].strip().split("\n"))
    assert sorted(own) == ["data_directory", "queue_directory"]
    assert not any(os.path.exists(path) or path.startswith(str(host.main_cf.parent)) for path in own.values())


def test_rehearsal_asks_postconf_only_and_writes_nothing(host: Host) -> None:
    before = identity(host.main_cf)
    assert rehearse_configuration(host.postfix, host.plan(parameters={"soft_bounce": True})).changed
    assert host.commands.staged == ["postconf -n", "postconf -d mail_version", "postconf -M"]
    assert identity(host.main_cf) == before


def test_postfix_before_2_9_is_not_asked_for_services(host: Host) -> None:
    host.commands.defaults = "mail_version = 2.8.14\nsoft_bounce = no\n"
    host.change(parameters={"soft_bounce": True})
    assert "postconf -M" not in host.commands.staged


@pytest.mark.parametrize(
    ("command", "err", "why"),
    [
        ("postfix check", "postfix: fatal: bad boolean configuration: x = y\n", "bad boolean configuration: x = y"),
        ("postfix check", "", "postfix check ended with 1, and the mail log says why"),
        ("postconf -n", "postconf: fatal: @/main.cf, line 3: what\n", "{}/main.cf, line 3: what"),
        (
            "postconf -M",
            "postconf: fatal: @/master.cf: line 1: bad field count\n",
            "{}/master.cf: line 1: bad field count",
        ),
    ],
)
def test_outcome_that_postfix_refuses_does_not_go_live(host: Host, command: str, err: str, why: str) -> None:
    before = identity(host.main_cf)
    plan = host.plan(parameters={"soft_bounce": True})

    class Once(dict):
        def get(self, asked: str, default: Any = None) -> Any:
            return self.pop(asked, default)

    host.commands.results = Once({command: Result(1, "", err)})
    with pytest.raises(Refused) as caught:
        apply_configuration(host.postfix, plan)
    assert str(caught.value) == (
        f"{host.main_cf}: Postfix does not accept the outcome: {why.format(host.main_cf.parent)}; nothing was changed"
    )
    assert identity(host.main_cf) == before
    assert sorted(os.listdir(host.main_cf.parent)) == ["main.cf", "master.cf"]


def test_what_postfix_refused_before_as_well_is_a_warning(host: Host) -> None:
    host.commands.results["postfix check"] = Result(1, "", "postfix: fatal: no such user\n")
    plan = host.change(parameters={"soft_bounce": True})
    assert plan.warnings == [
        f"{host.main_cf}: Postfix did not accept the configuration before the change: no such user"
    ]
    assert "soft_bounce = yes" in host.main_cf.read_text()


def test_unused_and_undefined_parameters_are_warnings(host: Host) -> None:
    host.commands.results["postconf -n"] = Result(
        0,
        "",
        "postconf: warning: @/main.cf: unused parameter: a=b\npostconf: warning: @/main.cf: undefined parameter: c\n"
        "postconf: warning: @/main.cf, line 9: overriding earlier entry: d=e\n",
    )
    directory = host.main_cf.parent
    assert host.change(parameters={"soft_bounce": True}).warnings == [
        f"{directory}/main.cf: unused parameter: a=b",
        f"{directory}/main.cf: undefined parameter: c",
    ]


def test_table_type_that_postfix_does_not_have_is_refused(host: Host) -> None:
    plan = host.plan(parameters={"transport_maps": "proxy:hush:/t"})
    with pytest.raises(HostError) as caught:
        apply_configuration(host.postfix, plan)
    assert str(caught.value) == (
        'this host\'s Postfix has no lookup tables of type "proxy"; it has cidr, static. Install the package for that '
        "type, or use another one; nothing was changed"
    )
    assert plan.table_types == ["proxy", "hush"]


def test_other_hard_links_are_told(host: Host, tmp_path: Path) -> None:
    os.link(host.main_cf, tmp_path / "other")
    plan = host.change(parameters={"soft_bounce": True})
    assert plan.warnings == [
        f"{host.main_cf} has 1 other hard links, which keep the old content; make them symbolic links"
    ]
    assert (tmp_path / "other").read_text() == "# head\ncompatibility_level = 2\nsoft_bounce = no\n"


def test_new_file_of_a_killed_run_goes_with_the_next_change(host: Host) -> None:
    (host.main_cf.parent / ".mxrelay-main.cf").write_text("half")
    host.change(parameters={"soft_bounce": True})
    assert sorted(os.listdir(host.main_cf.parent)) == ["main.cf", "master.cf"]
