# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.configuration.master_cf import (
    MasterCf,
    Service,
    ServiceRequest,
    as_request,
    new_service,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.errors import HostError, InvalidInput

FILE = """# ==========
# service type  private unpriv  chroot  wakeup  maxproc command + args
smtp      inet  n       -       y       -       -       smtpd
#submission inet n       -       y       -       -       smtpd
#  -o syslog_name=postfix/submission
qmgr      unix  n       -       n       300     1       qmgr
relay     unix  -       -       y       -       -       smtp
        -o syslog_name=${multi_instance_name?{$multi_instance_name}:{postfix}}/$service_name
# why
        -o smtp_fallback_relay=
uucp      unix  -       n       n       -       -       pipe
  flags=Fqhu user=uucp argv=uux -r -n -z -a$sender - $nexthop!rmail ($recipient)
mailman   unix  -       n       n       -       10?     x
"""
GOOD = FILE.replace("10?     x", "10      -vo{ a = b c } -D x")


def applied(text: str, *, braces: bool = True, **fields: Any) -> str:
    file = MasterCf(text)
    request = ServiceRequest(**{"name": "relay", "type": "unix", **fields}).checked("services[0]")
    file.apply(request, lambda: "n", lambda: braces)
    return str(file)


def asked() -> Any:
    raise AssertionError("asked although it does not matter")


def test_unedited_file_is_kept_to_the_byte() -> None:
    text = GOOD.replace("-vo{", "smtp -vo{")
    assert str(MasterCf(text)) == text


def test_services_are_read_as_postfix_reads_them() -> None:
    services = MasterCf(GOOD.replace("-vo{", "smtp -vo{")).services
    assert services[2:] == [
        Service(
            "relay",
            "unix",
            "-",
            "-",
            "y",
            "-",
            "-",
            "smtp",
            {
                "syslog_name": "${multi_instance_name?{$multi_instance_name}:{postfix}}/$service_name",
                "smtp_fallback_relay": "",
            },
        ),
        Service(
            "uucp",
            "unix",
            "-",
            "n",
            "n",
            "-",
            "-",
            "pipe flags=Fqhu user=uucp argv=uux -r -n -z -a$sender - $nexthop!rmail ($recipient)",
            {},
        ),
        Service("mailman", "unix", "-", "n", "n", "-", "10", "smtp -v -D x", {"a": "b c"}),
    ]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("smtp inet n", '"smtp inet n" has 3 of the 8 fields that a service needs; correct or remove the line'),
        (
            "smtp tcp n - n - - smtpd",
            'type of service smtp can\'t be "tcp"; correct or remove the line',
        ),
        ("smtp inet x - n - - smtpd", 'private of service smtp can\'t be "x"; correct or remove the line'),
        ("smtp inet n x n - - smtpd", 'unprivileged of service smtp can\'t be "x"; correct or remove the line'),
        ("smtp inet n - x - - smtpd", 'chroot of service smtp can\'t be "x"; correct or remove the line'),
        ("smtp inet n - n x - smtpd", 'wakeup of service smtp can\'t be "x"; correct or remove the line'),
        ("smtp inet n - n - 10? smtpd", 'process_limit of service smtp can\'t be "10?"; correct or remove the line'),
        ("smtp inet n - n - - smtpd -o", "-o at the end has no name=value; correct or remove it"),
        ("smtp inet n - n - - smtpd -o x", '"-o x" is not name=value; correct or remove it'),
        ("smtp inet n - n - - smtpd -o =x", '"-o =x" is not name=value; correct or remove it'),
    ],
)
def test_malformed_file_is_reported_with_its_line(line: str, message: str) -> None:
    with pytest.raises(HostError) as caught:
        MasterCf(f"# head\n\n{line}\n", "/etc/postfix/master.cf")
    assert caught.value.message == f"/etc/postfix/master.cf, line 3: {message}"


RELAY = "relay     unix  -       -       y       -       -       smtp\n"


