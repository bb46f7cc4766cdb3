# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads a source of type ldap: a directory such as OpenLDAP or Active Directory, page by page. Nothing is changed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.errors import SourceError
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.sources.addresses import reading_of
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.sources.bounds import bounded
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.sources.ldap_results import (
    SUCCESS,
    leads_to_mail,
    why_refused,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.sources.reading import Reading
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.ldap_directory import (
    BAD_FILTER,
    LdapAccess,
    LdapDirectory,
    LdapPage,
    LdapSearch,
    OpenDirectory,
    ldap3_directory,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.time_limit import within


def read_ldap(definition: Mapping[str, Any], open_directory: OpenDirectory = ldap3_directory) -> Reading:
    """What the directory says. Raises SourceError, also if it says only a part."""
    access = LdapAccess(
        uri=definition["uri"],
        start_tls=definition["start_tls"],
        ca_file=definition.get("ca_file") or "",
        bind_dn=definition.get("bind_dn") or "",
        bind_password=definition.get("bind_password") or "",
        seconds=definition["timeout"],
    )

    def read() -> Reading:
        entries = bounded(_values(definition, access, open_directory), access.uri)
        return reading_of(entries, definition["skip_invalid"], definition["default_domain"])

    return within(access.seconds, read, f"{access.uri} was not read within {access.seconds} s; raise timeout")


def _values(definition: Mapping[str, Any], access: LdapAccess, open_directory: OpenDirectory) -> Iterator[str]:
    attributes = definition["attributes"]
    wanted = definition.get("filter") or any_of(attributes)
    with open_directory(access) as directory:
        for base in definition["bases"]:
            search = LdapSearch(base, wanted, attributes, definition["page_size"])
            for page in _pages(directory, search, f"{access.uri} {base}"):
                yield from _texts(page, attributes, f"{access.uri} {base}")


def any_of(attributes: list[str]) -> str:
    """The filter by which entries are found that have one of the attributes. See RFC 4515."""
    return f"(|{''.join(f'({name}=*)' for name in attributes)})"


def _pages(directory: LdapDirectory, search: LdapSearch, place: str) -> Iterator[LdapPage]:
    """All pages. Raises SourceError unless each is whole."""
    cookie = b""
    while True:
        page = directory.page(search, cookie)
        if page.code == BAD_FILTER:
            raise SourceError(f"{place}: the filter is not one of RFC 4515; correct it")
        if page.code != SUCCESS:
            raise SourceError(f"{place}: {why_refused(page.code)}")
        if any(map(leads_to_mail, page.references)):
            raise SourceError(
                f"{place}: the directory refers to another one for a part of it; give bases without that part, or "
                "name a directory that has all of it, such as the global catalog of Active Directory at port 3269"
            )
        if page.cookie is None:
            raise SourceError(f"{place}: the directory did not say whether there are more pages; ask another server")
        yield page
        cookie = page.cookie
        if not cookie:
            return


def _texts(page: LdapPage, attributes: list[str], place: str) -> Iterator[str]:
    """The values of the attributes, also where they have a language. Raises SourceError for a part of the values."""
    wanted = {name.lower() for name in attributes}
    for entry in page.entries:
        for name, values in entry.items():
            bare, _semicolon, options = name.lower().partition(";")
            if bare not in wanted:
                continue
            if values and options.startswith("range="):
                raise SourceError(f"{place}: an entry has more values of {bare} than were sent; ask another server")
            for value in values:
                try:
                    yield value.decode()
                except UnicodeDecodeError:
                    raise SourceError(
                        f"{place}: an entry has a value of {bare} that is not UTF-8; correct it"
                    ) from None
