#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Makes the directory that dom0 of the lab gets at /payload: the product as it is installed, an image, the tests.

Builds nothing: the meson build directory is compiled (and configured with
--prefix=/usr), the stubdomain image is there.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
TOP = HERE.parents[1]
IMAGES = "usr/share/xen-stubdom/images"

# For a program that runs on the bare processor.
C_FLAGS = ("-m32", "-march=i686", "-std=gnu11", "-Os", "-ffreestanding", "-fno-pic", "-fno-pie", "-fno-stack-protector",
           "-mgeneral-regs-only", "-fcf-protection=none", "-fno-asynchronous-unwind-tables", "-Wall", "-Wextra", "-Werror")

# libvirtd is told of the driver by a drop-in of its unit. Its socket was used already, so it runs or comes at the first use.
INSTALL = """#!/bin/sh
set -e
cp -a /payload/root/. /
cp /payload/guests/*.img /srv/guests
systemctl daemon-reload
systemctl try-restart libvirtd
"""


def _install(build, suite, root):
    """The programs, as a package would have them; by the meson they were built with."""
    prefix = [TOP / "build-aux/in-suite", suite] if suite else []
    result = subprocess.run([*prefix, "meson", "install", "--no-rebuild", "-C", str(build), "--destdir", str(root)], check=False,
                            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    if result.returncode != 0:
        sys.exit(f"cannot install {build}:\n{result.stdout.decode(errors='replace')}")
    if not (root / "usr/libexec/xen-stubdom-dm").is_file():
        sys.exit(f"{build} is not configured with --prefix=/usr: there is no usr/libexec/xen-stubdom-dm")


def _guests(directory):
    """Boot sectors of the tests' own, like those of the lab."""
    directory.mkdir()
    for source in sorted((HERE / "guests").glob("*.s")):
        binary, image = directory / (source.stem + ".o"), directory / (source.stem + ".img")
        subprocess.run(["as", "--32", "--fatal-warnings", "-I", TOP / "lab/guests", "-I", HERE / "guests", "-o",
                        binary, source], check=True)
        subprocess.run(["ld", "-m", "elf_i386", "-Ttext", "0x7c00", "-e", "start", "--oformat", "binary", "-o", image,
                        binary], check=True)
        binary.unlink()
        os.truncate(image, 1 << 20)


def _pciGuest(image):
    """The guest with PCI devices: a boot sector and a program of several files (tests/lab/pciguest)."""
    source = HERE / "pciguest"
    with tempfile.TemporaryDirectory() as directory:
        def run(*words):
            subprocess.run([str(word) for word in words], check=True, cwd=directory)

        for name in ("boot", "start"):
            run("as", "--32", "--fatal-warnings", "-I", source, "-o", f"{name}.o", source / f"{name}.s")
        run("gcc", *C_FLAGS, "-c", *sorted(source.glob("*.c")))
        run("ld", "-m", "elf_i386", "-Ttext", "0x7c00", "-e", "start", "--oformat", "binary", "-o", "boot", "boot.o")
        run("ld", "-m", "elf_i386", "-T", source / "program.ld", "--oformat", "binary", "-o", "program", "start.o",
            *sorted(path.name for path in Path(directory).glob("guest*.o")))
        image.write_bytes(b"".join((Path(directory) / name).read_bytes() for name in ("boot", "program")))
    os.truncate(image, 1 << 20)


def makePayload(build, suite, image, viewers, directory):
    """Makes the directory anew.

    All are absolute paths; suite: what build was built with, by in-suite, or None; image: directory of image.json; viewers:
    made by the script, or None.
    """
    shutil.rmtree(directory, ignore_errors=True)
    directory.mkdir(parents=True)
    root = directory / "root"
    _install(build, suite, root)
    shutil.copytree(image, root / IMAGES / "linux")
    shutil.copytree(HERE / "dom0", directory / "tests", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(TOP / "lab/faults.py", directory / "tests")
    shutil.copy(TOP / "tests/component/harness/viewer.py", directory / "tests")
    shutil.copy(TOP / "docs/examples/demo.cfg", directory)
    if viewers:
        subprocess.run(["cp", "-a", viewers, directory / "viewers"], check=True)  # with its hard links
    _guests(directory / "guests")
    _pciGuest(directory / "guests/pci.img")
    install = directory / "install.sh"
    install.write_text(INSTALL, encoding="utf-8")
    install.chmod(0o755)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--build", type=Path, required=True, metavar="DIR", help="meson build directory")
    parser.add_argument("--built-in", metavar="SUITE", help="the directory was built by build-aux/in-suite SUITE")
    parser.add_argument("--image", type=Path, required=True, metavar="DIR", help="image of the Linux stubdomain")
    parser.add_argument("--viewers", type=Path, metavar="DIR", help="virt-viewer and virt-manager, by the script beside this one")
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="directory to make; what is there goes")
    options = parser.parse_args()
    makePayload(options.build.resolve(), options.built_in, options.image.resolve(), options.viewers and options.viewers.resolve(),
                options.out.resolve())


main()
