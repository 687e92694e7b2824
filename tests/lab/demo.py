#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Shows one guest whose device model runs in a stubdomain (dom0/demo.py), on real Xen in an emulator."""

import sys

sys.dont_write_bytecode = True

import session  # noqa: E402  pylint: disable=wrong-import-position

DEADLINE = 300

options = session.parser(__doc__, "lab-demo.log").parse_args()
print("Booting a Xen host in an emulator: no Xen hardware is needed, everything takes longer than on a real one.",
      flush=True)
status = session.runScript(options, DEADLINE, "demo.py")
if status != 0:
    session.printLog(options)
sys.exit(status)
