# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ways to break the table engine, each with the attack that must notice it."""

from __future__ import annotations

import dataclasses

ENGINE = "plugins/module_utils/_engine"
PORTS = "plugins/module_utils/_ports"


@dataclasses.dataclass(frozen=True)
class Mutant:
    """What is broken; the text that is replaced in `file`; the attacks (an expression of pytest's -k) that notice."""

    name: str
    file: str
    old: str
    new: str
    attacks: str

    def applied(self, text: str) -> str:
        """Return the broken file."""
        if text.count(self.old) != 1:
            number = text.count(self.old)
            raise ValueError(f"{self.name}: {self.file} holds its text {number} times, not once; correct mutants.py")
        return text.replace(self.old, self.new)


MUTANTS = (
    Mutant(
        "rename order",
        f"{ENGINE}/tables/replace.py",
        "for new, target in reversed(moves) if reload else moves:",
        "for new, target in moves if reload else reversed(moves):",
        "test_killed_at_each_system_call and hash",
    ),
    Mutant(
        "read-back",
        f"{ENGINE}/tables/replace.py",
        """    _require(postfix, table, found, files)


""",
        "\n\n",
        "test_failing_killed and hash",
    ),
    Mutant(
        "read-back of a changed copy",
        f"{ENGINE}/tables/changed_copy.py",
        "    return found is not None and found.equal\n",
        "    return True\n",
        "test_copy_is_given_up and hash",
    ),
    Mutant(
        "digest of a copied index",
        f"{ENGINE}/tables/changed_copy.py",
        "    return file_digest(new_index) == digest\n",
        "    return True\n",
        "test_index_that_others_write and hash",
    ),
    Mutant(
        "lock",
        f"{PORTS}/files.py",
        "fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)",
        "fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)",
        "test_five_runs_at_once_lose_nothing and hash",
    ),
    Mutant(
        "directories of others",
        f"{ENGINE}/tables/lock.py",
        "    refuse_open_places(reference)\n    with run_lock",
        "    with run_lock",
        "test_user_who_can_write and cdb",
    ),
    Mutant(
        "leftovers",
        f"{ENGINE}/tables/lock.py",
        "if entry.name.startswith(SCRATCH_PREFIX) and entry.is_dir(follow_symlinks=False):",
        "if entry.name.startswith(SCRATCH_PREFIX + SCRATCH_PREFIX):",
        "test_leftovers and btree",
    ),
    Mutant(
        "symbolic links",
        f"{ENGINE}/tables/replace.py",
        "    source = os.path.realpath(files.path)\n",
        "    source = files.path\n",
        "test_symlinked_table and hash",
    ),
)
