# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reports of refused mail that wait on hold: which held messages are such, and what they say. See bounce(8).

A report is what bounce(8) of this host wrote, which its queue file proves: who else hands a message in leaves the name
of a client, or of a user, among the envelope records, where no content reaches. What follows is read in the order in
which bounce(8) writes it, and never searched for, since the original message at its end may hold anything.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.names import domain_of

# A report says all but the original message within so many bytes; some 5,000 recipients fit.
HEAD_BYTES = 4 << 20
REFUSED = "refused"
EXPIRED = "expired"
NOT_SENT = "not sent"
NOTICE = "delay notice"

_ENVELOPE = re.compile(rb"\*\*\* ENVELOPE RECORDS (hold/[^ \n]+) \*\*\*\n")
_CONTENTS = b"*** MESSAGE CONTENTS "
# What smtpd(8), qmqpd(8) and pickup(8) note of who handed a message in.
_HANDED_IN = re.compile(
    r"(?:log_)?(?:client|helo|protocol|server)_\w+|reverse_client_name|sasl_\w+|sender_fullname|log_ident"
)
_BOUNDARY = re.compile(r'boundary="([^"]+)"')
_WHOLE = ("message/rfc822", "message/global")
# What bounce(8) calls the sender of mail that had none.
_NOBODY = "MAILER-DAEMON"
_STATUS = re.compile(r"[245]\.\d{1,3}\.\d{1,3}")
_REPLY = re.compile(r"smtp; *([245]\d\d)\b", re.IGNORECASE)
# Why smtp(8) itself sends a message to no server.
_OUR_OWN = {"5.6.7": "SMTPUTF8 not offered", "5.3.4": "too large"}
CAUSES = (REFUSED, EXPIRED, *_OUR_OWN.values(), NOT_SENT, NOTICE)


class Incomplete(Exception):
    """The report goes on after what is known of it."""


class NoReport(Exception):
    """This is no report of mail that could not be delivered."""


@dataclass(frozen=True)
class Failure:
    """A recipient that did not get the message, and why: a class of causes, without any address."""

    recipient: str
    cause: str

    @property
    def domain(self) -> str:
        return domain_of(self.recipient).lower()


@dataclass(frozen=True)
class Report:
    """`path` is that of its file below the queue directory; `sender` that of the original message ("": none).

    `whole` says if the original message is in it, with its content. `start` is where in the message's content that
    begins, `end` what stands after it.
    """

    queue_id: str
    path: str
    sender: str
    failures: tuple[Failure, ...]
    whole: bool
    start: int
    end: bytes

    @property
    def is_notice(self) -> bool:
        """Whether the original message is still in the queue, and only late."""
        return all(failure.cause == NOTICE for failure in self.failures)


def parse_report(printed: bytes, queue_id: str, double_bounce: str, at_end: bool) -> Report:
    """The report at the beginning of what `postcat -q` prints. Raises NoReport if it is none.

    Raises Incomplete if more of it is needed, unless `at_end`. `double_bounce` is the local part of the address from
    which Postfix reports to the postmaster what came from nobody.
    """
    try:
        return _parse(printed, queue_id, double_bounce)
    except Incomplete:
        if at_end or len(printed) > HEAD_BYTES:
            raise NoReport from None
        raise


def _parse(printed: bytes, queue_id: str, double_bounce: str) -> Report:
    opening = _ENVELOPE.match(printed)
    if opening is None:
        raise Incomplete if b"\n" not in printed else NoReport
    marker = printed.find(b"\n" + _CONTENTS)
    if marker < 0:
        raise Incomplete
    to_postmaster = _is_to_postmaster(_text(printed[opening.end() : marker]), double_bounce)
    content = _line_after(printed, marker + 1)
    boundary, place = _own_header(printed, content, queue_id)
    separator = b"--" + boundary.encode("latin-1") + b"\n"
    place = _after(printed, separator, _after(printed, separator, place))
    fields, place = _block(printed, place)
    if fields.get("content-type") not in ("message/delivery-status", "message/global-delivery-status"):
        raise NoReport
    end = _after(printed, separator, place)
    blocks = [_fields(block) for block in printed[place : end - len(separator)].split(b"\n\n") if block.strip()]
    failures = tuple(_failures(blocks[1:]))
    if not failures:
        raise NoReport
    fields, start = _block(printed, end)
    return Report(
        queue_id=queue_id,
        path=_text(opening.group(1)),
        sender=_original_sender(blocks[0], to_postmaster),
        failures=failures,
        whole=fields.get("content-type") in _WHOLE and not any(failure.cause == NOTICE for failure in failures),
        start=_after_return_path(printed, start) - content,
        end=b"\n--" + boundary.encode("latin-1") + b"--\n",
    )


