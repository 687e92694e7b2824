# SPDX-License-Identifier: LGPL-2.1-or-later
"""Xen and dom0's kernel out of a built disk, for a lab that is started anew.

A lab that is only resumed needs none of them, so a build does not keep them.
"""

import subprocess
import tempfile
from pathlib import Path

from lab import rootfs
from lab.errors import LabError


def takeKernelsOfDisk(disk, directory):
    """Puts xen, vmlinuz and initrd.img of a disk's image into a directory. Nothing is mounted."""
    with tempfile.TemporaryDirectory(dir=directory) as root:
        result = subprocess.run(["debugfs", "-R", f"rdump /boot {root}", str(disk)], stdin=subprocess.DEVNULL,
                                capture_output=True, text=True, check=False)
        if result.returncode != 0 or not (Path(root) / "boot").is_dir():
            raise LabError(f"cannot read /boot of {disk}: {result.stderr.strip()}")
        rootfs.takeKernels(root, directory)
