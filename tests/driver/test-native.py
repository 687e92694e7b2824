#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Domains as xl.cfg(5): read, written, and there and back again.

native/NAME.cfg is what a person writes for xl, NAME.xml the domain it becomes. native/NAME.out.cfg is what is written for
cases/NAME.xml. With --update NAME.xml and NAME.out.cfg are written anew: look at the difference before committing it.
"""

import functools
import json
import sys
from pathlib import Path

from driver_fixture import caseNames, embedded, equal, quiet, read, refusal, runTap, startEvents

NATIVE = Path(__file__).resolve().parent / 'native'
EXAMPLES = Path(__file__).resolve().parents[2] / 'docs' / 'examples'
WRITTEN = ['boot-order-devices', 'cpu-features', 'disks-all-buses', 'emulatorpin', 'graphics', 'graphics-socket', 'hostdev',
           'hostdev-settings', 'hyperv', 'interface-models', 'passthrough', 'serials', 'stubdomain-all', 'vcpus']
# Cases xl has no words for, with those of the message.
NO_WORDS = {
    'cdrom-volume': ['volume of a pool'],
    'disk-volume': ['volume of a pool'],
    'genid': ['genid', 'a new one'],
    'graphics-auto-socket': ['graphics listen', 'does not choose one'],
    'graphics-listens': ['graphics', 'one address'],
    'graphics-network': ["network of libvirt's"],
    'graphics-port': ['sharePolicy'],
    'graphics-websocket': ['no websocket'],
    'interface-hostdev': ['virtual function'],
    'interface-network': ["network of libvirt's"],
    'interface-portgroup': ["network of libvirt's"],
    'windows': ["network of libvirt's"],
}
GOOD = 'name = "a"\ntype = "hvm"\nmemory = 64\n'
REFUSED = {
    'no xl.cfg': ('name = [', ['cannot be read', 'xl.cfg:1']),
    'an unknown setting': (GOOD + 'nestedhvm = 1\n', ["'nestedhvm'"]),
    'an unknown setting in one line with others': ('name = "a"; dtdev = [ "a=1" ]; type = "hvm"\n', ["'dtdev'"]),
    'a device of the host': (GOOD + 'pci = [ "eth0" ]\n', ["'pci'"]),
    'all functions of a device': (GOOD + 'pci = [ "03:00.*@5" ]\n', ["pci '03:00.*@5'", 'one function']),
    'power management of a device': (GOOD + 'pci = [ "03:00.0,power_mgmt=1" ]\n', ['permissive and seize']),
    'an IOMMU mode': (GOOD + 'passthrough = "always"\n', ["'passthrough'"]),
    'no HVM guest': ('name = "a"\nmemory = 64\n', ['HVM']),
    'a PV guest': ('name = "a"\ntype = "pv"\nmemory = 64\n', ["'type'"]),
    'no name': ('type = "hvm"\nmemory = 64\n', ["'name'"]),
    'no memory': ('type = "hvm"\nname = "a"\n', ["'memory'"]),
    'no number': (GOOD + 'vcpus = "two"\n', ["'vcpus'"]),
    'a device model of the host': (GOOD + 'device_model_override = "/usr/bin/qemu"\n', ["emulator '/usr/bin/qemu'"]),
    'an argument for QEMU': (GOOD + 'device_model_args = [ "-snapshot" ]\n', ["'device_model_args'"]),
    'an unknown option': (GOOD + 'device_model_args = [ "-stubdom", "color=red" ]\n', ["'device_model_args'"]),
    'the old device model': (GOOD + 'device_model_version = "qemu-xen-traditional"\n', ["'device_model_version'"]),
    "libxl's stubdomain": (GOOD + 'device_model_stubdomain_override = 1\n', ["'device_model_stubdomain_override'"]),
    'a display of no number': (GOOD + 'vncdisplay = "first"\n', ["'vncdisplay'"]),
    'a number of an address that is none': (GOOD + 'vnclisten = "127.0.0.1:first"\n', ["'vnclisten'"]),
    'half an address': (GOOD + 'vnclisten = "[::1"\n', ["'vnclisten'"]),
    'a name': (GOOD + 'vnclisten = "localhost"\n', ["graphics listen 'localhost'"]),
    'spice': (GOOD + 'spice = 1\n', ["'spice'"]),
    'uefi': (GOOD + 'bios = "ovmf"\n', ["'bios'"]),
    'qcow2': (GOOD + 'disk = [ "/a.qcow2,qcow2,hda,rw" ]\n', ["disk 'hda'", "'qcow2'"]),
    'no disk': (GOOD + 'disk = [ "colour=red" ]\n', ["'disk'"]),
    'a backend domain': (GOOD + 'disk = [ "vdev=hda,backend=storage,target=/a" ]\n', ["disk 'hda'", 'backend domain']),
    'a backend of QEMU': (GOOD + 'disk = [ "vdev=hda,backendtype=qdisk,target=/a" ]\n', ["disk 'hda'", 'phy']),
    'an unknown key of a card': (GOOD + 'vif = [ "ip=192.0.2.1" ]\n', ["vif 'ip'"]),
    'a rate': (GOOD + 'vif = [ "rate=fast" ]\n', ["'vif'"]),
    'a serial port': (GOOD + 'serial = "stdio"\n', ["'serial'"]),
    'a floppy': (GOOD + 'boot = "a"\n', ["boot dev 'fd'"]),
    'a boot letter': (GOOD + 'boot = "x"\n', ["'boot'"]),
    'a group of viridian': (GOOD + 'viridian = [ "base", "crash_ctl" ]\n', ["'viridian'"]),
    'cpuid in registers': (GOOD + 'cpuid = [ "1:ecx=0" ]\n', ["'cpuid'"]),
    'a list for a name': (GOOD + 'uuid = [ "a" ]\n', ["'uuid'"]),
    'usb 2': (GOOD + 'usbversion = 2\n', ["'usbversion'"]),
    'a tsc mode': (GOOD + 'tsc_mode = "fast"\n', ["'tsc_mode'"]),
}


def toXl(connection, xml):
    return connection.domainXMLToNative('xen-xl', xml)


def fromXl(connection, text):
    return connection.domainXMLFromNative('xen-xl', text)


def checkRead(connection, name):
    equal(fromXl(connection, (NATIVE / f'{name}.cfg').read_text()), (NATIVE / f'{name}.xml').read_text())


def checkWritten(connection, name):
    equal(toXl(connection, read(f'{name}.xml')), (NATIVE / f'{name}.out.cfg').read_text())


def checkThereAndBack(connection, name):
    """What comes back means the same to libxl."""
    again = fromXl(connection, toXl(connection, read(f'{name}.xml')))
    equal(json.loads(connection.domainXMLToNative('libxl-json', again)), json.loads(read(f'{name}.json')))


def checkExample(connection):
    """The configuration for xl in the documentation can be defined."""
    domain = connection.defineXML(fromXl(connection, (EXAMPLES / 'demo.cfg').read_text()))
    equal(domain.name(), 'demo')
    domain.undefine()


def checkMessage(call, text, words):
    message = refusal(call, text).get_error_message()
    equal([word for word in words if word not in message], [])


def readNames():
    return sorted(path.stem for path in NATIVE.glob('*.cfg') if not path.stem.endswith('.out'))


def tests(connection):
    bound = functools.partial
    yield 'docs/examples/demo.cfg', bound(checkExample, connection)
    for name in readNames():
        yield f'{name}: read', bound(checkRead, connection, name)
    for name in WRITTEN:
        yield f'{name}: written', bound(checkWritten, connection, name)
    for name in caseNames():
        if name in NO_WORDS:
            yield f'{name}: no words', bound(checkMessage, bound(toXl, connection), read(f'{name}.xml'), NO_WORDS[name])
        else:
            yield f'{name}: there and back', bound(checkThereAndBack, connection, name)
    for name, (text, words) in REFUSED.items():
        yield f'refused: {name}', bound(checkMessage, bound(fromXl, connection), text, words)
    yield 'refused: an unknown format', bound(checkMessage, bound(connection.domainXMLFromNative, 'xen-sxpr'), GOOD, ['xen-sxpr'])


def main():
    quiet()
    startEvents()
    with embedded() as connection:
        if '--update' not in sys.argv[1:]:
            return runTap(list(tests(connection)))
        for name in readNames():
            (NATIVE / f'{name}.xml').write_text(fromXl(connection, (NATIVE / f'{name}.cfg').read_text()))
        for name in WRITTEN:
            (NATIVE / f'{name}.out.cfg').write_text(toXl(connection, read(f'{name}.xml')))
        return 0


if __name__ == '__main__':
    sys.exit(main())
