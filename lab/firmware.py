# SPDX-License-Identifier: LGPL-2.1-or-later
"""The guests' firmware: SeaBIOS, which waits 2.5 s for the key of its boot menu in every boot.

Who could tell it not to is a device (fw_cfg) that QEMU does not give to Xen's
guests.  So the number in its program is replaced, in dom0's copy alone, and
nothing else of it.
"""

WAIT = 2500
SHORT = 50

NAME = b"etc/boot-menu-wait\0"


def _load(image, wait):
    """romfile_loadint(NAME, wait): mov $wait, %edx; xor %ecx, %ecx; mov $NAME, %eax; call. An image ends at the first MiB."""
    address = (1 << 20) - len(image) + image.find(NAME)
    return b"\xba" + wait.to_bytes(4, "little") + b"\x31\xc9\xb8" + address.to_bytes(4, "little") + b"\xe8"


def shortenBootMenu(image):
    """The bytes of a SeaBIOS image, with SHORT milliseconds in place of WAIT; None if name and number are not once there."""
    if image.count(NAME) != 1 or image.count(_load(image, WAIT)) != 1:
        return None
    return image.replace(_load(image, WAIT), _load(image, SHORT))
