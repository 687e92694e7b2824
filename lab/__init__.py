# SPDX-License-Identifier: LGPL-2.1-or-later
"""A real Xen host in software emulation, as a library for tests.

The lab is one QEMU process that runs Xen, a Debian dom0 and whatever guests a
test starts there.  It is resumed from a snapshot that `lab/lab build` made, so
every lab starts in the same state.  This package is not a test framework and
knows nothing of the product: it runs commands as root in dom0 and moves files.
"""

from lab.errors import LabError, LabTimeout
from lab.faults import emulatorFault, tripleFault
from lab.session import Lab

__all__ = ["Lab", "LabError", "LabTimeout", "emulatorFault", "tripleFault"]