def _is_to_postmaster(envelope: str, double_bounce: str) -> bool:
    """Whether this host wrote the message to its postmaster, not to a sender. Raises NoReport if others wrote it."""
    found: dict[str, str] = {}
    for line in envelope.split("\n"):
        name, _colon, value = line.partition(": ")
        if name == "named_attribute":
            name, _equals, value = value.partition("=")
        found[name.rstrip(":")] = value
    sender = found.get("sender", "?")
    if found.get("log_message_origin") != "local" or any(_HANDED_IN.fullmatch(name) for name in found):
        raise NoReport
    if sender and sender.rpartition("@")[0] != double_bounce:
        raise NoReport
    return bool(sender)


def _own_header(printed: bytes, content: int, queue_id: str) -> tuple[str, int]:
    """The boundary that the header of the report names, and where its body begins. Raises NoReport."""
    place = printed.find(b"\n\n", content)
    if place < 0:
        raise Incomplete
    header = _unfolded(_text(printed[content:place]))
    received = [value for name, value in header if name == "received"]
    kinds = [value for name, value in header if name == "content-type"]
    if len(received) != 1 or not re.search(rf"\bid {re.escape(queue_id)};", received[0]) or len(kinds) != 1:
        raise NoReport
    boundary = _BOUNDARY.search(kinds[0])
    if not kinds[0].startswith("multipart/report; report-type=delivery-status") or boundary is None:
        raise NoReport
    return boundary.group(1), place + 2


def _failures(blocks: Sequence[Mapping[str, str]]) -> Iterator[Failure]:
    for fields in blocks:
        kind, _semicolon, address = fields.get("final-recipient", "").partition(";")
        if kind.strip().lower() in ("rfc822", "utf-8") and fields.get("action") in ("failed", "delayed"):
            yield Failure(_as_printed(address.strip()), _cause(fields))


def _cause(fields: Mapping[str, str]) -> str:
    """The class of a cause: `refused: 550 5.7.1`."""
    status = fields.get("status", "")
    status = status if _STATUS.fullmatch(status) else ""
    reply = _REPLY.match(fields.get("diagnostic-code", ""))
    if fields["action"] == "delayed":
        return NOTICE
    if status.startswith("4."):
        kind = EXPIRED
    elif reply:
        kind = REFUSED
    else:
        kind = _OUR_OWN.get(status, NOT_SENT)
    code = " ".join(part for part in (reply.group(1) if reply else "", status) if part)
    return f"{kind}: {code}" if code else kind


def _sender(fields: Mapping[str, str]) -> str:
    """The original message's sender. The name of the field contains that of the mail system, which can be changed."""
    named = [value for name, value in fields.items() if re.fullmatch(r"x-.+-sender", name)]
    if len(named) != 1:
        raise NoReport
    return _as_printed(named[0].partition(";")[2].strip())


def _original_sender(fields: Mapping[str, str], to_postmaster: bool) -> str:
    """The original message's sender, "" if it had none, of which the postmaster is told. Raises NoReport if this is the
    postmaster's copy of a report."""
    sender = _sender(fields)
    if not to_postmaster:
        return sender
    if sender.rpartition("@")[0] != _NOBODY:
        raise NoReport
    return ""


def _after_return_path(printed: bytes, place: int) -> int:
    """bounce(8) puts one Return-Path before the original message, of which cleanup(8) had dropped any other."""
    if printed.startswith(b"Return-Path: ", place):
        return _line_after(printed, place)
    if len(printed) - place < len(b"Return-Path: "):
        raise Incomplete
    return place


def _block(printed: bytes, place: int) -> tuple[dict[str, str], int]:
    """The header fields at this place, and where what follows them begins."""
    end = printed.find(b"\n\n", place)
    if end < 0:
        raise Incomplete
    return _fields(printed[place:end]), end + 2


def _fields(block: bytes) -> dict[str, str]:
    return dict(_unfolded(_text(block)))


def _unfolded(text: str) -> list[tuple[str, str]]:
    """Header fields, the names in lower case."""
    found: list[tuple[str, str]] = []
    for line in text.split("\n"):
        if line[:1] in (" ", "\t") and found:
            found[-1] = (found[-1][0], f"{found[-1][1]} {line.strip()}")
        else:
            name, _colon, value = line.partition(":")
            found.append((name.lower(), value.strip()))
    return found


def _after(printed: bytes, line: bytes, place: int) -> int:
    """Where what follows that line begins."""
    found = printed.find(b"\n" + line, place - 1)
    if found < 0:
        raise Incomplete
    return found + 1 + len(line)


def _line_after(printed: bytes, place: int) -> int:
    end = printed.find(b"\n", place)
    if end < 0:
        raise Incomplete
    return end + 1


def _text(octets: bytes) -> str:
    """Each byte as one character, so that nothing but what is ASCII here has a meaning."""
    return octets.decode("latin-1")


def _as_printed(text: str) -> str:
    return text.encode("latin-1").decode("utf-8", "surrogateescape")
