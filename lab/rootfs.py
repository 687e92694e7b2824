# SPDX-License-Identifier: LGPL-2.1-or-later
"""The disk of dom0, with the kernel, initramfs and Xen that start it.

Made from packages by mmdebstrap, adapted by `dom0/customize` and written by
`mke2fs -d`, so that nothing is ever mounted.  Needs root, as mmdebstrap keeps
the owners of files.
"""

import gzip
import shutil
import subprocess
from pathlib import Path

from lab.errors import LabError
from lab.firmware import shortenBootMenu
from lab.sources import sourcesFor

HERE = Path(__file__).resolve().parent
DISK_BYTES = 8 << 30


def _only(directory, pattern):
    found = sorted(directory.glob(pattern))
    if len(found) != 1:
        names = ", ".join(path.name for path in found) or "none"
        raise LabError(f"expected one {pattern} in the packages of dom0, found {names}")
    return found[0]


def _xenOf(boot):
    # The package holds several builds (xen-4.17-amd64.gz, .efi, .config, .map).
    return _only(boot, "xen-*-amd64.gz")


def bootstrap(suite, root, key, guests, log):
    """Installs dom0's packages below root and adapts them.

    key: public ssh key that may log in as root.  guests: directory of the
    built guests.  log: open file for the output of the package tools.
    """
    customize = f'--customize-hook={HERE / "dom0/customize"} "$1" {key} {guests}'
    subprocess.run(["mmdebstrap", "--variant=minbase", "--architectures=amd64",
                    "--skip=output/mknod", "--dpkgopt=path-exclude=/usr/share/man/*",
                    "--dpkgopt=path-exclude=/usr/share/doc/*",
                    "--dpkgopt=path-exclude=/usr/share/locale/*",
                    f"--include={','.join(suite.packages)}", customize,
                    suite.name, str(root), "-"],
                   input=sourcesFor(suite.name), text=True, check=True, stdout=log, stderr=log)


def hurryFirmware(root, log):
    """Takes the wait for the boot menu's key out of the guests' firmware. One that is not as expected stays, and the log says so."""
    path = Path(root) / "usr/share/seabios/bios-256k.bin"
    image = shortenBootMenu(path.read_bytes())
    if image is None:
        print(f"{path}: no wait for the boot menu found; guests boot 2.5 s later", file=log, flush=True)
    else:
        path.write_bytes(image)


def takeKernels(root, directory):
    """Puts xen, vmlinuz and initrd.img of dom0 into a directory, as QEMU's loader wants them."""
    boot = Path(root) / "boot"
    with gzip.open(_xenOf(boot)) as packed, open(directory / "xen", "wb") as plain:
        shutil.copyfileobj(packed, plain)
    shutil.copyfile(_only(boot, "vmlinuz-*"), directory / "vmlinuz")
    shutil.copyfile(_only(boot, "initrd.img-*"), directory / "initrd.img")


def makeImage(tree, image, size, label):
    """Writes an ext4 image of a size in bytes that holds a directory tree; None: an empty file."""
    with open(image, "wb") as file:
        file.truncate(size)
    if tree is None:
        return
    result = subprocess.run(["mke2fs", "-q", "-t", "ext4", "-F", "-L", label, "-m", "0",
                             "-O", "^has_journal", "-E", "lazy_itable_init=1,nodiscard",
                             "-d", str(tree), str(image)],
                            stdin=subprocess.DEVNULL, capture_output=True, text=True)
    if result.returncode != 0:
        raise LabError(f"cannot make a disk image of {tree}: {result.stderr.strip()}")
