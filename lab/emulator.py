# SPDX-License-Identifier: LGPL-2.1-or-later
"""The emulator: QEMU from backports, unpacked beside the lab and not installed.

A snapshot needs an AMD IOMMU that can be migrated, which QEMU has since 10.1;
Debian 12 has 7.2.  The packages are only extracted, and QEMU is started through
its own dynamic loader with its own libraries, so nothing is mounted and the
machine's packages stay as they are.
"""

import os
import re
import subprocess
from pathlib import Path

from lab.errors import LabError
from lab.sources import sourcesFor
from lab.suite import EMULATOR_MINIMUM, EMULATOR_SUITE

PACKAGES = ("qemu-system-x86", "qemu-utils")
_LIBRARIES = "usr/lib/x86_64-linux-gnu"
_SURPLUS = ("usr/share/doc", "usr/share/man", "usr/share/locale", "usr/share/lintian", "var")


class Emulator:
    """An extracted QEMU below a directory."""

    def __init__(self, root):
        self.root = Path(root)

    def command(self, program):
        """The words that start one of the extracted programs."""
        libraries = f"{self.root / _LIBRARIES}:{self.root / _LIBRARIES / 'systemd'}"
        words = [str(self.root / "usr/lib64/ld-linux-x86-64.so.2"), "--library-path", libraries,
                 str(self.root / "usr/bin" / program)]
        if program.startswith("qemu-system"):
            for directory in ("usr/share/qemu", "usr/share/seabios", "usr/lib/ipxe/qemu"):
                words += ["-L", str(self.root / directory)]
        return words

    def environment(self):
        """The environment the extracted programs run in."""
        return {**os.environ, "QEMU_MODULE_DIR": str(self.root / _LIBRARIES / "qemu")}

    def version(self):
        """QEMU's version as (major, minor)."""
        output = subprocess.run([*self.command("qemu-system-x86_64"), "--version"],
                                env=self.environment(), check=True, capture_output=True,
                                text=True).stdout
        match = re.search(r"version (\d+)\.(\d+)", output)
        if not match:
            raise LabError(f"the emulator does not tell its version: {output!r}")
        return int(match.group(1)), int(match.group(2))


def extractEmulator(directory, log):
    """Extracts the emulator into a directory that does not exist yet.

    log: open file that gets the output of the package tools.
    """
    suite = f"{EMULATOR_SUITE}-backports"
    sources = sourcesFor(EMULATOR_SUITE, backports=True)
    subprocess.run(["mmdebstrap", "--variant=extract", "--architectures=amd64",
                    f"--aptopt=APT::Default-Release \"{suite}\"",
                    f"--include={','.join(PACKAGES)}", EMULATOR_SUITE, str(directory), "-"],
                   input=sources, text=True, check=True, stdout=log, stderr=log)
    for surplus in _SURPLUS:
        subprocess.run(["rm", "-rf", str(Path(directory) / surplus)], check=True)
    found = Emulator(directory).version()
    if found < EMULATOR_MINIMUM:
        raise LabError("{} has QEMU {}.{}; a snapshot with an AMD IOMMU needs {}.{} or later".format(
            suite, *found, *EMULATOR_MINIMUM))
