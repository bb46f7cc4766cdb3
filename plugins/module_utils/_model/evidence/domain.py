# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The evidence about a host's relay domains, beyond what a plan of the host needs: facts only, no judgement."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.answers import Answer
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.canary import CanaryEvidence
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.host import Capture, MxRecord
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.lists import DriftEvidence, ListEvidence
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.names import bare_host, hops_of

# What a domain is declared as.
PRIMARY = "primary"
SECONDARY = "secondary"
PRESENT = "present"
ABSENT = "absent"


@dataclass(frozen=True)
class Talk:
    """What one sender was told without a message. `failure` says why there was none, or why it ended early.

    `guise` is by what the client said that it is another one: `XCLIENT`, `PROXY`, or "" for itself.
    """

    server: str
    failure: str = ""
    banner: Answer | None = None
    extensions: Mapping[str, str] = field(default_factory=dict)
    mail: Answer | None = None
    recipients: Mapping[str, Answer] = field(default_factory=dict)
    sender: str = ""
    port: int = 25
    guise: str = ""
    # Whether the port was open, though nobody may have greeted there.
    connected: bool = False
    # The address of this host that the connection came from.
    client: str = ""
    # For how many seconds the server held back the end of a greeting of several lines, as postscreen does.
    held_back: float = 0.0
    # What it said to MAIL before TLS was begun, if it demanded that.
    tls_demanded: Answer | None = None
    # Whether another connection was open at the time.
    again: bool = False


@dataclass
class DomainEvidence:
    """What is known of one domain. `answer` is what transport_maps says for its mail, None where it says nothing.

    `declared` is what the inventory declares it as: a role, ABSENT, or "" if no role has it. None: nobody was asked.
    """

    name: str
    relayed: str = ""
    declared: str | None = None
    classes: Mapping[str, str] = field(default_factory=dict)
    recipients: int = 0
    # Of those without the postmaster, "" if there are none.
    recipients_digest: str = ""
    # Whether a wildcard row says that every recipient is to be known.
    wildcard: bool = False
    other_maps: bool = False
    # Whether smtpd asks the mail host about its recipients.
    verified: bool = False
    answer: Capture | None = None
    # relay_transport, which sends its mail where the answer does not say how.
    relay_transport: str = ""
    nexthop_addresses: Sequence[str] = ()
    # The MX records of a nexthop without brackets; None where they were not asked for, or no answer came.
    nexthop_exchangers: Sequence[MxRecord] | None = None
    # Whether DNS answered that the nexthop has neither address nor, where they are asked for, MX records.
    nexthop_unknown: bool = False
    exchangers: Sequence[MxRecord] | None = None
    # address of this host in its MX records -> why nothing answers on port 25 there, if Postfix is on another port only
    silent: Mapping[str, str] = field(default_factory=dict)
    # Whether DNS was asked for its MX records.
    asked: bool = False
    # How many of its addresses have transport rows of their own, and whether all the recipients that are listed have.
    routed_addresses: int = 0
    all_routed: bool = False
    # The text of its MTA-STS policy, "" where it has one that can't be fetched, None where it has none.
    policy: str | None = None
    # What its mail host answered to this host, to the sender `<>`; None where it was not asked.
    talk: Talk | None = None
    # What it answered to other senders.
    sender_talks: Sequence[Talk] = ()
    # What it answered to all of them by a second connection, made while the first was open.
    talks_again: Sequence[Talk] = ()
    # delimiter -> the listed recipient that the mail host was asked about, with something behind that delimiter
    tagged: Mapping[str, str] = field(default_factory=dict)
    # Whether this host logs in to its mail host, which may refuse it otherwise.
    logs_in: bool = False
    # Why no certificate of the mail host satisfies the service that sends the domain's mail, which demands one.
    untrusted: str = ""
    # What became of the last canary, None where none was sent.
    canary: CanaryEvidence | None = None
    # The seconds until its first queued message bounces, None if nothing waits, or nobody looked.
    to_first_bounce: float | None = None
    # The sources that its list follows, None if it follows none, or nobody looked.
    followed: ListEvidence | None = None
    # What its mail host said of addresses of that list, None where it was not asked, or knows no unknown ones.
    drift: DriftEvidence | None = None
    # The listed recipient that the mail host was asked about, "" where none is known.
    probe_recipient: str = ""
    # Which of the hosts of its route this is about, and the evidence about those after the first.
    hop: int = 0
    others: Sequence[DomainEvidence] = ()

    @property
    def role(self) -> str:
        """The role that this host has for it: a primary sends its mail to the host that a transport row names."""
        nexthop = self.answer.result.partition(":")[2] if self.answer else ""
        return PRIMARY if bare_host(nexthop) else SECONDARY

    @property
    def transport(self) -> str:
        """The name of the delivery agent in the transport's answer, "" where that leaves it to the domain's class."""
        return self.answer.result.partition(":")[0] if self.answer else ""

    @property
    def route(self) -> str:
        """The delivery agent and what it is given, as `agent:nexthop`: of the answer, else of relay_transport.

        Without a nexthop the domain's own MX records decide, or relayhost. See transport(5).
        """
        agent, _colon, nexthop = self.answer.result.partition(":") if self.answer else ("", "", "")
        default, _colon, host = self.relay_transport.partition(":")
        if agent:
            return f"{agent}:{nexthop}"
        return f"{default or 'relay'}:{nexthop or host}"

    @property
    def agent(self) -> str:
        """The name of the delivery agent that sends its mail."""
        return self.route.partition(":")[0]

    @property
    def hops(self) -> list[str]:
        """The hosts of its route, as they are written, in the order in which they are tried."""
        return hops_of(self.route.partition(":")[2])

    @property
    def hop_text(self) -> str:
        """The host of its route that this is about, as it is written; "" where it names none."""
        return "".join(self.hops[self.hop : self.hop + 1])

    @property
    def nexthop(self) -> str:
        """The host that its mail is sent to, "" where the domain's own MX records decide."""
        return bare_host(self.hop_text)

    @property
    def bracketed(self) -> bool:
        """Whether the nexthop is taken as it is, without a lookup of its MX records."""
        return self.hop_text.startswith("[")

    def with_others(self) -> DomainEvidence:
        """This, with evidence of its own about each host of the route after the first."""
        self.others = tuple(replace(self, hop=hop) for hop in range(1, len(self.hops)))
        return self


def each_hop(domains: Iterable[DomainEvidence]) -> list[DomainEvidence]:
    """The evidence about each host that mail of these domains is sent to, one after the other."""
    return [hop for domain in domains for hop in (domain, *domain.others)]
