#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""What virConnectGetDomainCapabilities() offers is what a domain can be defined with, no more and no less."""

import functools
import sys
import xml.etree.ElementTree as ElementTree

import libvirt
from driver_fixture import embedded, equal, quiet, refusal, runTap, startEvents

TARGETS = {'ide': 'hda', 'scsi': 'sda', 'xen': 'xvda', 'virtio': 'vda', 'usb': 'sda', 'sata': 'sda', 'fdc': 'fda', 'sd': 'sda'}


def domain(devices='', os='', top=''):
    return ("<domain type='xen'><name>probe</name><memory unit='MiB'>64</memory><vcpu>1</vcpu>"
            f"<os{' firmware=' + repr(os) if os in ('efi', 'bios') else ''}><type arch='x86_64'>hvm</type>"
            f"{os if os.startswith('<') else ''}</os>{top}<devices>{devices}</devices></domain>")


def disk(device, bus):
    source = '' if device == 'floppy' else "<source dev='/dev/probe'/>"
    return domain(f"<disk type='block' device='{device}'>{source}<target dev='{TARGETS[bus]}' bus='{bus}'/></disk>")


def video(model):
    return domain(f"<video><model type='{model}'/></video>")


def graphics(kind):
    return domain(f"<graphics type='{kind}'/>")


def hostdev(kind):
    source = {
        'pci': "<address domain='0' bus='3' slot='0' function='0'/>",
        'usb': "<vendor id='0x1234'/><product id='0x5678'/>",
        'scsi': "<adapter name='scsi_host0'/><address bus='0' target='0' unit='0'/>",
    }[kind]
    return domain(f"<hostdev mode='subsystem' type='{kind}' managed='yes'><source>{source}</source></hostdev>")


def loader(kind, readonly='yes'):
    path = {'rom': '/usr/lib/xen/boot/hvmloader', 'pflash': '/usr/share/OVMF/OVMF_CODE.fd'}[kind]
    return domain(os=f"<loader type='{kind}' readonly='{readonly}'>{path}</loader>")


def cpu(mode):
    model = '<model>qemu64</model>' if mode == 'custom' else ''
    return domain(top=f"<cpu mode='{mode}'>{model}</cpu>")


def hyperv(feature):
    more = {'spinlocks': " retries='8191'", 'vendor_id': " value='maker'"}.get(feature, '')
    return domain(top=f"<features><hyperv mode='custom'><{feature} state='on'{more}/></hyperv></features>")


# Path of an enumeration: for each of its values the definitions of which one must be accepted.
ENUMERATIONS = {
    "devices/disk/enum[@name='diskDevice']":
        {device: [disk(device, bus) for bus in TARGETS] for device in ('disk', 'cdrom', 'floppy', 'lun')},
    "devices/disk/enum[@name='bus']": {bus: [disk(device, bus) for device in ('disk', 'cdrom', 'floppy')] for bus in TARGETS},
    "devices/video/enum[@name='modelType']":
        {model: [video(model)] for model in ('vga', 'cirrus', 'vmvga', 'xen', 'vbox', 'qxl', 'virtio', 'gop', 'none', 'bochs', 'ramfb')},
    "devices/graphics/enum[@name='type']":
        {kind: [graphics(kind)] for kind in ('sdl', 'vnc', 'rdp', 'desktop', 'spice', 'egl-headless')},
    "devices/hostdev/enum[@name='subsysType']": {kind: [hostdev(kind)] for kind in ('pci', 'usb', 'scsi')},
    "os/loader/enum[@name='type']": {kind: [loader(kind)] for kind in ('rom', 'pflash')},
    "features/hyperv/enum[@name='features']":
        {feature: [hyperv(feature)] for feature in (
            'relaxed', 'vapic', 'spinlocks', 'vpindex', 'runtime', 'synic', 'stimer', 'reset', 'vendor_id', 'frequencies',
            'reenlightenment', 'tlbflush', 'ipi', 'evmcs', 'avic')},
    "os/enum[@name='firmware']": {kind: [domain(os=kind)] for kind in ('bios', 'efi')},
}
# Path of what is supported or not: a definition with it.
SWITCHES = {
    "cpu/mode[@name='host-passthrough']": cpu('host-passthrough'),
    "cpu/mode[@name='maximum']": cpu('maximum'),
    "cpu/mode[@name='host-model']": cpu('host-model'),
    "cpu/mode[@name='custom']": cpu('custom'),
    'features/genid': domain(top='<genid/>'),
    'features/vmcoreinfo': domain(top='<features><vmcoreinfo/></features>'),
    'iothreads': domain(top='<iothreads>1</iothreads>'),
    'memoryBacking': domain(top='<memoryBacking><hugepages/></memoryBacking>'),
    'devices/rng': domain("<rng model='virtio'><backend model='random'>/dev/urandom</backend></rng>"),
    'devices/filesystem': domain("<filesystem type='mount'><source dir='/srv'/><target dir='srv'/></filesystem>"),
    'devices/tpm': domain("<tpm model='tpm-tis'><backend type='emulator' version='2.0'/></tpm>"),
    'devices/redirdev': domain("<redirdev bus='usb' type='spicevmc'/>"),
    'devices/channel': domain("<channel type='pty'><target type='xen' name='org.example.0'/></channel>"),
}


def accepted(connection, xml):
    try:
        connection.domainXMLToNative('libxl-json', xml)
    except libvirt.libvirtError as error:
        equal((error.get_error_code() in (libvirt.VIR_ERR_CONFIG_UNSUPPORTED, libvirt.VIR_ERR_XML_ERROR), xml), (True, xml))
        return False
    return True


def tree(connection, *arguments):
    return ElementTree.fromstring(connection.getDomainCapabilities(*arguments))


def checkEnumeration(connection, path, values):
    element = tree(connection).find(path)
    offered = [] if element is None else [value.text for value in element]
    found = [value for value, definitions in values.items() if any(accepted(connection, xml) for xml in definitions)]
    equal(sorted(offered), sorted(found))


def checkSwitch(connection, path, xml):
    element = tree(connection).find(path)
    equal(element is not None and element.get('supported') == 'yes', accepted(connection, xml))


def checkWhich(connection):
    for arguments in ([], [None, 'i686'], [None, 'x86_64', 'xenfv', 'xen'], ['/usr/libexec/xen-stubdom-dm', None, None, None]):
        found = tree(connection, *arguments)
        equal((found.find('path').text.rsplit('/', 1)[1], found.find('domain').text, found.find('machine').text, found.find('arch').text,
               found.find('vcpu').get('max')),
              ('xen-stubdom-dm', 'xen', 'xenfv', arguments[1] if len(arguments) > 1 and arguments[1] else 'x86_64', '128'))


def checkRefused(connection):
    for arguments in (['/bin/true'], [None, 'aarch64'], [None, 'nonesuch'], [None, None, 'pc'], [None, None, None, 'kvm']):
        error = refusal(connection.getDomainCapabilities, *arguments)
        equal((error.get_error_code(), f"'{arguments[-1]}'" in error.get_error_message()), (libvirt.VIR_ERR_INVALID_ARG, True))


def main():
    quiet()
    startEvents()
    with embedded() as connection:
        tests = [(test.__name__, functools.partial(test, connection)) for test in (checkWhich, checkRefused)]
        tests += [(path, functools.partial(checkEnumeration, connection, path, values)) for path, values in ENUMERATIONS.items()]
        tests += [(path, functools.partial(checkSwitch, connection, path, xml)) for path, xml in SWITCHES.items()]
        return runTap(tests)


if __name__ == '__main__':
    sys.exit(main())
