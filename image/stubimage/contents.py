# SPDX-License-Identifier: LGPL-2.1-or-later
"""What goes into the stubdomain, and where it is found in the unpacked packages."""

import lzma
import re
import stat
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

from stubimage import ImageError
from stubimage.absent import ABSENT, standIn
from stubimage.packages import run

QEMU = "usr/libexec/xen-qemu-system-i386"
VIEWER = "usr/libexec/stubdom-viewer"
LOADER = "lib64/ld-linux-x86-64.so.2"
LIBRARIES = "lib/x86_64-linux-gnu"

# Directories of a package tree that may hold shared libraries.
LIBRARY_DIRECTORIES = ("lib/x86_64-linux-gnu", "usr/lib/x86_64-linux-gnu", "lib64", "usr/lib64")

# Files of QEMU for emulated devices, by name: option ROMs are what a guest sees of its network card or its
# graphics, so a missing one is a machine that does not boot from it. No firmware of the machine itself:
# hvmloader brings that. The keymap is read by -vnc, even by -vnc none. Each pattern must match something.
FIRMWARE = (
    ("keymap", r"(en-us)"),
    ("vgabios", r"(vgabios-(stdvga|cirrus|qxl)\.bin)"),
    ("network", r"(efi-(e1000|e1000e|rtl8139|ne2k_pci|pcnet|virtio|eepro100|vmxnet3)\.rom)"),
)
FIRMWARE_DIRECTORIES = ("usr/share/qemu/keymaps", "usr/share/qemu", "usr/share/seabios", "usr/lib/ipxe/qemu")

# Kernel modules by group (src/stubdomain/init_modules.h), with their parameters.
#
# xen-privcmd unrestricted=1: the kernel otherwise refuses to a domU every hypercall but device-model operations,
# which Debian's QEMU cannot work with; docs/image.md tells why.
# xen-netfront last: it is loaded when its cards are connected, and what a card needs then must be there.
# xen-blkfront feature_persistent=0: with persistent grants a disk takes 4 MiB of pages when it connects.
MODULES = {
    "disk": (("xen-blkfront", "feature_persistent=0"),),
    "network": (("macvtap", ""), ("xen-netfront", "")),
    "xen": (("xen-privcmd", "unrestricted=1"), ("xen-evtchn", ""), ("xen-gntdev", "")),
    "pci": (("xen-pcifront", ""),),
    "display": (("xen-gntalloc", ""),),
}

# The kernel's driver that shows a display. Built into Debian's kernels, cloud flavour or not; the one of the keyboard
# (xen-kbdfront) is not in the cloud flavour's, and stubdom-init does without it.
DISPLAY_DRIVER = "xen_fbfront"

# Kernel modules that stubdom-boot loads.
BOOT_MODULES = ("loop", "squashfs")


@dataclass
class Entry:
    """One file of the image: contents, or the target of a symbolic link, or a device number."""

    mode: int
    data: bytes = b""
    device: tuple = (0, 0)


@dataclass
class Tree:
    """The files of the image, by path without a leading slash."""

    entries: dict = field(default_factory=dict)

    def directory(self, path, mode=0o755):
        if path and path not in self.entries:
            self.directory(str(Path(path).parent).removeprefix("."))
            self.entries[path] = Entry(stat.S_IFDIR | mode)

    def file(self, path, data, mode=0o644):
        self.directory(str(Path(path).parent).removeprefix("."))
        self.entries[path] = Entry(stat.S_IFREG | mode, data)

    def link(self, path, target):
        self.directory(str(Path(path).parent).removeprefix("."))
        self.entries[path] = Entry(stat.S_IFLNK | 0o777, target.encode())

    def character(self, path, major, minor, mode=0o600):
        self.directory(str(Path(path).parent).removeprefix("."))
        self.entries[path] = Entry(stat.S_IFCHR | mode, device=(major, minor))


class Packages:
    """The unpacked package directories, searched as if they were one root."""

    def __init__(self, directories):
        self.directories = [Path(d) for d in directories]

    def find(self, path, depth=0):
        """The file a path means, symbolic links followed across packages; None if there is none."""
        if depth > 8:
            raise ImageError(f"/{path} is a symbolic link to itself")
        for directory in self.directories:
            file = directory / path
            if file.is_symlink():
                target = file.readlink()
                joined = target if target.is_absolute() else Path("/") / Path(path).parent / target
                return self.find(str(resolveDots(joined)).lstrip("/"), depth + 1)
            if file.is_file():
                return file
        # A link of a directory, such as the merged /lib, is not in the packages themselves.
        return None

    def library(self, name):
        for directory in LIBRARY_DIRECTORIES:
            file = self.find(f"{directory}/{name}")
            if file:
                return file
        raise ImageError(f"no package has the library {name}")

    def glob(self, directory, pattern):
        """Names in a directory that match a pattern as a whole, sorted."""
        found = set()
        for base in self.directories:
            if (base / directory).is_dir():
                found |= {p.name for p in (base / directory).iterdir() if re.fullmatch(pattern, p.name)}
        return sorted(found)


def resolveDots(path):
    parts = []
    for part in path.parts:
        if part == "..":
            parts.pop()
        elif part != ".":
            parts.append(part)
    return Path(*parts)


