# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Searches LDAP directories, through python3-ldap3. It is imported only when one is searched."""

from __future__ import annotations

import ssl
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any, Callable, Protocol
from urllib.parse import unquote, urlsplit

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.errors import SourceError
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.families import LDAP3
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.sources.ldap_results import SUCCESS, why_refused
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.sources.network_errors import why_unreached
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.checked_tls import (
    checked_certificates,
    why_no_tls,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.libraries import library

# Of a filter that ldap3 can't parse, no directory is asked.
BAD_FILTER = -1
# Where Debian's OpenLDAP listens for `ldapi:///`.
SOCKET = "/run/slapd/ldapi"
_PAGES = "1.2.840.113556.1.4.319"


@dataclass(frozen=True)
class LdapAccess:
    """How a directory is reached: `ldaps://`, `ldap://` or `ldapi://`, anonymously without a `bind_dn`."""

    uri: str
    start_tls: bool = False
    ca_file: str = ""
    bind_dn: str = ""
    bind_password: str = field(default="", repr=False)
    seconds: int = 60


@dataclass(frozen=True)
class LdapSearch:
    """What is searched for: the attributes of all that matches the filter below a base, so many entries a page."""

    base: str
    filter: str
    attributes: Sequence[str]
    page_size: int


@dataclass(frozen=True)
class LdapPage:
    """A page of what was found.

    `code` is the result of RFC 4511. Of each entry there are the attributes by their names. `references` are where
    else there is more. `cookie` asks for the next page: empty on the last one, None if the directory did not say.
    """

    code: int
    entries: Sequence[Mapping[str, Sequence[bytes]]] = ()
    references: Sequence[str] = ()
    cookie: bytes | None = b""


class LdapDirectory(Protocol):
    """The port: an open connection."""

    def page(self, search: LdapSearch, cookie: bytes) -> LdapPage:
        """The page that the cookie asks for, the first if it is empty. Raises SourceError if the connection breaks."""


# Raises SourceError where the directory is not reached, is not who it should be, or does not take the bind.
OpenDirectory = Callable[[LdapAccess], AbstractContextManager[LdapDirectory]]


@contextmanager
def ldap3_directory(access: LdapAccess) -> Iterator[LdapDirectory]:
    """A connection by ldap3, closed after the block. It follows no referral, which would take the password along."""
    ldap3 = library(LDAP3)
    certificates = _Certificates(access)
    connection = ldap3.Connection(
        _server(ldap3, access, certificates),
        user=access.bind_dn or None,
        password=access.bind_password or None,
        auto_referrals=False,
        check_names=False,
        read_only=True,
        receive_timeout=access.seconds,
    )
    try:
        _begin(connection, access)
    except (ldap3.core.exceptions.LDAPException, OSError, TypeError) as error:
        raise SourceError(f"{access.uri}: {_why_unreached(error, certificates)}") from None
    try:
        yield Ldap3Directory(ldap3, connection, access.uri)
    finally:
        connection.strategy.close()


class _Certificates:
    """TLS as the standard library checks it, names and addresses too, in place of ldap3's own way."""

    def __init__(self, access: LdapAccess) -> None:
        self._host = urlsplit(access.uri).hostname
        self._tls = access.start_tls or access.uri.lower().startswith("ldaps:")
        self._context = checked_certificates(access.ca_file) if self._tls else None
        self.failure = ""

    def wrap_socket(self, connection: Any, do_handshake: bool = True) -> None:
        """What ldap3 calls to begin TLS on a connection."""
        if self._context is None:
            raise ssl.SSLError("TLS was not asked for: no handshake")
        try:
            connection.socket = self._context.wrap_socket(
                connection.socket, do_handshake_on_connect=do_handshake, server_hostname=self._host
            )
        except OSError as error:
            self.failure = str(error) or type(error).__name__
            raise


def _server(ldap3: ModuleType, access: LdapAccess, certificates: _Certificates) -> Any:
    where = urlsplit(access.uri)
    how = {"connect_timeout": access.seconds, "get_info": ldap3.NONE}
    if where.scheme == "ldapi":
        return ldap3.Server(f"ldapi://{unquote(where.netloc or where.path.rstrip('/')) or SOCKET}", **how)
    tls = ldap3.Tls(validate=ssl.CERT_REQUIRED)
    tls.wrap_socket = certificates.wrap_socket
    return ldap3.Server(where.hostname, port=where.port, use_ssl=where.scheme == "ldaps", tls=tls, **how)


def _begin(connection: Any, access: LdapAccess) -> None:
    """Connects and binds. Raises SourceError, or what ldap3 raises."""
    connection.open(read_server_info=False)
    if access.start_tls:
        connection.start_tls(read_server_info=False)
    if not connection.bind(read_server_info=False):
        raise SourceError(f"{access.uri}: {why_refused(connection.result['result'])}")


def _why_unreached(error: Exception, certificates: _Certificates) -> str:
    said = certificates.failure or str(error)
    if "startTLS failed" in said:
        return "the directory refuses StartTLS; write ldaps://, or have TLS set up there"
    return why_no_tls(said) or why_unreached(said)


class Ldap3Directory:
    """A connection by ldap3 that is bound."""

    def __init__(self, ldap3: ModuleType, connection: Any, uri: str) -> None:
        self._exceptions = ldap3.core.exceptions
        self._subtree = ldap3.SUBTREE
        self._connection = connection
        self._uri = uri

    def page(self, search: LdapSearch, cookie: bytes) -> LdapPage:
        try:
            self._connection.search(
                search.base,
                search.filter,
                search_scope=self._subtree,
                attributes=list(search.attributes),
                paged_size=search.page_size,
                paged_criticality=True,
                paged_cookie=cookie or None,
            )
        except self._exceptions.LDAPInvalidFilterError:
            return LdapPage(BAD_FILTER)
        except (self._exceptions.LDAPException, OSError) as error:
            raise SourceError(f"{self._uri}: {why_unreached(str(error))}") from None
        return _page(self._connection)


def _page(connection: Any) -> LdapPage:
    result = connection.result
    found = connection.response or ()
    control = (result.get("controls") or {}).get(_PAGES)
    return LdapPage(
        result["result"],
        [dict(entry["raw_attributes"]) for entry in found if entry["type"] == "searchResEntry"],
        [uri for entry in found if entry["type"] == "searchResRef" for uri in entry["uri"]],
        control["value"]["cookie"] or b"" if control else None if result["result"] == SUCCESS else b"",
    )
