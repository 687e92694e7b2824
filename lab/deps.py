# SPDX-License-Identifier: LGPL-2.1-or-later
"""The programs the lab needs on this machine and the packages they come from."""

import os
import shutil
import subprocess
import sys

from lab.errors import LabError

_PACKAGE_OF = {
    "mmdebstrap": "mmdebstrap", "mke2fs": "e2fsprogs", "ssh": "openssh-client",
    "ssh-keygen": "openssh-client", "as": "binutils", "ld": "binutils",
    "objcopy": "binutils", "gcc": "gcc",
}
_PATH = os.environ.get("PATH", "") + ":/usr/sbin:/sbin"


def missing():
    """Names of the packages that have to be installed."""
    return sorted({package for program, package in _PACKAGE_OF.items()
                   if not shutil.which(program, path=_PATH)})


def require():
    """Fails with the names of what is missing."""
    lacking = missing()
    if lacking:
        raise LabError(f"missing packages: {' '.join(lacking)}; `lab/lab install-deps` gets them")


def install():
    """Installs what is missing by package name, as root or through sudo."""
    lacking = missing()
    if not lacking:
        return
    print(f"lab: installing {' '.join(lacking)}", file=sys.stderr, flush=True)
    command = ["apt-get", "-q", "-o", "DPkg::Lock::Timeout=300"]
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    if os.geteuid() != 0:
        command = ["sudo", "DEBIAN_FRONTEND=noninteractive", *command]
    for words in (["update"], ["install", "-y", "--no-install-recommends", *lacking]):
        if subprocess.run([*command, *words], env=environment, stdout=sys.stderr).returncode != 0:
            raise LabError(f"apt-get {words[0]} failed")
    require()
