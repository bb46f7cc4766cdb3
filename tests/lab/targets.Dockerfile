# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
#
# A host of the lab with Postfix, and with an ansible-core whose ansible-test runs tests/integration/targets on it. Pip's
# configuration is the one of the machine that builds this, see tests/lab/targets.py.
ARG BASE
FROM ${BASE}
# Postfix is downloaded already, and not started where systemd does not run.
RUN apt-get update \
    && apt-get install --yes postfix postfix-lmdb postfix-cdb postfix-pcre python3-dnspython python3-idna python3-venv \
        openssh-client
COPY added/ /etc/lab/
# With Debian's packages, since modules run on the Python that runs ansible-test.
ARG CORE
RUN python3 -m venv --system-site-packages /opt/ansible \
    && PIP_CONFIG_FILE=/etc/lab/pip.conf /opt/ansible/bin/pip install --no-cache-dir ansible-core==${CORE}
ENV PATH=/opt/ansible/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
ENTRYPOINT ["sleep", "infinity"]
