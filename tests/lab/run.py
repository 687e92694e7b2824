#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Runs the tests on real Xen (dom0/tests.py) and prints TAP; after a failure also the end of the lab's log."""

import sys

sys.dont_write_bytecode = True

import session  # noqa: E402  pylint: disable=wrong-import-position

DEADLINE = 1500


def main():
    parser = session.parser(__doc__, "lab-tests.log")
    parser.add_argument("--only", action="append", default=[], metavar="WORD",
                        help="only tests whose names contain WORD; may be repeated")
    options = parser.parse_args()
    status = session.runScript(options, DEADLINE, "tests.py", *options.only)
    if status != 0:
        session.printLog(options)
    return status


sys.exit(main())
