# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ways to break the table engine, each with the attack that must notice it."""

from __future__ import annotations

import dataclasses

ENGINE = "plugins/module_utils/_engine"
MODEL = "plugins/module_utils/_model"
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
        "rows set in a changed copy",
        f"{ENGINE}/tables/changed_copy.py",
        "{rows.kept[0]: rows.kept[1], **rows.set}",
        "{rows.kept[0]: rows.kept[1]}",
        "test_copy_is_given_up_where_postmap_does_not and hash",
    ),
    Mutant(
        "rows removed from a changed copy",
        f"{ENGINE}/tables/changed_copy.py",
        "_lines(wanted) + removed, rows_of(wanted)",
        "_lines(wanted), rows_of(wanted)",
        "test_copy_is_given_up_where_postmap_does_not and hash",
    ),
    Mutant(
        "row that stays in a changed copy",
        f"{ENGINE}/tables/changed_copy.py",
        "{rows.kept[0]: rows.kept[1], **rows.set}",
        "rows.set",
        "test_index_whose_keys_have_another_form and hash",
    ),
    Mutant(
        "exit status for rows set in a changed copy",
        f"{ENGINE}/tables/changed_copy.py",
        "for row in rows.set.items()), seconds).rc != 0:",
        "for row in rows.set.items()), seconds).rc is None:",
        "test_copy_is_given_up_where_postmap_does_not and hash",
    ),
    Mutant(
        "exit status for rows removed from a changed copy",
        f"{ENGINE}/tables/changed_copy.py",
        "postfix.delete(table, removed, seconds).rc != 0:",
        "postfix.delete(table, removed, seconds).rc is None:",
        "test_copy_is_given_up_where_postmap_does_not and hash",
    ),
    Mutant(
        "time for a changed copy",
        f"{PORTS}/postfix.py",
        "data=lines, silence=seconds)",
        "data=lines)",
        "test_copy_is_given_up_where_postmap_takes_long",
    ),
    Mutant(
        "room for a copy",
        f"{ENGINE}/tables/changed_copy.py",
        "    except OSError:\n        return False\n",
        "    except FileNotFoundError:\n        return False\n",
        "test_index_is_built_where_there_is_no_room and hash",
    ),
    Mutant(
        "copies without end",
        f"{ENGINE}/tables/changed_copy.py",
        "return few and self.copies < MOST_COPIES",
        "return few",
        "test_copies_end_with_a_build",
    ),
    Mutant(
        "count of copies",
        f"{ENGINE}/tables/replace.py",
        "copies = changed.copies + 1",
        "copies = 1",
        "test_many_updates_in_a_row and lmdb",
    ),
    Mutant(
        "index that is copied though it is not the source's",
        f"{ENGINE}/tables/plan.py",
        'LiveIndex(state, digest if state == CURRENT else "")',
        "LiveIndex(state, digest)",
        "test_index_that_others_write and hash",
    ),
    Mutant(
        "owner and mode of a new index",
        f"{ENGINE}/tables/replace.py",
        "        files.index_metadata.apply(new_index)\n",
        "        pass\n",
        "test_table_of_another_user and lmdb",
    ),
    Mutant(
        "index older than its source",
        f"{ENGINE}/tables/replace.py",
        """        new_source = os.path.join(stages[os.path.dirname(source)], f"{name}.source")
        if write_source:
            # Before the index, since Postfix warns for ever of an index that is older than its source.
            write_new_file(new_source, files.content, files.source_metadata)
        built = os.path.join(stages[os.path.dirname(index or source)], name)
        new_index, copies = _next_index(postfix, files, built, expected, changed) if write_index else ("", 0)
""",
        """        new_source = os.path.join(stages[os.path.dirname(source)], f"{name}.source")
        built = os.path.join(stages[os.path.dirname(index or source)], name)
        new_index, copies = _next_index(postfix, files, built, expected, changed) if write_index else ("", 0)
        if write_source:
            write_new_file(new_source, files.content, files.source_metadata)
""",
        "test_copy_is_given_up_where_postmap_does_not and hash",
    ),
    Mutant(
        "exit status of a listing",
        f"{ENGINE}/tables/index.py",
        "    if result.rc == 0:\n",
        "    if result.rc is not None:\n",
        "test_failing_killed and hash",
    ),
    Mutant(
        "rows of others beside a list in order",
        f"{MODEL}/tables/plain_table.py",
        " or want.going(utf8)(gone) != gone:",
        ":",
        "test_change_gives and order",
    ),
    Mutant(
        "values in a list in order",
        f"{MODEL}/tables/plain_table.py",
        "updated = [key for key in gets if key in had and had[key] != value]",
        "updated: list[str] = []",
        "test_change_gives and order",
    ),
    Mutant(
        "texts compared by their lengths",
        f"{MODEL}/tables/plain_table.py",
        "old[here:end] != new[there:until]:",
        "len(old[here:end]) != len(new[there:until]):",
        "test_change_gives and order",
    ),
    Mutant(
        "digest of a part of a list",
        f"{MODEL}/tables/list_parts.py",
        "if number not in found and _digest(piece) == self.parts[number].digest:",
        "if number not in found:",
        "test_list_in_parts",
    ),
    Mutant(
        "digest of a list in parts",
        f"{MODEL}/tables/list_parts.py",
        "if not view and hashlib.sha256(data).hexdigest() == self.digest else None",
        "if not view else None",
        "test_list_in_parts",
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
