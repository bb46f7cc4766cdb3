# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from collections.abc import Sequence

import pytest

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.configuration.main_cf import (
    MainCf,
    check_name,
    default_text,
    level,
    list_items,
    main_cf_value,
    references,
    split_items,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.errors import HostError, InvalidInput

FILE = """# head
compatibility_level = 3.6

relay_domains = $mydestination,
    x.example, y.example,
# about z
    z.example
# tail
smtpd_banner=$myhostname ESMTP
mynetworks = 127.0.0.0/8
  [::1]/128
relay_domains= old.example
"""


def edited(text: str, method: str, *args: object) -> str:
    file = MainCf(text)
    getattr(file, method)(*args)
    return str(file)


def test_unedited_file_is_kept_to_the_byte() -> None:
    assert str(MainCf(FILE)) == FILE


def test_last_definition_wins_and_duplicates_are_told() -> None:
    file = MainCf(FILE)
    assert file.values == {
        "compatibility_level": "3.6",
        "relay_domains": "old.example",
        "smtpd_banner": "$myhostname ESMTP",
        "mynetworks": "127.0.0.0/8  [::1]/128",
    }
    assert file.duplicates == {"relay_domains": [4, 12]}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a = b\nfoo bar\n", 'main.cf, line 2: "foo bar" has no name and "="; correct or remove the line'),
        ("= b\n", 'main.cf, line 1: "= b" has no name and "="; correct or remove the line'),
    ],
)
def test_line_without_assignment_is_reported(text: str, message: str) -> None:
    with pytest.raises(HostError) as caught:
        MainCf(text)
    assert caught.value.message == message


@pytest.mark.parametrize(
    ("text", "value", "after"),
    [
        ("a = b\n", "c", "a = c\n"),
        ("a=b\n", "c", "a=c\n"),
        ("a =\n", "c", "a = c\n"),
        ("a = b\n", "", "a =\n"),
        ("a = b", "c", "a = c"),
        ("", "c", "a = c\n"),
        ("x = y", "c", "x = y\na = c"),
        ("a = b\n", "b", "a = b\n"),
        ("a = b  c\n", "b c", "a = b c\n"),
        ("a = b\n   c\n", "b c", "a = b\n   c\n"),
        ("a = b\n# why\n   c\nx = y\n", "c", "a = c\n# why\nx = y\n"),
        ("a = b\n# why\n   c", "c", "a = c\n# why"),
        ("a = 1\nx = y\na = 2\n", "2", "x = y\na = 2\n"),
        ("a = 1\n# why\n 2\nx = y\na = 2\n", "3", "# why\nx = y\na = 3\n"),
        ("a = b,c\n  d\n", ["b", "c", "d"], "a = b,c\n  d\n"),
        ("a = b,c\n", ["c", "b"], "a = c, b\n"),
        ("a = b\n", [], "a =\n"),
    ],
)
def test_set(text: str, value: str | Sequence[str], after: str) -> None:
    assert edited(text, "set", "a", value) == after


def test_long_list_is_written_one_member_a_line() -> None:
    items = [f"member{number}.domain.example" for number in range(4)]
    assert edited("", "set", "a", items) == "a = " + ", ".join(items) + "\n"
    items.append("check_client_access hash:/etc/postfix/clients")
    after = edited("", "set", "a", items)
    assert after == "a =\n" + ",\n".join("    " + item for item in items) + "\n"
    assert split_items(MainCf(after).values["a"]) == split_items(", ".join(items))
    assert edited(after, "set", "a", items) == after


def test_long_string_stays_on_one_line() -> None:
    text = "word " * 40 + "end"
    assert edited("", "set", "a", text) == f"a = {text}\n"


@pytest.mark.parametrize(
    ("text", "after"),
    [
        ("a = b\nx = y\n", "x = y\n"),
        ("a = b\n# in\n c\n# after\n", "# in\n# after\n"),
        ("a = 1\na = 2\n", ""),
        ("x = y\n", "x = y\n"),
        ("x = y\na = b", "x = y"),
        ("a = b\nx = y", "x = y"),
        ("x = y\na = b\n# in\n c", "x = y\n# in"),
    ],
)
def test_remove(text: str, after: str) -> None:
    assert edited(text, "remove", "a") == after


