#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Runs component tests: run.py MODULE[.CLASS[.TEST]]… (docs/testing.md). Needs the environment meson sets."""

import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parent))
sys.dont_write_bytecode = True

from harness.tap import main  # noqa: E402  pylint: disable=wrong-import-position

sys.exit(main(sys.argv[1:]))