def program(file):
    """The bytes of one of our own programs, without what only a debugger needs."""
    with tempfile.TemporaryDirectory() as directory:
        stripped = Path(directory) / "program"
        run("strip", "--strip-all", "-o", stripped, file)
        return stripped.read_bytes()


def neededLibraries(file):
    text = run("objdump", "-p", file).decode()
    return re.findall(r"^ +NEEDED +(\S+)$", text, re.M)


def addLibraries(tree, packages, programs):
    """Adds what programs (QEMU first) are linked to, each library under the name it is asked for by."""
    waiting = [name for program in programs for name in neededLibraries(program)]
    done = set()
    while waiting:
        name = waiting.pop()
        if name in done:
            continue
        done.add(name)
        if name == Path(LOADER).name:
            continue
        if name in ABSENT:
            tree.file(f"{LIBRARIES}/{name}", standIn(programs[0], name, ABSENT[name]), 0o755)
            continue
        file = packages.library(name)
        tree.file(f"{LIBRARIES}/{name}", file.read_bytes(), 0o755)
        waiting += neededLibraries(file)
    loader = packages.find(LOADER) or packages.library(Path(LOADER).name)
    tree.file(LOADER, loader.read_bytes(), 0o755)


def addFirmware(tree, packages):
    for what, pattern in FIRMWARE:
        found = False
        for directory in FIRMWARE_DIRECTORIES:
            for name in packages.glob(directory, pattern):
                file = packages.find(f"{directory}/{name}")
                if file:
                    place = "usr/share/qemu/keymaps" if directory.endswith("/keymaps") else "usr/share/qemu"
                    tree.file(f"{place}/{name}", file.read_bytes())
                    found = True
        if not found:
            raise ImageError(f"the packages have no {what} firmware for QEMU")


def readModule(file):
    data = file.read_bytes()
    return lzma.decompress(data) if file.suffix == ".xz" else data


def moduleName(text):
    return text.replace("-", "_")


class Modules:
    """The modules of one kernel package, by name."""

    def __init__(self, directory):
        bases = [d for d in Path(directory).glob("**/lib/modules/*") if d.is_dir()]
        if len(bases) != 1:
            raise ImageError(f"{directory} is no package of one kernel")
        self.release = bases[0].name
        self.files = {moduleName(re.sub(r"\.ko(\.xz)?$", "", p.name)): p
                      for p in bases[0].glob("kernel/**/*.ko*")}
        builtin = bases[0] / "modules.builtin"
        self.builtin = {moduleName(Path(line).stem) for line in builtin.read_text().split()}

    def order(self, name, before=()):
        """Names to load for a module, dependencies first, as the modules themselves say."""
        name = moduleName(name)
        if name in self.builtin or name in before:
            return []
        if name not in self.files:
            raise ImageError(f"kernel {self.release} has no module {name}")
        match = re.search(rb"\0depends=([^\0]*)\0", readModule(self.files[name]))
        found = []
        for dependency in (match.group(1).decode().split(",") if match else []):
            if dependency:
                found += self.order(dependency, (*before, *found))
        return [*found, name]


def addModules(tree, modules):
    for group, wanted in MODULES.items():
        lines = []
        loaded = []
        for name, parameters in wanted:
            for module in modules.order(name, tuple(loaded)):
                loaded.append(module)
                path = f"lib/stubdom/modules/{module}.ko"
                tree.file(path, readModule(modules.files[module]))
                own = parameters if module == moduleName(name) else ""
                lines.append(f"/{path} {own}".rstrip())
        if lines:
            tree.file(f"lib/stubdom/modules/{group}", ("\n".join(lines) + "\n").encode())


def build(packages, modules, init, viewer):
    """The root of the stubdomain; init, viewer: our own programs."""
    tree = Tree()
    for path in ("dev", "proc", "sys", "run", "tmp", "sbin"):
        tree.directory(path)
    tree.file("init", program(init), 0o755)
    for name in ("poweroff", "reboot"):
        tree.link(f"sbin/{name}", "/init")

    qemu = packages.find(QEMU)
    if not qemu:
        raise ImageError(f"no package has /{QEMU}")
    tree.file(QEMU, qemu.read_bytes(), 0o755)
    tree.file(VIEWER, program(viewer), 0o755)
    addLibraries(tree, packages, [qemu, Path(init), Path(viewer)])
    addFirmware(tree, packages)
    addModules(tree, modules)
    return tree


def bootTree(modules, boot, image):
    """The initramfs around the image of the root (src/stubdomain/stubdom_boot.c)."""
    tree = Tree()
    for path in ("dev", "root"):
        tree.directory(path)
    # The kernel opens it for init before anything is mounted.
    tree.character("dev/console", 5, 1)
    tree.file("init", program(boot), 0o755)
    for name in BOOT_MODULES:
        for module in modules.order(name):
            if module not in BOOT_MODULES:
                raise ImageError(f"kernel module {name} needs {module}, which stubdom-boot does not load")
            tree.file(f"{module}.ko", readModule(modules.files[module]))
    tree.file("root.squashfs", image)
    return tree
