# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module main_cf on a real Postfix: check mode, apply, again, absent, and every error."""

from __future__ import annotations

from typing import Any

import pytest

from integration.host import Host, succeeded

MAIN_CF = "/etc/postfix/main.cf"
# u::rw-, u:1:r--, g::r--, m::r--, o::---; see acl(5), and linux/posix_acl_xattr.h for the form.
ACL = "0200000001000600ffffffff020004000100000004000400ffffffff10000400ffffffff20000000ffffffff"
SET_ACL = "import os, sys; os.setxattr(sys.argv[1], 'system.posix_acl_access', bytes.fromhex(sys.argv[2]))"
GET_ACL = "import os, sys; print(os.getxattr(sys.argv[1], 'system.posix_acl_access').hex())"


def main_cf(host: Host, check: bool = False, **arguments: Any) -> dict[str, Any]:
    return host.run("main_cf", arguments, check)


def test_check_apply_again_absent(host: Host) -> None:
    request = {
        "parameters": {"maximal_queue_lifetime": "10d", "soft_bounce": True},
        "add_items": {"relay_domains": ["x.example"]},
    }
    pristine, before = host.text(MAIN_CF), host.state()
    checked = succeeded(main_cf(host, check=True, **request))
    assert host.state() == before
    applied = succeeded(main_cf(host, **request))
    assert (checked["changed"], checked["diff"], checked["changed_parameters"]) == (
        True, applied["diff"], applied["changed_parameters"],
    )  # fmt: skip
    assert applied["changed_parameters"] == {
        "maximal_queue_lifetime": {"before": None, "after": "10d"},
        "relay_domains": {"before": None, "after": "x.example"},
        "soft_bounce": {"before": None, "after": "yes"},
    }
    shown = host.on("postconf", "maximal_queue_lifetime", "relay_domains", "soft_bounce")
    assert shown == "maximal_queue_lifetime = 10d\nrelay_domains = x.example\nsoft_bounce = yes\n"
    after = host.state()
    assert succeeded(main_cf(host, **request))["changed"] is False
    assert host.state() == after
    gone = {"absent": ["maximal_queue_lifetime", "soft_bounce", "relay_domains"]}
    assert succeeded(main_cf(host, **gone))["changed"] is True
    assert host.text(MAIN_CF) == pristine
    assert succeeded(main_cf(host, **gone))["changed"] is False


def test_parameter_at_its_default_is_told_from_one_set_to_it(host: Host) -> None:
    applied = succeeded(main_cf(host, parameters={"soft_bounce": "no"}))
    assert applied["changed_parameters"] == {"soft_bounce": {"before": None, "after": "no"}}
    assert applied["diff"][0]["before"] == ""
    assert applied["diff"][0]["after"] == "soft_bounce = no\n"
    assert succeeded(main_cf(host, parameters={"soft_bounce": "NO"}))["changed"] is False


def test_everything_about_the_file_but_the_change_is_kept(host: Host) -> None:
    before = host.text(MAIN_CF)
    host.shell(
        f"mv {MAIN_CF} /etc/postfix/elsewhere && ln -s elsewhere {MAIN_CF} && chown root:postfix /etc/postfix/elsewhere"
        " && chmod 0640 /etc/postfix/elsewhere && touch -d '1 minute ago' /etc/postfix/elsewhere"
    )
    host.on("python3", "-c", SET_ACL, "/etc/postfix/elsewhere", ACL)
    succeeded(main_cf(host, parameters={"soft_bounce": True}))
    assert host.text(MAIN_CF) == before + "soft_bounce = yes\n"
    assert host.on("readlink", MAIN_CF) == "elsewhere\n"
    assert host.on("stat", "-c", "%U %G %a %F", "/etc/postfix/elsewhere") == "root postfix 640 regular file\n"
    assert host.on("python3", "-c", GET_ACL, "/etc/postfix/elsewhere").strip() == ACL


