#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Measures a guest with its device model in dom0, in stock Xen's stubdomain and in ours (dom0/bench.py)."""

import sys

sys.dont_write_bytecode = True

import session  # noqa: E402  pylint: disable=wrong-import-position

DEADLINE = 900

sys.exit(session.runScript(session.parser(__doc__, "lab-bench.log").parse_args(), DEADLINE, "bench.py"))
