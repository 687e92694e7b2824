# SPDX-License-Identifier: LGPL-2.1-or-later
"""The part of sysfs that is about PCI devices, in a directory, and what a kernel does when it is written to.

xen-stubdom-dm is told where it is, the driver's calls are redirected there (fake_sysfs.c).
"""

import errno
import pathlib
import shutil

HEADER = bytes(256)  # of a device that is no bridge and has no capabilities
PCIBACK = 'pciback'


def express_header():
    """One of a device with the capability PCI Express, in which it says that its function alone can be reset."""
    header = bytearray(HEADER)
    header[0x06] = 0x10           # there is a list of capabilities
    header[0x34] = 0x40           # where
    header[0x40] = 0x10           # PCI Express
    header[0x44 + 3] = 0x10       # bit 28 of its device capabilities
    return bytes(header)


class Sysfs:
    def __init__(self, directory):
        self.pci = pathlib.Path(directory) / 'bus/pci'
        self.natives = {}   # address -> the driver that is made for the device
        self.listed = set() # addresses of devices that xen-pciback takes when nobody else does, as it was given them once
        self.resets = []    # addresses of devices that were reset, in order
        self.stuck = set()  # addresses of those whose reset fails
        self.writes = []    # (what, text) of all that was written
        for name in ('devices', 'drivers'):
            (self.pci / name).mkdir(parents=True)
        (self.pci / 'drivers_probe').touch()

    def device(self, address):
        return self.pci / 'devices' / address

    def make(self, address, driver=PCIBACK, reset=True, native=None, header=HEADER):
        """A device, once more: as it is then."""
        self.remove(address)
        device = self.device(address)
        device.mkdir()
        for name, content in (('config', header), ('vendor', b'0x8086\n'), ('device', b'0x10d3\n'), ('class', b'0x020000\n'),
                              ('driver_override', b'(null)\n')):
            (device / name).write_bytes(content)
        if reset:
            (device / 'reset').touch()
        self.natives[address] = native
        if driver:
            self.bind(address, driver)
        return device

    def remove(self, address):
        self.unbind(address)
        shutil.rmtree(self.device(address), ignore_errors=True)

    def driver(self, address):
        """The name of its driver, or None."""
        link = self.device(address) / 'driver'
        return link.readlink().name if link.is_symlink() else None

    def override(self, address):
        """The driver it is meant for, or None."""
        text = (self.device(address) / 'driver_override').read_text(encoding='ascii').strip()
        return None if text == '(null)' else text

    def bind(self, address, driver):
        target = self.pci / 'drivers' / driver
        target.mkdir(exist_ok=True)
        (target / 'unbind').touch()
        if driver == PCIBACK:
            (target / 'remove_slot').touch()
            self.listed.add(address)
        (target / address).symlink_to(self.device(address))
        (self.device(address) / 'driver').symlink_to(target)

    def unbind(self, address):
        link = self.device(address) / 'driver'
        if link.is_symlink():
            (link.resolve() / address).unlink()
            link.unlink()

    def unload_pciback(self):
        for entry in (self.pci / 'drivers' / PCIBACK).iterdir():
            if ':' in entry.name:
                self.unbind(entry.name)
        shutil.rmtree(self.pci / 'drivers' / PCIBACK)

    def write(self, path, text):
        """What the kernel does; returns 0 or a negative errno."""
        what = pathlib.Path(path).relative_to(self.pci)
        self.writes.append((str(what), text))
        if what.name == 'driver_override':
            (self.pci / what).write_text((text or '(null)') + '\n', encoding='ascii')
        elif what.name == 'unbind':
            self.unbind(text)
        elif what.name == 'drivers_probe':
            driver = self.override(text) or self.natives[text] or (PCIBACK if text in self.listed else None)
            if driver and self.driver(text) is None:
                self.bind(text, driver)
        elif what.name == 'remove_slot':
            if text not in self.listed:
                return -errno.ENOENT
            self.listed.remove(text)
        elif what.name == 'reset':
            address = what.parent.name
            if address in self.stuck:
                return -errno.ENOTTY
            self.resets.append(address)
        else:
            return -errno.EINVAL
        return 0
