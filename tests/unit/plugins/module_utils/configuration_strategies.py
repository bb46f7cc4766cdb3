# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Generated main.cf and master.cf, as odd as Postfix still reads them. Used by unit tests and on real hosts."""

from __future__ import annotations

from hypothesis import strategies as st

# Parameters of every release, whose values are text to postconf.
NAMES = (
    "mydestination", "myhostname", "mynetworks", "relay_domains", "relayhost", "smtpd_banner",
    "smtpd_recipient_restrictions", "transport_maps", "virtual_alias_maps", "mail_name", "notify_classes",
    "smtpd_tls_CAfile", "2bounce_notice_recipient", "local_transport", "debugger_command",
)  # fmt: skip
WORDS = (
    "a", "x.example", "hash:/etc/postfix/x", "$daemon_directory", "${queue_directory}", "{ a, b = c }", "[::1]/128",
    "!b", "#c", "d#e", "f=g", "=", "h,", ",", "-o", '"i j"', "\u00e9", "\\", "%s", "permit_mynetworks", "5d", "yes",
    "'",
)  # fmt: skip
BLANKS = (" ", "\t", "  ", " \t ", "\f", "\v", "\r")
COMMENTS = ("\n", "# comment\n", "#\n", "  \n", "\t# indented\n", "#a = b\n", " \r\n", "# caf\u00e9\n")

SERVICE_WORDS = ("-v", "-o a=b", "-o { c = d e }", "-oc=d", "-vo e=f", "-o g=", "-D", "-o {h=i}", "-o j={k,l}")
ARGUMENTS = ("flags=DRhu", "user=vmail:vmail", "argv=/usr/bin/x -f ${sender} -- {a b}", "--", "$recipient", "-x")


def _blanks(most: int = 2) -> st.SearchStrategy[str]:
    return st.lists(st.sampled_from(BLANKS), max_size=most).map("".join)


def _gap() -> st.SearchStrategy[str]:
    """What may stand between two physical lines of one definition."""
    return st.lists(st.sampled_from(COMMENTS), max_size=2).map("".join)


def _first_word() -> st.SearchStrategy[str]:
    """A word that may begin a physical line."""
    return st.sampled_from([word for word in WORDS if not word.startswith("#")])


@st.composite
def _continuation(draw: st.DrawFn) -> str:
    blank = draw(st.sampled_from([blank for blank in BLANKS if blank.strip(" \t") == ""]))
    words = [draw(_first_word()), *draw(st.lists(st.sampled_from(WORDS), max_size=3))]
    return f"{draw(_gap())}{blank}{' '.join(words)}{draw(_blanks(1))}\n"


@st.composite
def definition(draw: st.DrawFn) -> str:
    """`name = value`, in any layout, over one line or several."""
    name = draw(st.sampled_from(NAMES))
    value = draw(st.sampled_from((" ", ", ", ","))).join(draw(st.lists(st.sampled_from(WORDS), max_size=4)))
    lines = draw(st.lists(_continuation(), max_size=3))
    return f"{name}{draw(_blanks())}={draw(_blanks())}{value}{draw(_blanks(1))}\n{''.join(lines)}"


@st.composite
def main_cf(draw: st.DrawFn) -> str:
    """A whole file; its last line may lack the newline."""
    parts = draw(st.lists(st.one_of(definition(), definition(), st.sampled_from(COMMENTS)), min_size=1, max_size=8))
    text = "".join(parts)
    return text[:-1] if draw(st.booleans()) else text


@st.composite
def service(draw: st.DrawFn) -> str:
    """One entry of master.cf, over one line or several."""
    name = draw(st.sampled_from(("smtp", "relay", "127.0.0.1:10025", "[::1]:25", "policy", "x-y", "scache")))
    kind = draw(st.sampled_from(("inet", "unix", "unix-dgram", "fifo", "pass")))
    private = "n" if kind == "inet" else draw(st.sampled_from("-yn"))
    flags = [draw(st.sampled_from("-yn")) for _flag in range(2)]
    wakeup = draw(st.sampled_from(("-", "0", "300", "1000?")))
    limit = draw(st.sampled_from(("-", "0", "1", "100")))
    fields = [name, kind, private, *flags, wakeup, limit, draw(st.sampled_from(("smtpd", "pipe", "/usr/bin/spawn")))]
    words = draw(st.lists(st.sampled_from(SERVICE_WORDS), max_size=4))
    words += draw(st.lists(st.sampled_from(ARGUMENTS), max_size=2))
    text = fields[0]
    for field in fields[1:]:
        text += draw(st.sampled_from((" ", "\t", "       "))) + field
    for word in words:
        if draw(st.booleans()):
            before, after = draw(st.sampled_from(("", " "))), draw(st.sampled_from((" ", "\t", "  ")))
            text += f"{before}\n{draw(_gap())}{after}{word}"
        else:
            text += f" {word}"
    return text + "\n"


@st.composite
def master_cf(draw: st.DrawFn) -> str:
    """A whole file; its last line may lack the newline."""
    parts = draw(st.lists(st.one_of(service(), service(), st.sampled_from(COMMENTS)), min_size=1, max_size=6))
    text = "".join(parts)
    return text[:-1] if draw(st.booleans()) else text
