# SPDX-License-Identifier: LGPL-2.1-or-later
"""Stand-ins for libraries that QEMU is linked to and a stubdomain never uses.

Debian's QEMU for Xen is linked to libspice-server, and that to GStreamer, OpenSSL
and twenty more: 15 MiB of files, a third of the start-up's relocations and a lot
of code next to a guest's bytes, all for a display protocol that the stubdomain
has no network for.  The stand-in has the library's name and the symbols QEMU asks
for; calling one of them ends QEMU with a line that says so.
"""

import re
import tempfile
from pathlib import Path

from stubimage import ImageError
from stubimage.packages import run

# Library: what its calls are for, as the message says it.
ABSENT = {"libspice-server.so.1": "SPICE"}

SOURCE = """
#include <unistd.h>
void _exit(int);
static void absent(void) __attribute__((used));
static void absent(void)
{
    static const char text[] = "QEMU: this stubdomain has no %(what)s\\n";
    if (write(2, text, sizeof(text) - 1) < 0)
        _exit(1);
    _exit(1);
}
"""


def wantedSymbols(program, library):
    """{version: [symbol]} a program takes from a library; symbols without a version under ''."""
    needs = run("readelf", "--version-info", "--wide", program).decode()
    block = re.search(rf"File: {re.escape(library)}  Cnt: \d+\n((?:.*Name: .*\n)*)", needs)
    if not block:
        raise ImageError(f"{program} names no version of {library}: its stand-in cannot be made")
    versions = set(re.findall(r"Name: (\S+)", block.group(1)))
    found = {}
    for name, version in re.findall(r" UND (\S+)@(\S+)", run("readelf", "--dyn-syms", "--wide", program).decode()):
        if version in versions:
            found.setdefault(version, []).append(name)
    return found


def standIn(program, library, what):
    """The bytes of a shared library that stands in for another."""
    wanted = wantedSymbols(program, library)
    source = SOURCE % {"what": what}
    script = ""
    for version, names in sorted(wanted.items()):
        script += f"{version} {{ global: {' '.join(n + ';' for n in sorted(names))} }};\n"
        source += "".join(f'void {n}(void) __attribute__((alias("absent")));\n' for n in sorted(names))
    with tempfile.TemporaryDirectory() as directory:
        base = Path(directory)
        (base / "absent.c").write_text(source)
        (base / "absent.map").write_text(script)
        run("gcc", "-O2", "-shared", "-fPIC", "-nostartfiles", "-s", "-Wl,--build-id=none", f"-Wl,-soname,{library}",
            "-Wl,--version-script=absent.map", "-o", "absent.so", "absent.c", cwd=base)
        return (base / "absent.so").read_bytes()
