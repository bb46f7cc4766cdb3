# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.errors import InvalidInput, SourceError
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.sources.http_urls import (
    Pages,
    plain_url,
    same_server,
    shown_url,
    with_parameter,
)

URL = "https://api.example/users?$top=2"


def test_url_is_encoded_where_it_has_to_be() -> None:
    assert plain_url(" https://api.example/u?$filter=a eq 'b'&x=%20ä#there ") == (
        "https://api.example/u?$filter=a%20eq%20'b'&x=%20%C3%A4"
    )


def test_what_may_be_secret_in_a_url_is_not_shown() -> None:
    assert shown_url("https://me:secret@api.example:8443/users?key=secret#x") == "https://api.example:8443/users"


@pytest.mark.parametrize(
    ("other", "same"),
    [
        ("https://API.example:443/other", True),
        ("http://api.example/users", False),
        ("https://api.example:8443/users", False),
        ("https://api.example.evil.example/users", False),
        ("https://api.example@evil.example/users", False),
        ("https://api.example:x/users", False),
    ],
)
def test_server_is_scheme_host_and_port(other: str, same: bool) -> None:
    assert same_server(URL, other) is same


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://api.example/u", "https://api.example/u?t=a%2Fb%20%26"),
        ("https://api.example/u?a=1&t=old&$x=y,z", "https://api.example/u?a=1&$x=y,z&t=a%2Fb%20%26"),
    ],
)
def test_parameter_takes_the_place_of_another(url: str, expected: str) -> None:
    assert with_parameter(url, "t", "a/b &") == expected


def test_source_without_paging_has_one_page() -> None:
    assert Pages(URL).after({"next": "https://api.example/2"}, "it") == ""


def test_link_leads_to_the_next_page() -> None:
    pages = Pages(URL, "@odata.nextLink")
    assert pages.after({"@odata.nextLink": "https://api.example/users?$skiptoken=X'1'"}, "it") == (
        "https://api.example/users?$skiptoken=X'1'"
    )
    assert pages.after({"@odata.nextLink": "/users?$skiptoken=2"}, "it") == "https://api.example/users?$skiptoken=2"
    assert [pages.after(document, "it") for document in ({}, {"@odata.nextLink": None}, {"@odata.nextLink": ""})] == [
        "",
        "",
        "",
    ]


def test_token_leads_to_the_next_page() -> None:
    pages = Pages("https://api.example/u?max=2", next_token={"place": "meta.next", "parameter": "pageToken"})
    assert pages.after({"meta": {"next": "a=b"}}, "it") == "https://api.example/u?max=2&pageToken=a%3Db"
    assert pages.after({"meta": {"next": 7}}, "it") == "https://api.example/u?max=2&pageToken=7"
    assert [pages.after(document, "it") for document in ({}, {"meta": {"next": False}}, [])] == ["", "", ""]


@pytest.mark.parametrize(
    ("link", "why"),
    [
        ("https://evil.example/users", "it names a next page of another server, which is not asked; correct next_link"),
        ("http://api.example/users", "it names a next page of another server, which is not asked; correct next_link"),
        ("//evil.example/users", "it names a next page of another server, which is not asked; correct next_link"),
        (URL, "it leads back to a page that was read; correct how the source is paged"),
        ({"href": "/2"}, "it has neither text nor a number at next; correct how the source is paged"),
        (True, "it has neither text nor a number at next; correct how the source is paged"),
    ],
)
def test_link_that_must_not_be_followed_fails(link: Any, why: str) -> None:
    with pytest.raises(SourceError) as caught:
        Pages(URL, "next").after({"next": link}, "it")
    assert caught.value.message == why


def test_pages_that_lead_in_a_circle_fail() -> None:
    by_link, by_token = Pages(URL, "next"), Pages(URL, next_token={"place": "next", "parameter": "t"})
    for pages in (by_link, by_token):
        assert pages.after({"next": "2"}, "it")
        assert pages.after({"next": "3"}, "it")
        with pytest.raises(SourceError, match="^it leads back to a page that was read; "):
            pages.after({"next": "2"}, "it")


def test_place_of_the_next_page_is_no_list() -> None:
    with pytest.raises(InvalidInput) as caught:
        Pages(URL, "links[].href")
    assert caught.value.message == "next_link is a place with a list; give one such as meta.next"
    with pytest.raises(InvalidInput, match="^next_token.place is a place with a list; "):
        Pages(URL, next_token={"place": "a[]", "parameter": "t"})
