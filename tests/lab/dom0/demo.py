#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The demonstration, run in dom0: one guest, its stubdomain, and no QEMU for it in dom0."""

import re
import shutil
import sys
import time
from pathlib import Path

sys.dont_write_bytecode = True

# pylint: disable=wrong-import-position
from faults import emulatorFault  # noqa: E402
from guest import Guest, guestLogs  # noqa: E402
from host import LOGS, Deadline, Failure, processes, qemuOf, run, setDeadline  # noqa: E402
import leaks  # noqa: E402

URI = "xen:///stubdom"
XML = "/usr/share/doc/libxl-stubdom/examples/demo.xml"
DISK = "/var/lib/libvirt/images/demo.img"
SECONDS = 200

_start = time.monotonic()


def tell(text, detail=""):
    """A line of progress, and what belongs to it."""
    print(f"[{time.monotonic() - _start:4.0f} s] {text}", flush=True)
    for line in detail.rstrip("\n").split("\n") if detail else []:
        print("           " + line, flush=True)


def virsh(*words):
    """What virsh said."""
    return run("virsh", "-q", "-c", URI, *words)[1]


def stats():
    """The numbers of guest and stubdomain that say most."""
    wanted = re.compile(r"\s*((stubdom\.)?(id|state(\.state)?|cpu\.time|balloon\.current|vcpu\.current))=")
    return "\n".join(line.strip() for line in virsh("domstats", "demo").splitlines() if wanted.match(line))


def show():
    """The whole demonstration; Failure or Deadline if something is not as it should be."""
    setDeadline(SECONDS)
    shutil.copy("/srv/guests/print.img", DISK)
    tell(f"virsh -c {URI} version:", virsh("version"))  # libvirtd runs from its first use on
    before = leaks.look()
    with Guest("demo") as guest:
        tell(f"virsh -c {URI} defines and starts an HVM guest with stock libvirtd:", Path(XML).read_text(encoding="utf-8"))
        virsh("define", XML)
        virsh("start", "demo")
        serial = guest.serial()
        tell("virsh list:", run("virsh", "-c", URI, "list")[1].strip("\n"))
        tell("Xen runs two domains: the guest, and \"demo-dm\" with the guest's QEMU in it.", run("xl", "list")[1])
        domid = guest.domid()
        if qemuOf(domid):
            raise Failure(f"dom0 runs {qemuOf(domid)}")
        ours = "".join(f"{pid:>6} {Path(f'/proc/{pid}/comm').read_text()}" for pid, words in sorted(processes().items())
                       if "stubdom" in words[0])
        tell(f"No QEMU for guest {domid} runs in dom0. What runs for it there:", ours)
        tell("What the stubdomain said on its console (a log in dom0):",
             "".join(line for line in (LOGS / "stubdom-demo.log").read_text().splitlines(True)
                     if line.startswith("stubdom-init")))
        tell("virsh domstats, of the guest and of its stubdomain:", stats())
        tell("The guest now boots from its emulated disk and prints on its emulated serial port …")
        serial.expect("print guest: up")
        tell("It printed, where virsh console shows it:", "print guest: up")
    tell("virsh destroys and undefines it; nothing may be left.")
    virsh("destroy", "demo")
    virsh("undefine", "demo")
    left = leaks.settled(before)
    if left:
        raise Failure("\n".join(left))
    tell("No domain, process, xenstore node, loop device, interface or file is left.")


def main():
    for last in (False, True):
        try:
            show()
            return 0
        except (Failure, Deadline) as error:
            setDeadline(60)
            fault = emulatorFault(run("xl", "dmesg")[1])
            if last or not fault:
                print(f"The demonstration failed: {error}", *guestLogs("demo"), sep="\n")
                return 1
            tell("The emulator failed (its own known fault); once more.")
            run("virsh", "-c", URI, "destroy", "demo", check=False)
            run("virsh", "-c", URI, "undefine", "demo", check=False)
            run("xl", "dmesg", "-c")
    return 1


sys.exit(main())
