#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Measures a guest with its device model in dom0, in stock Xen's stubdomain and in ours (dom0/bench.py)."""

import sys

sys.dont_write_bytecode = True

import session  # noqa: E402  pylint: disable=wrong-import-position

DEADLINE = 1800
SAVE_START = 240    # seconds of a round of saving and restoring
SAVE_SECONDS = 0.4  # and of each MiB in it

options = session.parser(__doc__, "lab-bench.log")
options.add_argument("what", nargs="?", choices=["pci", "save", "display"],
                     help="only PCI hotplug, only save and restore, or only the display")
options.add_argument("--memory", default="64,512,1024", metavar="MIB,…",
                     help="memory of the guests that are saved and restored (%(default)s)")
options.add_argument("--rounds", type=int, default=3, metavar="N", help="how often each is (%(default)s)")
options = options.parse_args()
sizes = [int(size) for size in options.memory.split(",")]
saving = options.rounds * sum(SAVE_START + SAVE_SECONDS * size for size in sizes)
sys.exit(session.runScript(options, DEADLINE + saving, "bench.py", *([options.what] if options.what else []),
                           environment=[f"STUBDOM_BENCH_MEMORY={options.memory}", f"STUBDOM_BENCH_ROUNDS={options.rounds}"]))
