# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
class _File:
    exists: bool

class _Package:
    is_installed: bool

class _Service:
    is_enabled: bool
    is_running: bool

class _Socket:
    is_listening: bool

class Host:
    def file(self, path: str) -> _File: ...
    def package(self, name: str) -> _Package: ...
    def service(self, name: str) -> _Service: ...
    def socket(self, socketspec: str) -> _Socket: ...
