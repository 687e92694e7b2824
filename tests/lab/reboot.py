#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The lab's host is shut down and started anew with a domain in it, which libvirt-guests saves and starts (dom0/reboot.py).

A test of its own, as run.py's are scripts in dom0, which a reboot ends.
"""

import sys
import time

sys.dont_write_bytecode = True

import session  # noqa: E402  pylint: disable=wrong-import-position

DEADLINE = 1200
BOOT = 600


def _rebooted(lab):
    """What is wrong, or None."""
    for part in ("before", "after"):
        if part == "after":
            start = time.monotonic()
            lab.reboot(BOOT)
            print(f"# shut down and up again after {time.monotonic() - start:.1f} s", flush=True)
        if lab.stream(["python3", "-B", "/payload/tests/reboot.py", part]) != 0:
            return f"{part} the reboot"
    return None


def main():
    options = session.parser(__doc__, "lab-reboot.log").parse_args()
    print("TAP version 13\n1..1", flush=True)
    wrong = session.runWith(options, DEADLINE, _rebooted, bootable=True)
    print(f"{'not ok' if wrong else 'ok'} 1 - reboot: libvirt-guests saves a counting domain, and restores it when the host is up",
          flush=True)
    if wrong:
        print(f"# {wrong}")
        session.printLog(options)
    return 1 if wrong else 0


sys.exit(main())
