# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the result of an LDAP operation means for who reads a directory. See RFC 4511, section 4.1.9 and appendix A."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import unquote, urlsplit

SUCCESS = 0
SIZE_LIMIT = 4
REFERRAL = 10
_CAUSES: Mapping[int, str] = {
    1: "the directory failed (operationsError); bind with a bind_dn, or look at its log",
    3: "the directory's time limit was reached; raise it for the bind_dn, or give narrower bases",
    SIZE_LIMIT: "the directory's size limit was reached; lower page_size, or have it let the bind_dn read all by pages",
    7: "the directory takes no simple bind; have it take one",
    8: "the directory demands a bind that is protected; write ldaps://, or give start_tls: true",
    REFERRAL: "the directory refers to another one; name that one as the uri",
    11: "a limit of the directory's administrator was reached; lower page_size, or have the bind_dn excepted from it",
    12: "the directory does not read by pages; have it offer paged results, control 1.2.840.113556.1.4.319",
    13: "the directory demands TLS; write ldaps://, or give start_tls: true",
    18: "the directory does not know how to compare an attribute of the filter; correct the filter",
    32: "the base is not in the directory, or hidden from the bind_dn; correct the base, or have it let read",
    34: "the base is not a distinguished name; correct it",
    48: "the directory does not let this bind_dn in; correct bind_dn",
    49: "the directory does not take bind_dn and bind_password; correct them",
    50: "the bind_dn may not read; have it let read the bases",
    51: "the directory is busy; try again later",
    52: "the directory is unavailable; look at its log",
    53: "the directory is unwilling to do it; bind with a bind_dn, or look at its log",
}
# Parts of every Active Directory that a search of its top refers to, in which nobody has a mailbox.
_WITHOUT_MAIL = ("dc=domaindnszones,", "dc=forestdnszones,", "cn=configuration,", "cn=schema,")


def why_refused(code: int) -> str:
    """What is wrong by the result code of an operation, and what to do."""
    return _CAUSES.get(code, f"the directory answered with result code {code} of RFC 4511; look at its log")


def leads_to_mail(reference: str) -> bool:
    """Whether there may be mailboxes where a search is referred to; `reference` is an LDAP URL."""
    return not unquote(urlsplit(reference).path).lstrip("/").lower().startswith(_WITHOUT_MAIL)