@pytest.mark.parametrize(
    ("text", "overrides", "after"),
    [
        (RELAY, {"a": "b"}, RELAY + "  -o a=b\n"),
        (RELAY[:-1], {"a": "b"}, RELAY + "  -o a=b"),
        (RELAY, {"a": ""}, RELAY + "  -o a=\n"),
        (RELAY, {"a": "b, c"}, RELAY + "  -o { a = b, c }\n"),
        (RELAY, {"a": None}, RELAY),
        (RELAY + "\t-o a=b\n", {"c": "d"}, RELAY + "\t-o a=b\n\t-o c=d\n"),
        (RELAY + "  -o a=b\n# in\n  -o c=d\n", {"a": "e"}, RELAY + "  -o a=e\n# in\n  -o c=d\n"),
        (RELAY + "  -o a=b\n# in\n  -o c=d\n", {"a": None}, RELAY + "# in\n  -o c=d\n"),
        (RELAY + "  -o a=b -o c=d\n", {"a": None}, RELAY + "  -o c=d\n"),
        (RELAY + "  -o a=b -o c=d\n", {"c": None}, RELAY + "  -o a=b\n"),
        (RELAY[:-1] + " -o a=b -v\n", {"a": None}, RELAY[:-1] + " -v\n"),
        (RELAY[:-1] + " -o a=b x\n", {"c": "d"}, RELAY[:-1] + " -o a=b -o c=d x\n"),
        (RELAY[:-1] + " -v x\n", {"c": "d"}, RELAY[:-1] + " -v -o c=d x\n"),
        (RELAY[:-1] + " -- -o a=b\n", {"a": "d"}, RELAY[:-1] + " -o a=d -- -o a=b\n"),
        (RELAY + "  x=y\n", {"c": "d"}, RELAY + "  -o c=d\n  x=y\n"),
        (RELAY + "  -oa=b\n", {"a": "c"}, RELAY + "  -oa=c\n"),
        (RELAY + "  -o { a = b c }\n", {"a": "b c"}, RELAY + "  -o { a = b c }\n"),
        (RELAY + "  -o { a = b c }\n", {"a": "d"}, RELAY + "  -o a=d\n"),
        (RELAY + "  -o {a=b\n  c}\n  -o d=e\n", {"a": None}, RELAY + "  -o d=e\n"),
        (RELAY + "  -vo a=b\n", {"a": None}, RELAY + "  -v\n"),
        (RELAY + "  -o a=1 -o a=2\n", {"a": "2"}, RELAY + "  -o a=2\n"),
        (RELAY + "  -o a=1 -o a=2\n", {"a": "1"}, RELAY + "  -o a=1\n"),
        (RELAY + "  -o a=1\n  -o a=2\n", {"a": None}, RELAY),
    ],
)
def test_override(text: str, overrides: dict[str, str | None], after: str) -> None:
    assert applied(text, overrides=overrides) == after
    assert applied(after, overrides=overrides) == after


def test_override_of_one_service_leaves_the_others_to_the_byte() -> None:
    text = FILE.replace("10?     x", "10      x")
    after = applied(text, overrides={"smtp_fallback_relay": "[x.example]"})
    assert after == text.replace("-o smtp_fallback_relay=", "-o smtp_fallback_relay=[x.example]")


@pytest.mark.parametrize(
    ("fields", "line"),
    [
        ({"process_limit": "10"}, "relay     unix  -       -       y       -       10      smtp\n"),
        ({"wakeup": "1000?"}, "relay     unix  -       -       y       1000?   -       smtp\n"),
        ({"wakeup": "123456789"}, "relay     unix  -       -       y       123456789 -       smtp\n"),
        ({"chroot": False}, "relay     unix  -       -       n       -       -       smtp\n"),
        ({"private": False}, "relay     unix  n       -       y       -       -       smtp\n"),
        ({"private": True, "unprivileged": True, "chroot": True, "wakeup": "0", "process_limit": "-"}, RELAY),
        ({"command": "smtp"}, RELAY),
        ({"command": "lmtp  -v x"}, RELAY[:-5] + "lmtp -v x\n"),
    ],
)
def test_field(fields: dict[str, Any], line: str) -> None:
    assert applied(RELAY, **fields) == line
    assert applied(line, **fields) == line


@pytest.mark.parametrize(
    ("default", "chroot", "changed"), [("n", False, False), ("y", False, True), ("y", True, False), ("n", True, True)]
)
def test_chroot_is_compared_with_what_the_default_means(default: str, chroot: bool, changed: bool) -> None:
    line = RELAY.replace(" y ", " - ")
    file = MasterCf(line)
    file.apply(ServiceRequest("relay", "unix", chroot=chroot), lambda: default, asked)
    assert (str(file) != line) is changed


def test_host_is_not_asked_where_it_does_not_matter() -> None:
    file = MasterCf(RELAY)
    file.apply(ServiceRequest("relay", "unix", chroot=True, overrides={"a": "b"}), asked, asked)
    assert str(file) == RELAY + "  -o a=b\n"


def test_command_keeps_its_overrides_and_comments() -> None:
    text = RELAY + "  -o a=b\n# in\n  x=y\n"
    assert applied(text, command="pipe -v user=u") == RELAY[:-5] + "pipe -v\n  -o a=b\n  user=u\n# in\n"


def test_new_service_is_added_at_the_end() -> None:
    added = "submission inet  n       -       -       -       -       smtpd -v\n  -o a=b"
    for end in ("\n", ""):
        text = RELAY[:-1] + end
        after = applied(text, name="submission", type="inet", command="smtpd -v", overrides={"a": "b", "c": None})
        assert after == RELAY + added + end
        assert applied(after, name="submission", type="inet", state="absent") == text
    assert applied("", name="x", command="y", private=False, chroot=True, wakeup="60", process_limit="1") == (
        "x         unix  n       -       y       60      1       y\n"
    )


