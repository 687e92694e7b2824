# SPDX-License-Identifier: LGPL-2.1-or-later
"""The guests' firmware: SeaBIOS, which waits 2.5 s for the key of its boot menu in every boot.

Who could tell it not to is a device (fw_cfg) that QEMU does not give to Xen's
guests.  So the number in its program is replaced, in dom0's copy alone, and
nothing else of it.
"""

import re

WAIT = 2500
SHORT = 50

# mov $2500, %edx; xor %ecx, %ecx; mov $NAME, %eax: the default of romfile_loadint(NAME, default).
_LOADS = re.compile(rb"(?s)\xba" + re.escape(WAIT.to_bytes(4, "little")) + rb"\x31\xc9\xb8....\xe8")


def shortenBootMenu(image):
    """The bytes of a SeaBIOS image, with SHORT milliseconds in place of WAIT; None if it is not exactly once there."""
    found = _LOADS.findall(image)
    if len(found) != 1:
        return None
    return image.replace(found[0], found[0].replace(WAIT.to_bytes(4, "little"), SHORT.to_bytes(4, "little"), 1))