@pytest.mark.parametrize(
    ("text", "items", "after"),
    [
        ("a = b\n", ["c"], "a = b, c\n"),
        ("a = b c\n", ["d"], "a = b c d\n"),
        ("a = b c, d\n", ["e"], "a = b c, d, e\n"),
        ("a =\n", ["c"], "a = c\n"),
        ("a = b, c\n", ["c", "b"], "a = b, c\n"),
        ("a = b,\n  c,\n# last\n  d\nx = y\n", ["e", "f"], "a = b,\n  c,\n# last\n  d,\n  e,\n  f\nx = y\n"),
        ("a =\n  b\n  c\n", ["d"], "a =\n  b\n  c\n  d\n"),
        ("a = b,\n  c,\n", ["d"], "a = b,\n  c,\n  d,\n"),
        ("a = b,\n  c\n ,\n", ["d"], "a = b,\n  c,\n  d\n ,\n"),
        ("a = b  \n", ["c"], "a = b, c  \n"),
        ("a = \t\r\n", ["c"], "a = c \t\r\n"),
        ("a=", ["c"], "a=c"),
        ("a = b\n  c, d\n", ["e"], "a = b\n  c, d, e\n"),
        ("a = b\n  c d\n", ["e"], "a = b\n  c d e\n"),
        ("a =\n  check_x hash:/y,\n  check_y hash:/z\n", ["e"], "a =\n  check_x hash:/y,\n  check_y hash:/z,\n  e\n"),
        ("a = b\na = c\n", ["c"], "a = c\n"),
        ("a = check_x hash:/y, z\n", ["check_x hash:/y"], "a = check_x hash:/y, z\n"),
        ("a = hash:/y, z\n", ["check_x hash:/y"], "a = hash:/y, z, check_x hash:/y\n"),
        ("a = b", ["c"], "a = b, c"),
    ],
)
def test_add_items(text: str, items: list[str], after: str) -> None:
    assert edited(text, "add_items", "a", items) == after
    assert edited(after, "add_items", "a", items) == after


def test_added_item_that_would_make_the_line_long_begins_a_new_one() -> None:
    text = "a = " + "b" * 90 + "\n"
    assert edited(text, "add_items", "a", ["c" * 10]) == "a = " + "b" * 90 + ",\n    " + "c" * 10 + "\n"


def test_added_items_fill_a_line_up_to_a_hundred_characters() -> None:
    text, first = "a = " + "b" * 50, "c" * 20
    assert edited(text, "add_items", "a", [first, "d" * 22]) == f"{text}, {first}, {'d' * 22}"
    assert edited(text, "add_items", "a", [first, "d" * 23, "e" * 71]) == (
        f"{text}, {first},\n    {'d' * 23}, {'e' * 71}"
    )
    assert edited(text, "add_items", "a", [first, "d" * 23, "e" * 72]) == (
        f"{text}, {first},\n    {'d' * 23},\n    {'e' * 72}"
    )
    assert edited(f"{text}\n  c, d", "add_items", "a", ["e" * 92]) == f"{text}\n  c, d, {'e' * 92}"


@pytest.mark.parametrize(
    ("default", "items", "after"),
    [
        ("", ["b"], "a = b\n"),
        ("$mydestination", ["b"], "a = $mydestination, b\n"),
        ("b c", ["c"], ""),
    ],
)
def test_add_items_to_unset_parameter_keeps_what_its_default_means(default: str, items: list[str], after: str) -> None:
    assert edited("", "add_items", "a", items, default) == after


