#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Devices of domains that do not run: plugged, unplugged, changed. What runs is for the lab and for test-hotplug.py."""

import functools
import sys
import xml.etree.ElementTree as ElementTree

import libvirt
from driver_fixture import embedded, equal, quiet, refusal, runTap, startEvents

CONFIG = libvirt.VIR_DOMAIN_AFFECT_CONFIG
LIVE = libvirt.VIR_DOMAIN_AFFECT_LIVE

DOMAIN = """<domain type='xen'><name>guest</name><uuid>5e1f2c34-9d3a-4c61-8a35-000000000001</uuid>
<memory unit='MiB'>64</memory><vcpu>1</vcpu><os><type arch='x86_64'>hvm</type></os><devices>
<disk type='file' device='disk'><driver name='phy' type='raw'/><source file='/srv/a.img'/><target dev='hda'/></disk>
<disk type='file' device='cdrom'><source file='/srv/one.iso'/><target dev='hdc'/><alias name='ua-drive'/></disk>
<interface type='bridge'><mac address='00:16:3e:00:00:01'/><source bridge='xenbr0'/><model type='e1000'/></interface>
</devices></domain>"""


def disk(target='xvdb', source='/srv/b.img', extra=''):
    return f"<disk type='file' device='disk'><source file='{source}'/><target dev='{target}'/>{extra}</disk>"


def cdrom(source, target='hdc'):
    medium = f"<source file='{source}'/>" if source else ''
    return f"<disk type='file' device='cdrom'>{medium}<target dev='{target}'/></disk>"


def nic(mac='00:16:3e:00:00:02', extra=''):
    address = f"<mac address='{mac}'/>" if mac else ''
    return f"<interface type='bridge'>{address}<source bridge='xenbr0'/>{extra}</interface>"


def disks(domain):
    """{target: source} of the persistent definition."""
    tree = ElementTree.fromstring(domain.XMLDesc(libvirt.VIR_DOMAIN_XML_INACTIVE))
    return {entry.find('target').get('dev'): entry.find('source').get('file') if entry.find('source') is not None else None
            for entry in tree.iter('disk')}


def macs(domain):
    tree = ElementTree.fromstring(domain.XMLDesc(libvirt.VIR_DOMAIN_XML_INACTIVE))
    return [entry.find('mac').get('address') for entry in tree.iter('interface')]


def expectRefused(code, words, call, *arguments):
    error = refusal(call, *arguments)
    if error.get_error_code() != code or words not in error.get_error_message():
        raise AssertionError(f'{error.get_error_code()}: {error.get_error_message()}, not {code}: {words}')


def unchanged(domain, code, words, call, *arguments):
    before = domain.XMLDesc()
    expectRefused(code, words, call, *arguments)
    equal(domain.XMLDesc(), before)


def checkDisk(connection, domain):
    domain.attachDeviceFlags(disk(), CONFIG)
    equal(disks(domain), {'hda': '/srv/a.img', 'hdc': '/srv/one.iso', 'xvdb': '/srv/b.img'})
    unchanged(domain, libvirt.VIR_ERR_OPERATION_FAILED, "a disk 'xvdb' already", domain.attachDeviceFlags, disk(),
              CONFIG)
    domain.detachDeviceFlags(disk(), CONFIG)
    equal(disks(domain), {'hda': '/srv/a.img', 'hdc': '/srv/one.iso'})
    unchanged(domain, libvirt.VIR_ERR_DEVICE_MISSING, "no disk 'xvdb'", domain.detachDeviceFlags, disk(), CONFIG)


def checkDiskOfDefault(connection, domain):
    """Without flags it is the definition of a domain that does not run."""
    domain.attachDeviceFlags(disk(), 0)
    equal(len(disks(domain)), 3)


def checkNic(connection, domain):
    domain.attachDeviceFlags(nic(), CONFIG)
    equal(macs(domain), ['00:16:3e:00:00:01', '00:16:3e:00:00:02'])
    unchanged(domain, libvirt.VIR_ERR_OPERATION_FAILED, "an interface '00:16:3e:00:00:02' already",
              domain.attachDeviceFlags, nic(), CONFIG)
    domain.detachDeviceFlags(nic(), CONFIG)
    equal(macs(domain), ['00:16:3e:00:00:01'])
    domain.attachDeviceFlags(nic(None), CONFIG)
    equal(macs(domain)[1][:8], '00:16:3e')


def checkUpdate(connection, domain):
    domain.updateDeviceFlags(cdrom('/srv/two.iso'), CONFIG)
    equal(disks(domain), {'hda': '/srv/a.img', 'hdc': '/srv/two.iso'})
    domain.updateDeviceFlags(cdrom(None), CONFIG)
    equal(disks(domain), {'hda': '/srv/a.img', 'hdc': None})
    domain.updateDeviceFlags(nic('00:16:3e:00:00:01', "<model type='netfront'/>"), CONFIG)
    equal('netfront' in domain.XMLDesc(), True)
    domain.updateDeviceFlags(nic('00:16:3e:00:00:01', "<link state='down'/>"), CONFIG)
    equal("<link state='down'/>" in domain.XMLDesc(), True)
    unchanged(domain, libvirt.VIR_ERR_DEVICE_MISSING, "no disk 'hdd'", domain.updateDeviceFlags,
              cdrom('/srv/two.iso', 'hdd'), CONFIG)
    unchanged(domain, libvirt.VIR_ERR_OPERATION_UNSUPPORTED, "of disk 'hda' cannot be changed",
              domain.updateDeviceFlags, cdrom('/srv/two.iso', 'hda'), CONFIG)


