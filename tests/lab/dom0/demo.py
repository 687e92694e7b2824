#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The demonstration, run in dom0: one guest, its stubdomain, and no QEMU for it in dom0."""

import sys
import time
from pathlib import Path

sys.dont_write_bytecode = True

# pylint: disable=wrong-import-position
from faults import emulatorFault  # noqa: E402
from guest import Guest, guestLogs  # noqa: E402
from host import LOGS, Deadline, Failure, processes, qemuOf, run, setDeadline  # noqa: E402
import leaks  # noqa: E402

CONFIG = "/payload/demo.cfg"
SECONDS = 120

_start = time.monotonic()


def tell(text, detail=""):
    """A line of progress, and what belongs to it."""
    print(f"[{time.monotonic() - _start:4.0f} s] {text}", flush=True)
    for line in detail.rstrip("\n").split("\n") if detail else []:
        print("           " + line, flush=True)


def show():
    """The whole demonstration; Failure or Deadline if something is not as it should be."""
    setDeadline(SECONDS)
    before = leaks.look()
    with Guest("demo") as guest:
        tell("Stock xl creates an HVM guest. The three lines that make the difference in its configuration:",
             "".join(line for line in Path(CONFIG).read_text().splitlines(True) if line.startswith("device_model")))
        run("xl", "create", CONFIG)
        serial = guest.serial()
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
        tell("The guest now boots from its emulated disk and prints on its emulated serial port …")
        serial.expect("print guest: up")
        tell("It printed:", "print guest: up")
    tell("xl destroys it; nothing may be left.")
    run("xl", "destroy", "demo")
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
            run("xl", "destroy", "demo", check=False)
            run("xl", "dmesg", "-c")
    return 1


sys.exit(main())