def test_bytes_that_are_not_utf_8_are_kept_and_told_by_their_number(host: Host) -> None:
    lines = "relay_domains = a.example,\\n# caf\\351\\n  b.example\\nmail_name = caf\\351\\n"
    host.shell(f"printf '{lines}' >> /etc/postfix/main.cf && touch -d '1 minute ago' /etc/postfix/main.cf")
    for check in (True, False):
        arguments = {"add_items": {"relay_domains": ["c.example"]}, "parameters": {"mail_name": "Postfix"}}
        result = succeeded(host.run("main_cf", arguments, check))
        assert result["changed_parameters"]["mail_name"] == {"before": "caf\\xe9", "after": "Postfix"}
        assert "# caf\\xe9\n" in result["diff"][0]["before"]
    assert host.on("postconf", "-h", "relay_domains") == "a.example, b.example, c.example\n"
    assert host.shell("grep -c \"$(printf '^# caf\\351$')\" /etc/postfix/main.cf") == "1\n"
    assert succeeded(host.run("postfix_info", {}))["parameters"]["mail_name"] == "Postfix"


def test_hard_link_is_warned_of(host: Host) -> None:
    host.on("ln", MAIN_CF, "/etc/postfix/other")
    warnings = succeeded(main_cf(host, parameters={"soft_bounce": True}))["warnings"]
    assert any("1 other hard links" in str(warning) for warning in warnings)
    assert "soft_bounce" not in host.text("/etc/postfix/other")


def test_duplicates_are_cleaned_up_when_managed_and_told_otherwise(host: Host) -> None:
    host.shell(f"cat >> {MAIN_CF}", given="soft_bounce = yes\nmail_name = a\nmail_name = b\nsoft_bounce =\n  no\n")
    result = succeeded(main_cf(host, parameters={"soft_bounce": "yes"}))
    assert host.text(MAIN_CF).endswith("mail_name = a\nmail_name = b\nsoft_bounce = yes\n")
    assert any("mail_name is set on lines" in str(warning) for warning in result["warnings"])


def test_list_edit_keeps_foreign_members_order_and_layout(host: Host) -> None:
    layout = "mydestination = $myhostname,\n    hash:/etc/postfix/local\n# about z\n    z.example, /etc/postfix/more\n"
    host.write(MAIN_CF, f"compatibility_level = 3.6\n{layout}")
    edit = {"add_items": {"mydestination": ["new.example"]}, "remove_items": {"mydestination": ["z.example"]}}
    succeeded(main_cf(host, **edit))
    assert host.on("postconf", "-h", "mydestination") == (
        "$myhostname, hash:/etc/postfix/local /etc/postfix/more, new.example\n"
    )
    back = {"add_items": {"mydestination": ["z.example"]}, "remove_items": {"mydestination": ["new.example"]}}
    succeeded(main_cf(host, **back))
    assert "# about z\n" in host.text(MAIN_CF)


