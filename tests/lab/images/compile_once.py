# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Compile what Python imports from zip files once for all hosts that have a volume here, instead of in each process.

Half of what a module does on a host is to compile itself, as Ansible sends it in a zip file. Python keeps what it
compiles of other files, in the same way. Each host's Python starts by this file, see the Dockerfile.
"""

from __future__ import annotations

import os
import types
import zipimport

FOLDER = "/var/cache/lab-compiled"
OF_PYTHON = vars(zipimport)
compile_source = OF_PYTHON["_compile_source"]


def compiled(pathname: str, source: bytes) -> types.CodeType:
    """Return what the source compiles to; of this very source and Python it is read where it was compiled before."""
    # Not before something is imported from a zip file, as each process reads this file.
    import hashlib
    import importlib.util
    import marshal

    path = f"{FOLDER}/{hashlib.sha256(importlib.util.MAGIC_NUMBER + source).hexdigest()}"
    try:
        with open(path, "rb") as file:
            kept: types.CodeType = marshal.loads(file.read())
            return kept
    except OSError:
        pass
    code: types.CodeType = compile_source(pathname, source)
    try:
        with open(f"{path}.{os.getpid()}-{os.uname().nodename}", "wb") as new:
            new.write(marshal.dumps(code))
        os.replace(new.name, path)
    except OSError:
        pass  # the user or the service may not write here
    return code


if os.path.isdir(FOLDER):
    OF_PYTHON["_compile_source"] = compiled