@pytest.mark.parametrize(
    ("text", "items", "after"),
    [
        ("a = b, c, d\n", ["c"], "a = b, d\n"),
        ("a = b, c, d\n", ["b"], "a = c, d\n"),
        ("a = b, c, d\n", ["d"], "a = b, c\n"),
        ("a = b, c, d\n", ["c", "d"], "a = b\n"),
        ("a = b, c, d\n", ["b", "d"], "a = c\n"),
        ("a = b, c, b\n", ["b"], "a = c\n"),
        ("a = b c d\n", ["c"], "a = b d\n"),
        ("a = b\n", ["b"], "a =\n"),
        ("a = b c \n", ["b", "c"], "a = \n"),
        ("a = b,\n# why\n  c\n", ["b", "c"], "a = \n# why\n"),
        ("a = b,\n  c,\n", ["c"], "a = b,\n"),
        ("a = b\n", ["c"], "a = b\n"),
        ("a = b,\n  c,\n# why\n  d\n", ["c"], "a = b,\n# why\n  d\n"),
        ("a = b,\n  c,\n# why\n  d\n", ["d"], "a = b,\n  c\n# why\n"),
        ("a = b,\n  c\n", ["b"], "a = \n  c\n"),
        ("a = b, c,\n  d\n", ["c"], "a = b,\n  d\n"),
        ("a = b\n  c, d\n", ["d"], "a = b\n  c\n"),
        ("a = b\n  c, d\n", ["c"], "a = b\n  d\n"),
        ("a = p, check_x hash:/y, q\n", ["check_x hash:/y"], "a = p, q\n"),
        ("a = p, hash:/y, q\n", ["check_x hash:/y"], "a = p, hash:/y, q\n"),
        ("a = b\na = b, c\n", ["b"], "a = c\n"),
        ("a = b,\n  c", ["c"], "a = b"),
        ("a = b,\n  c #d e\n", ["c"], "a = b, #d, e\n"),
    ],
)
def test_remove_items(text: str, items: list[str], after: str) -> None:
    assert edited(text, "remove_items", "a", items) == after
    assert edited(after, "remove_items", "a", items) == after


@pytest.mark.parametrize(("default", "after"), [("b c", "a = c\n"), ("b", "a =\n"), ("c", ""), ("", "")])
def test_remove_items_from_unset_parameter_takes_them_from_its_default(default: str, after: str) -> None:
    assert edited("", "remove_items", "a", ["b"], default) == after


def test_domains_are_compared_without_case_and_other_members_with_it() -> None:
    assert edited("relay_domains = X.example\n", "add_items", "relay_domains", ["x.example"]) == (
        "relay_domains = X.example\n"
    )
    assert edited("relay_domains = hash:/X\n", "add_items", "relay_domains", ["hash:/x"]) == (
        "relay_domains = hash:/X, hash:/x\n"
    )
    assert edited("transport_maps = X\n", "add_items", "transport_maps", ["x"]) == "transport_maps = X, x\n"


@pytest.mark.parametrize("end", ["", " ", "\n", " \n", "\t\r\n", ",\n", "\nz = 1\n# end"])
@pytest.mark.parametrize("value", ["a =", "a=", "a = b", "a=b,c", "a =\n  b,\n  c", "x = y"])
def test_members_that_are_added_to_any_list_leave_the_bytes_when_they_go(value: str, end: str) -> None:
    for items in (["d"], ["check_x hash:/y", "e"], ["d" * 90, "e" * 90]):
        text = value + end
        file = MainCf(text)
        file.add_items("a", items)
        if value == "x = y":
            file.remove("a")
        else:
            file.remove_items("a", items)
        assert str(file) == text


def test_edit_and_its_undo_give_back_the_bytes() -> None:
    text = "a = 1\nrelay_domains =\n    b,\n# why\n    c,\n\td\nz = 1\n"
    more = edited(text, "add_items", "relay_domains", ["e", "f"])
    assert more != text
    assert edited(more, "remove_items", "relay_domains", ["e", "f"]) == text


def test_excerpt_shows_the_named_parameters_alone() -> None:
    assert MainCf("a = 1\n 2\nb = 3\na = 4").excerpt(["a"]) == "a = 1\n 2\na = 4\n"


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (True, "yes"),
        (False, "no"),
        (0, "0"),
        ("", ""),
        ("  a b ", "a b"),
        ("a # b", "a # b"),
        ([True, 5, "a b"], ["yes", "5", "a b"]),
        ([], []),
    ],
)
def test_values_are_written_as_main_cf_takes_them(value: object, expected: object) -> None:
    assert main_cf_value(value, "parameters.a") == expected


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (
            None,
            'main.cf: parameters.a is null; give a value, "" for an explicitly empty one, '
            "or name the parameter in absent to remove it",
        ),
        ([None], None),
        (3.10, "main.cf: parameters.a is the number 3.1; quote it to keep every digit"),
        ({"b": 1}, "main.cf: parameters.a is a mapping; give a string, a number, true, false or a list"),
        (
            "b\nc",
            'main.cf: "b\\nc" (parameters.a) contains a line break or a control character; '
            "write it on one line, or give a list",
        ),
        ("b\x00c", None),
        (
            "# b",
            'main.cf: "# b" (parameters.a) begins with "#", which Postfix would take for a comment; '
            "remove it, or name the parameter in absent",
        ),
        (["b", "#c"], None),
        (["b", " "], "main.cf: parameters.a[1] is empty; remove it, or give the member that was meant"),
    ],
)
def test_values_that_postfix_could_not_read_back_are_refused(value: object, message: str | None) -> None:
    with pytest.raises(InvalidInput) as caught:
        main_cf_value(value, "parameters.a")
    assert message is None or caught.value.message == message