def test_unused_and_undefined_parameters_are_warnings(host: Host) -> None:
    host.shell(f"cat >> {MAIN_CF}; touch -d '1 minute ago' {MAIN_CF}", given="theirs = 5\n")
    for check in (True, False):
        result = succeeded(main_cf(host, check, parameters={"transport_maps": "$undefined_one"}))
        told = [str(warning) for warning in result["warnings"]]
        assert any("/etc/postfix/main.cf: unused parameter: theirs=5" in warning for warning in told), told
        assert any("/etc/postfix/main.cf: undefined parameter: undefined_one" in warning for warning in told), told


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"parameters": {"soft_bounce": "a\nb"}}, "contains a line break"),
        ({"parameters": {"mail_name": "# x"}}, 'begins with "#"'),
        ({"parameters": {"mail_name": None}}, "is null"),
        ({"parameters": {"soft_bonce": "yes"}}, 'did you mean "soft_bounce"?'),
        ({"parameters": {"soft_bounce": "maybe"}}, "is neither yes nor no"),
        ({"parameters": {"maximal_queue_lifetime": "5 days"}}, "is not a time"),
        ({"parameters": {"message_size_limit": "10M"}}, "is not a whole number"),
        ({"parameters": {"smtpd_timeout": "1.5h"}}, "is not a time"),
        ({"parameters": {"smtpd_hard_error_limit": "many"}}, "is not a whole number"),
        ({"add_items": {"mynetworks": ["10.0.0.1/8"]}}, "has bits set beyond its mask; write 10.0.0.0/8"),
        ({"parameters": {"mynetworks": "::1/128"}}, "write [::1]/128"),
        ({"parameters": {"transport_maps": "/etc/postfix/transport"}}, "has no table type"),
        ({"parameters": {"transport_maps": "hush:/etc/postfix/transport"}}, 'no lookup tables of type "hush"'),
        ({"parameters": {"smtpd_client_restrictions": "permit_mynetwork"}}, 'did you mean "permit_mynetworks"?'),
        ({"parameters": {"smtpd_client_restrictions": "check_client_access"}}, "has no table after it"),
        ({"parameters": {"unverified_recipient_tempfail_action": "permit"}}, "is not one of defer, defer_if_permit"),
        ({"parameters": {"mail_name": "x"}, "absent": ["mail_name"]}, "is in parameters and in absent"),
        ({"absent": ["a b"]}, "is not a parameter name"),
        ({"add_items": {"relay_domains": "x.example"}}, "give the members as a list"),
        ({"parameters": {"mail_name": "x"}, "config_directory": "/nowhere"}, "/nowhere/main.cf does not exist"),
    ],
)
def test_error_leaves_everything_as_it_was(host: Host, arguments: dict[str, Any], message: str) -> None:
    before = host.state()
    for check in (True, False):
        result = main_cf(host, check, **arguments)
        assert result["failed"] is True, result
        assert message in result["msg"]
    assert host.state() == before


def test_computed_list_is_refused_while_unset(host: Host) -> None:
    host.on("postconf", "-X", "mynetworks")
    assert "Postfix computes it" in main_cf(host, add_items={"mynetworks": ["10.0.0.0/8"]})["msg"]


def test_file_that_postfix_could_not_read_is_reported_with_its_line_and_left_alone(host: Host) -> None:
    host.shell(f"echo nonsense >> {MAIN_CF}")
    before = host.state()
    assert 'has no name and "="' in main_cf(host, parameters={"soft_bounce": True})["msg"]
    assert host.state() == before


def test_value_that_only_postfix_can_judge_is_refused_by_postfix_check(host: Host) -> None:
    before, live = host.state(), host.state("/var/spool/postfix")
    result = main_cf(host, parameters={"mail_owner": "nobody_at_all"})
    assert result["failed"] is True
    assert result["msg"].startswith("/etc/postfix/main.cf: Postfix does not accept the outcome: ")
    # Before 3.10, postfix says it to the mail log only.
    assert "nobody_at_all" in result["msg"] or "the mail log says why" in result["msg"]
    assert host.state() == before
    assert host.state("/var/spool/postfix") == live


def test_staging_leaves_queue_and_data_alone(host: Host) -> None:
    before = [host.state(directory) for directory in ("/var/spool/postfix", "/var/lib/postfix")]
    succeeded(main_cf(host, parameters={"soft_bounce": True}))
    assert [host.state(directory) for directory in ("/var/spool/postfix", "/var/lib/postfix")] == before
    assert host.shell("ls -d /tmp/mxrelay* /etc/postfix/.mxrelay* /etc/postfix/*.tmp 2>/dev/null || true") == ""


def test_configuration_that_postfix_refused_before_may_be_mended_in_steps(host: Host) -> None:
    host.shell(f"echo 'mail_owner = nobody_at_all' >> {MAIN_CF}; touch -d '1 minute ago' {MAIN_CF}")
    result = succeeded(main_cf(host, parameters={"soft_bounce": True}))
    assert any("did not accept the configuration before" in str(warning) for warning in result["warnings"])
    assert succeeded(main_cf(host, absent=["mail_owner"]))["changed"] is True
