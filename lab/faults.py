# SPDX-License-Identifier: LGPL-2.1-or-later
"""Recognises the one failure that is the emulator's own and not the product's.

Under software emulation a guest now and then dies in its firmware because the
emulator left host state in the guest: Xen reports a triple fault and dumps
registers that are its own.  No real machine and no fault of a device model
does that, so a test may start such a guest again.  It must count and print it.
A guest that is at an address of Xen's without a triple fault is the same.

The emulator also sends guests to addresses of their own where no program is,
with other registers as they should be: seen once in two million accesses of
guests to their device model, in the middle of a loop with interrupts off.  Such
a triple fault cannot be told from one that has another cause.
"""

import re

# "(XEN) d3v0 Triple fault - invoking HVM shutdown action 1" and, in the register
# dump that follows it for the same vCPU, a program counter in Xen's text
# (x86-64 Xen is linked at ffff82d040000000, selector e008 is Xen's code segment).
_TRIPLE_FAULT = re.compile(r"\bd(\d+)v(\d+) Triple fault\b")
_XEN_RIP = re.compile(r"\bRIP:\s+e008:\[<ffff82d0[0-9a-f]{8}>\]")
_DUMP_LINES = 80

# What the debug key "v" says of each processor of an HVM guest.
_GUEST_RIP = re.compile(r"\bRIP = 0xffff82d0[0-9a-f]{8}\b")


def tripleFault(text):
    """Says whether a guest died of a triple fault, for whatever reason. text: output of `xl dmesg`."""
    return bool(_TRIPLE_FAULT.search(text))


def emulatorFault(text):
    """Says whether a Xen log holds the emulator's signature.

    text: output of `xl dmesg`, perhaps after `xl debug-keys v`, or the console log of the lab.
    """
    if _GUEST_RIP.search(text):
        return True
    lines = text.splitlines()
    for number, line in enumerate(lines):
        if not _TRIPLE_FAULT.search(line):
            continue
        for later in lines[number + 1:number + 1 + _DUMP_LINES]:
            if _TRIPLE_FAULT.search(later):
                break
            if _XEN_RIP.search(later):
                return True
    return False
