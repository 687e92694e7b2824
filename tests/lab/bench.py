#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Measures a guest with its device model in dom0, in stock Xen's stubdomain and in ours (dom0/bench.py)."""

import sys

sys.dont_write_bytecode = True

import session  # noqa: E402  pylint: disable=wrong-import-position

DEADLINE = 1800

options = session.parser(__doc__, "lab-bench.log")
options.add_argument("what", nargs="?", choices=["pci", "save", "display"],
                     help="only PCI hotplug, only save and restore, or only the display")
options = options.parse_args()
sys.exit(session.runScript(options, DEADLINE, "bench.py", *([options.what] if options.what else [])))
