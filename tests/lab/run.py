#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Runs the tests on real Xen (dom0/tests.py) and prints TAP; after a failure also the end of the lab's log."""

import sys

sys.dont_write_bytecode = True

import session  # noqa: E402  pylint: disable=wrong-import-position

DEADLINE = 3000
ROUND, PCI_ROUND = 100, 10


def main():
    parser = session.parser(__doc__, "lab-tests.log")
    parser.add_argument("--only", action="append", default=[], metavar="WORD",
                        help="only tests whose names contain WORD; may be repeated")
    parser.add_argument("--save-rounds", type=int, default=1, metavar="N",
                        help="how often a guest is saved and restored in a row (%(default)s)")
    parser.add_argument("--pci-rounds", type=int, default=8, metavar="N",
                        help="how often a device is attached and taken away in a row (%(default)s)")
    parser.add_argument("--restart-rounds", type=int, default=2, metavar="N",
                        help="how often libvirtd is killed at a random moment (%(default)s)")
    parser.add_argument("--restart-seed", type=int, default=20, metavar="N", help="of these moments (%(default)s)")
    parser.add_argument("--keep", metavar="DIR", help="a directory to make anew of the pictures of test_viewers.py")
    options = parser.parse_args()
    rounds = ROUND * (options.save_rounds + options.restart_rounds) + PCI_ROUND * options.pci_rounds
    status = session.runScript(options, DEADLINE + rounds, "tests.py", *options.only, kept=options.keep,
                               environment=[f"STUBDOM_SAVE_ROUNDS={options.save_rounds}",
                                            f"STUBDOM_PCI_ROUNDS={options.pci_rounds}",
                                            f"STUBDOM_RESTART_ROUNDS={options.restart_rounds}",
                                            f"STUBDOM_RESTART_SEED={options.restart_seed}"])
    if status != 0:
        session.printLog(options)
    return status


sys.exit(main())