def test_service_of_the_same_name_and_another_type_is_another_service() -> None:
    assert applied(RELAY, type="inet", command="smtpd") == (
        RELAY + "relay     inet  n       -       -       -       -       smtpd\n"
    )


def test_absent_service_leaves_comments() -> None:
    assert applied(RELAY + "# in\n  -o a=b\n# after\n" + RELAY, state="absent") == "# in\n# after\n"
    assert applied(RELAY, name="x", state="absent") == RELAY


def test_of_duplicate_services_the_last_is_edited_and_the_only_one_left() -> None:
    text = RELAY + "smtp unix - - n - - smtp\n" + RELAY
    assert MasterCf(text).duplicates == ["relay/unix"]
    assert applied(text, overrides={"a": "b"}) == "smtp unix - - n - - smtp\n" + RELAY + "  -o a=b\n"


def test_last_of_two_entries_is_what_postfix_runs() -> None:
    text = RELAY + "smtp inet n - n - - smtpd\n" + RELAY + "  -o a=b\n"
    assert [(service.key, service.overrides) for service in MasterCf(text).effective] == [
        ("relay/unix", {"a": "b"}),
        ("smtp/inet", {}),
    ]


def test_find_and_excerpt() -> None:
    file = MasterCf(RELAY + "  -o a=b\nsmtp inet n - n - - smtpd")
    found = file.find("relay", "unix")
    assert found is not None and found.overrides == {"a": "b"}
    assert file.find("relay", "inet") is None
    assert file.excerpt([("smtp", "inet")]) == "smtp inet n - n - - smtpd\n"


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"name": ""}, 'master.cf: "" (services[0]) is not a service name; give it without white space or "#"'),
        ({"name": "a b"}, 'master.cf: "a b" (services[0]) is not a service name; give it without white space or "#"'),
        ({"name": "#a"}, 'master.cf: "#a" (services[0]) is not a service name; give it without white space or "#"'),
        (
            {"type": "tcp"},
            'master.cf: type "tcp" of relay (services[0]) is not a service type; '
            "use one of inet, unix, unix-dgram, fifo, pass",
        ),
        (
            {"type": "inet", "private": True},
            "master.cf: relay/inet (services[0]) can't be private, since it is reached over the network; "
            "leave private out, or set it to false",
        ),
        (
            {"wakeup": "1m"},
            'master.cf: wakeup "1m" of relay/unix (services[0]) is not a number of seconds; '
            'give digits, followed by "?" if the service may be unused, or "-"',
        ),
        (
            {"process_limit": "all"},
            'master.cf: process_limit "all" of relay/unix (services[0]) is not a number; '
            'give digits, 0 for no limit, or "-" for default_process_limit',
        ),
        (
            {"command": " "},
            'master.cf: command " " of relay/unix (services[0]) is not a program with its arguments on one line; '
            "correct it",
        ),
        ({"command": "a\nb"}, None),
        ({"command": "-v"}, None),
        ({"command": "smtp #x"}, None),
        (
            {"command": "smtp -o a=b"},
            "master.cf: command of relay/unix (services[0]) contains -o; put overrides in the option overrides",
        ),
        (
            {"overrides": {"a b": "c"}},
            "master.cf: 'a b' in overrides of relay/unix (services[0]) is not a parameter name; "
            "a name consists of letters, digits and underscores",
        ),
        (
            {"overrides": {"a": "b\nc"}},
            "master.cf: override a of relay/unix (services[0]) contains a line break or a control character; "
            "write it on one line",
        ),
        (
            {"overrides": {"a": "{ b"}},
            'master.cf: override a of relay/unix (services[0]): the braces in "{ b" do not match; '
            "add the missing one",
        ),
        ({"overrides": {"a": "} b {"}}, None),
    ],
)
def test_bad_request_is_refused(fields: dict[str, Any], message: str | None) -> None:
    with pytest.raises(InvalidInput) as caught:
        ServiceRequest(**{"name": "relay", "type": "unix", **fields}).checked("services[0]")
    assert message is None or caught.value.message == message


def test_argument_of_the_command_may_be_dash_o() -> None:
    assert applied(RELAY, command="pipe argv=x -o y") == RELAY[:-5] + "pipe argv=x -o y\n"


def test_new_service_without_command_is_refused() -> None:
    with pytest.raises(InvalidInput) as caught:
        applied(RELAY, name="relai")
    assert caught.value.message == (
        "master.cf: there is no service relai/unix yet, and command is missing; "
        "give the command, or correct name and type"
    )