@pytest.mark.parametrize(
    ("items", "message"),
    [
        ("b", 'main.cf: add_items.a is "b"; give the members as a list'),
        (None, "main.cf: add_items.a is null; give the members as a list"),
        (
            ["b", "c, d"],
            'main.cf: "c, d" (add_items.a[1]) contains more than one member; give each as an item of its own',
        ),
        ([","], 'main.cf: "," (add_items.a[0]) contains more than one member; give each as an item of its own'),
        ([""], "main.cf: add_items.a[0] is empty; remove it, or give the member that was meant"),
    ],
)
def test_items_must_be_a_list_of_single_members(items: object, message: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        list_items(items, "add_items.a")
    assert caught.value.message == message


def test_item_of_several_words_or_in_braces_is_one_member() -> None:
    items = ["check_x hash:/y", "inline:{ a=b, c=d }"]
    assert list_items(items, "add_items.a") == items


@pytest.mark.parametrize("name", ["a b", "", "a=b", "$a", 7, None, "#a", "a\n"])
def test_names_that_are_none_are_refused(name: object) -> None:
    with pytest.raises(InvalidInput, match="is not a parameter name"):
        check_name(name, "parameters")


def test_references() -> None:
    assert references("$a ${b} ${c?d} $(e) $$f g") == {"a", "b", "c", "e", "f"}


@pytest.mark.parametrize(
    ("value", "compatibility_level", "text"),
    [
        ("${{$compatibility_level} <level {2} ? {$mydestination} : {}}", "0", "$mydestination"),
        ("${{$compatibility_level} <level {2} ? {$mydestination} : {}}", "3.6", ""),
        ("${{$compatibility_level} < {2} ? {$mydestination} :}", "1", "$mydestination"),
        ("${{$compatibility_level} < {2} ? {$mydestination} :}", "2", ""),
        ("${{$compatibility_level} < {1} ? {} : {permit_mynetworks, defer}}", "1", "permit_mynetworks, defer"),
        ("${{$compatibility_level} >=level {3.6} ? {yes} : {no}}", "3.10", "yes"),
        ("${{$compatibility_level} >level {3.6} ? {yes} : {no}}", "3.6", "no"),
        ("${{$compatibility_level} <=level {3.6} ? {yes} : {no}}", "3.6", "yes"),
        ("${{$compatibility_level} ==level {3.6} ? {yes} : {no}}", "3.6", "yes"),
        ("${{$mail_version} == {3.6} ? {yes} : {no}}", "3.6", "${{$mail_version} == {3.6} ? {yes} : {no}}"),
        ("$myhostname, localhost", "2", "$myhostname, localhost"),
    ],
)
def test_default_by_compatibility_level(value: str, compatibility_level: str, text: str) -> None:
    assert default_text(value, compatibility_level) == text


def test_level_is_compared_by_number() -> None:
    assert level("3.10") > level("3.9") > level("2") > level("0") == level("")


@pytest.mark.parametrize("text", ["a = b\n\0c = d\n", "a = b\nc = d\0e\n"])
def test_null_byte_is_told(text: str) -> None:
    with pytest.raises(HostError) as caught:
        MainCf(text, "/x/main.cf")
    assert str(caught.value) == "/x/main.cf, line 2: null byte, after which Postfix ignores text; remove it"


@pytest.mark.parametrize(
    ("text", "place", "expected"),
    [
        ("a = x y\n", 0, "a = c t, x y\n"),
        ("a =\n    x,\n    # note\n    y\n", 1, "a =\n    x,\n    # note\n    c t, y\n"),
        ("a=x, y", 2, "a=x, y, c t"),
    ],
)
def test_item_is_inserted_where_it_belongs_and_removed_to_the_byte(text: str, place: int, expected: str) -> None:
    file = MainCf(text)
    file.insert_item("a", "c t", place)
    assert str(file) == expected
    file.remove_items("a", ["c t"])
    assert str(file) == text