def checkGraphics(connection, domain):
    """The display as it is to be takes the place of the one that was."""
    unchanged(domain, libvirt.VIR_ERR_DEVICE_MISSING, 'no graphics', domain.updateDeviceFlags, "<graphics type='vnc'/>", CONFIG)
    xml = DOMAIN.replace('</devices>', "<graphics type='vnc' port='-1'/></devices>")
    connection.defineXML(xml)
    domain.updateDeviceFlags("<graphics type='vnc' port='5907' passwd='secret'/>", CONFIG)
    graphics = ElementTree.fromstring(domain.XMLDesc(libvirt.VIR_DOMAIN_XML_SECURE)).find('devices/graphics')
    equal((graphics.get('port'), graphics.get('passwd')), ('5907', 'secret'))
    equal('secret' in domain.XMLDesc(), False)
    for device, words in (("<graphics type='spice'/>", 'not in dom0'), ("<graphics type='vnc' port='1'/>", '5900'),
                          ("<graphics type='vnc' passwd='123456789'/>", 'first 8')):
        unchanged(domain, libvirt.VIR_ERR_CONFIG_UNSUPPORTED, words, domain.updateDeviceFlags, device, CONFIG)
    for call in (domain.attachDeviceFlags, domain.detachDeviceFlags):
        unchanged(domain, libvirt.VIR_ERR_OPERATION_UNSUPPORTED, 'disks, interfaces and devices of the host', call, "<graphics type='vnc'/>", CONFIG)


def checkAlias(connection, domain):
    domain.detachDeviceAlias('ua-drive', CONFIG)
    equal(disks(domain), {'hda': '/srv/a.img'})
    unchanged(domain, libvirt.VIR_ERR_DEVICE_MISSING, "no device 'ua-drive'", domain.detachDeviceAlias, 'ua-drive', CONFIG)


def checkWritten(connection, domain):
    """What was changed is there after a restart."""
    domain.attachDeviceFlags(disk(), CONFIG)
    name = domain.name()
    root = connection.getURI().split('root=')[1]
    wanted = disks(domain)
    text = next(open(path).read() for path in [f'{root}/etc/{name}.xml'])
    equal('/srv/b.img' in text, True)
    equal(wanted['xvdb'], '/srv/b.img')


def checkSameRules(connection, domain):
    """A device is refused for what a definition would be refused for."""
    unsupported = libvirt.VIR_ERR_CONFIG_UNSUPPORTED
    for device, words in ((disk('vdb'), "'virtio'"), (disk('hde'), 'four places'), (disk('xvda'), "place of 'hda'"),
                          (disk('xvdb', '/srv/b,c.img'), 'comma'), (disk(extra='<shareable/>'), 'share'),
                          (disk(extra='<iotune><total_bytes_sec>1</total_bytes_sec></iotune>'), 'no limits'),
                          (nic(extra="<model type='virtio'/>"), 'netfront'),
                          (nic(extra="<filterref filter='clean-traffic'/>"), 'filter')):
        unchanged(domain, unsupported, words, domain.attachDeviceFlags, device, CONFIG)


def checkOthers(connection, domain):
    for device in ("<serial type='pty'/>", "<input type='tablet' bus='usb'/>"):
        for call in (domain.attachDeviceFlags, domain.detachDeviceFlags, domain.updateDeviceFlags):
            unchanged(domain, libvirt.VIR_ERR_OPERATION_UNSUPPORTED, 'disks, interfaces and devices of the host', call, device, CONFIG)


def checkNotRunning(connection, domain):
    for call, arguments in ((domain.attachDevice, (disk(),)), (domain.detachDevice, (disk(),)),
                            (domain.attachDeviceFlags, (disk(), LIVE | CONFIG)),
                            (domain.updateDeviceFlags, (cdrom('/srv/two.iso'), LIVE)),
                            (domain.detachDeviceAlias, ('ua-drive', LIVE))):
        unchanged(domain, libvirt.VIR_ERR_OPERATION_INVALID, 'not running', call, *arguments)


def checkFlags(connection, domain):
    for call in (domain.attachDeviceFlags, domain.detachDeviceFlags):
        expectRefused(libvirt.VIR_ERR_INVALID_ARG, 'flags', call, disk(), 1 << 20)
    unchanged(domain, libvirt.VIR_ERR_XML_DETAIL, '', domain.attachDeviceFlags, '<disk', CONFIG)


def run(check, connection):
    domain = connection.defineXML(DOMAIN)
    try:
        check(connection, domain)
    finally:
        domain.undefine()


def main():
    startEvents()
    quiet()
    checks = (checkDisk, checkDiskOfDefault, checkNic, checkUpdate, checkGraphics, checkAlias, checkWritten, checkSameRules, checkOthers,
              checkNotRunning, checkFlags)
    with embedded() as connection:
        sys.exit(runTap([(check.__name__, functools.partial(run, check, connection)) for check in checks]))


main()