def test_value_with_white_space_is_refused_where_postfix_has_no_braces() -> None:
    with pytest.raises(InvalidInput) as caught:
        applied(RELAY, braces=False, overrides={"a": "b c"})
    assert caught.value.message == (
        "master.cf: override a of relay/unix contains white space, which needs Postfix 3.0 or later; "
        "set a parameter in main.cf to the value, and the override to its $name"
    )


def test_null_byte_is_told() -> None:
    with pytest.raises(HostError) as caught:
        MasterCf("smtp inet n - - - - smtpd\0 -v\n")
    assert str(caught.value) == "master.cf, line 1: null byte, after which Postfix ignores text; remove it"


@pytest.mark.parametrize(
    "text",
    [
        "smtp inet n - y - - smtpd\n  -o a=x,y -o b=c\n",
        "smtp inet n - y - - smtpd -o {a =  x,y } -o b=c\n",
        "smtp inet n - y - - smtpd -oa=x,y\n",
    ],
)
def test_override_is_amended_where_it_differs_and_back_to_the_byte(text: str) -> None:
    file = MasterCf(text)
    file.amend_override("smtp/inet", "a", "c,t,x,y")
    assert str(file) == text.replace("x,y", "c,t,x,y")
    file.amend_override("smtp/inet", "a", "x,z")
    assert str(file) == text.replace("x,y", "x,z")
    file.amend_override("smtp/inet", "a", "x,y")
    assert str(file) == text


def test_override_that_is_gone_cannot_be_amended() -> None:
    with pytest.raises(HostError, match="smtp/inet has no override a any more; run it again"):
        MasterCf("smtp inet n - y - - smtpd\n").amend_override("smtp/inet", "a", "b")


@pytest.mark.parametrize(
    "text", ["smtp inet n - y - - smtpd -v\n  -o a=b\n", "x unix - n n 60? 1 pipe\n  -o c={d e}\n  flags=R argv=/x\n"]
)
def test_request_made_of_a_service_makes_it_again(text: str) -> None:
    (found,) = MasterCf(text).services
    request = as_request(found)
    empty = MasterCf("")
    empty.apply(request, lambda: "n", lambda: True)
    assert empty.services == [found]
    assert new_service(request) == found


MOVED = {"name": "smtpd", "type": "pass", "command": "smtpd", "renamed_from": "smtp/inet"}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("smtp inet n - y - - smtpd\n", "smtpd pass - - y - - smtpd\n"),
        (
            "25\tinet  n\n# why\n  - y - 7   smtpd -v\n\t-o { a = b }\n",
            "smtpd\tpass  -\n# why\n  - y - 7   smtpd -v\n\t-o { a = b }\n",
        ),
    ],
)
def test_renamed_entry_keeps_all_else_and_gets_its_bytes_back(text: str, expected: str) -> None:
    (before,) = MasterCf(text).services
    fields = {**MOVED, "command": before.command, "renamed_from": before.key}
    there = applied(text, **fields)
    assert there == expected
    assert applied(there, **fields) == there
    assert applied(there, **{**fields, "name": before.name, "type": "inet", "renamed_from": "smtpd/pass"}) == text


def test_entry_that_stays_a_local_socket_stays_as_private_as_it_is() -> None:
    fields = {"name": "out", "command": "smtp", "renamed_from": "relay/unix"}
    assert applied("relay unix n - y - - smtp\n", **fields) == "out unix n - y - - smtp\n"


def test_renamed_entry_takes_the_place_of_one_that_runs_something_else() -> None:
    text = "smtpd pass - - y - 9 smtpd\n  -o a=b\nsmtp inet n - y - 1 postscreen\n"
    back = applied(text, name="smtp", type="inet", command="smtpd", renamed_from="smtpd/pass")
    assert back == "smtp inet n - y - 9 smtpd\n  -o a=b\n"


def test_entry_of_another_program_or_none_is_not_renamed() -> None:
    screen = "smtp inet n - y - 1 postscreen\nsmtpd pass - - y - - smtpd\n"
    assert applied(screen, **MOVED) == screen
    both = "smtp inet n - y - - smtpd\nsmtpd pass - - y - - smtpd\n"
    assert applied(both, **MOVED) == both
    assert applied("", **MOVED) == "smtpd     pass  -       -       -       -       -       smtpd\n"


def test_only_last_of_several_entries_is_renamed() -> None:
    assert applied("smtp inet n - n - - smtpd\nsmtp inet n - y - - smtpd\n", **MOVED) == "smtpd pass - - y - - smtpd\n"


@pytest.mark.parametrize("fields", [{"command": None}, {"renamed_from": "smtp"}, {"renamed_from": "smtp/x"}])
def test_entry_to_rename_is_a_service_with_its_program(fields: dict[str, Any]) -> None:
    with pytest.raises(InvalidInput, match="renamed_from .* of smtpd/pass .* needs a service as name/type"):
        applied("", **{**MOVED, **fields})
