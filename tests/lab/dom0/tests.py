#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The tests of a real Xen host, run in its dom0: tests.py [WORD…] runs those whose names contain a word."""

import sys

sys.dont_write_bytecode = True

# pylint: disable=unused-import,wrong-import-position
import test_guests  # noqa: E402,F401
import test_failures  # noqa: E402,F401
import test_cdrom  # noqa: E402,F401
import test_ends  # noqa: E402,F401
import test_many  # noqa: E402,F401
import test_driver_display  # noqa: E402,F401
import test_driver_hostdev  # noqa: E402,F401
import test_driver_hotplug  # noqa: E402,F401
import test_conformance  # noqa: E402,F401
import test_display  # noqa: E402,F401
import test_devices  # noqa: E402,F401
import test_driver_lifecycle  # noqa: E402,F401
import test_driver_stats  # noqa: E402,F401
import test_restart  # noqa: E402,F401
import test_libvirtd  # noqa: E402,F401
import test_viewers  # noqa: E402,F401
import test_virsh  # noqa: E402,F401
import test_driver_save  # noqa: E402,F401
import test_save  # noqa: E402,F401
import test_save_ends  # noqa: E402,F401
import test_pci  # noqa: E402,F401
from harness import main  # noqa: E402

sys.exit(main(sys.argv[1:]))
