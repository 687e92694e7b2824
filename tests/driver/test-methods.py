#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The methods of the driver, each through libvirt's API."""

import functools
import os
import subprocess
import sys
import tempfile
import threading
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import libvirt
from driver_fixture import embedded, equal, quiet, refusal, runTap, startEvents

EVENT_WAIT = 10  # seconds until an event that does not come is a failure
NOTE = 'http://example.org/note'


def xml(name, uuid='5e1f2c34-9d3a-4c61-8a35-000000000001', memory=64):
    return (f"<domain type='xen'><name>{name}</name><uuid>{uuid}</uuid><memory unit='MiB'>{memory}</memory><vcpu>2</vcpu>"
            "<os><type arch='x86_64'>hvm</type></os></domain>")


class Events:
    """The events of a connection, in order."""

    def __init__(self, connection):
        self.connection = connection
        self.seen = []
        self.changed = threading.Condition()
        self.ids = [
            connection.domainEventRegisterAny(None, libvirt.VIR_DOMAIN_EVENT_ID_LIFECYCLE, self.lifecycle, None),
            connection.domainEventRegisterAny(None, libvirt.VIR_DOMAIN_EVENT_ID_METADATA_CHANGE, self.metadata, None),
        ]

    def add(self, event):
        with self.changed:
            self.seen.append(event)
            self.changed.notify_all()

    def lifecycle(self, _connection, domain, event, detail, _opaque):
        self.add((domain.name(), event, detail))

    def metadata(self, _connection, domain, kind, uri, _opaque):
        self.add((domain.name(), 'metadata', kind, uri))

    def expect(self, *events):
        with self.changed:
            self.changed.wait_for(lambda: len(self.seen) >= len(events), EVENT_WAIT)
            equal(self.seen, list(events))

    def stop(self):
        for identifier in self.ids:
            self.connection.domainEventDeregisterAny(identifier)


def checkConnection(connection, root):
    equal(connection.getType(), 'Xen')
    equal(connection.getHostname(), libvirt.open('test:///default').getHostname())
    equal((connection.isAlive(), connection.isSecure(), connection.isEncrypted()), (1, 1, 0))
    if not os.path.exists('/sys/hypervisor/version'):
        equal(connection.getVersion(), 0)


def checkCapabilities(connection, root):
    tree = ElementTree.fromstring(connection.getCapabilities())
    equal([(guest.find('os_type').text, guest.find('arch').get('name'), guest.find('arch/domain').get('type'),
            guest.find('arch/machine').text) for guest in tree.findall('guest')],
          [('hvm', 'x86_64', 'xen', 'xenfv'), ('hvm', 'i686', 'xen', 'xenfv')])


def checkURIs(connection, root):
    for uri in ('stubdom:///system', 'stubdom:///', 'stubdom:///embed?root=/nonexistent'):
        refusal(libvirt.open, uri)
    again = libvirt.open(f'stubdom:///embed?root={root}')
    equal(again.numOfDefinedDomains(), 0)
    again.close()
    here = libvirt.open('xen:///stubdom')
    equal(here.getType(), 'Xen')
    here.close()
    equal('stubdom' in refusal(libvirt.open, 'xen:///nonesuch').get_error_message(), False)


def checkDefine(connection, root):
    events = Events(connection)
    domain = connection.defineXML(xml('guest'))
    equal((domain.name(), domain.UUIDString()), ('guest', '5e1f2c34-9d3a-4c61-8a35-000000000001'))
    equal((domain.isActive(), domain.isPersistent(), domain.isUpdated()), (0, 1, 0))
    equal(domain.info(), [libvirt.VIR_DOMAIN_SHUTOFF, 65536, 65536, 2, 0])
    equal((domain.state()[0], domain.maxMemory(), domain.OSType()), (libvirt.VIR_DOMAIN_SHUTOFF, 65536, 'hvm'))
    connection.defineXML(xml('guest', memory=128))
    equal(domain.maxMemory(), 131072)
    domain.undefine()
    equal(refusal(domain.info).get_error_code(), libvirt.VIR_ERR_NO_DOMAIN)
    equal([path.name for path in (Path(root) / 'etc').glob('*.xml')], [])
    events.expect(('guest', libvirt.VIR_DOMAIN_EVENT_DEFINED, libvirt.VIR_DOMAIN_EVENT_DEFINED_ADDED),
                  ('guest', libvirt.VIR_DOMAIN_EVENT_DEFINED, libvirt.VIR_DOMAIN_EVENT_DEFINED_UPDATED),
                  ('guest', libvirt.VIR_DOMAIN_EVENT_UNDEFINED, libvirt.VIR_DOMAIN_EVENT_UNDEFINED_REMOVED))
    events.stop()


def checkClashes(connection, root):
    """One name has one UUID and the other way round."""
    domain = connection.defineXML(xml('guest'))
    other = '5e1f2c34-9d3a-4c61-8a35-000000000002'
    refusal(connection.defineXML, xml('guest', uuid=other))
    refusal(connection.defineXML, xml('another'))
    equal(connection.listDefinedDomains(), ['guest'])
    domain.undefineFlags(libvirt.VIR_DOMAIN_UNDEFINE_MANAGED_SAVE | libvirt.VIR_DOMAIN_UNDEFINE_NVRAM)


def checkUnwritable(connection, root):
    """A definition that cannot be written does not become one, and the one before it stays."""
    events = Events(connection)
    blocker = Path(root) / 'etc' / 'guest.xml'
    blocker.mkdir()
    refusal(connection.defineXML, xml('guest'))
    equal(connection.listAllDomains(), [])
    blocker.rmdir()
    domain = connection.defineXML(xml('guest'))
    blocker.unlink()
    blocker.mkdir()
    refusal(connection.defineXML, xml('guest', memory=128))
    equal(domain.maxMemory(), 65536)
    blocker.rmdir()
    domain.undefine()
    events.expect(('guest', libvirt.VIR_DOMAIN_EVENT_DEFINED, libvirt.VIR_DOMAIN_EVENT_DEFINED_ADDED),
                  ('guest', libvirt.VIR_DOMAIN_EVENT_UNDEFINED, libvirt.VIR_DOMAIN_EVENT_UNDEFINED_REMOVED))
    events.stop()


def checkLists(connection, root):
    domains = [connection.defineXML(xml(name, f'5e1f2c34-9d3a-4c61-8a35-00000000000{i}')) for i, name in enumerate('abc')]
    domains[1].setAutostart(1)
    equal((connection.numOfDomains(), connection.listDomainsID(), connection.numOfDefinedDomains()), (0, [], 3))
    equal(sorted(connection.listDefinedDomains()), ['a', 'b', 'c'])
    filters = {
        0: 'abc',
        libvirt.VIR_CONNECT_LIST_DOMAINS_ACTIVE: '',
        libvirt.VIR_CONNECT_LIST_DOMAINS_INACTIVE: 'abc',
        libvirt.VIR_CONNECT_LIST_DOMAINS_PERSISTENT: 'abc',
        libvirt.VIR_CONNECT_LIST_DOMAINS_TRANSIENT: '',
        libvirt.VIR_CONNECT_LIST_DOMAINS_SHUTOFF: 'abc',
        libvirt.VIR_CONNECT_LIST_DOMAINS_RUNNING: '',
        libvirt.VIR_CONNECT_LIST_DOMAINS_AUTOSTART: 'b',
        libvirt.VIR_CONNECT_LIST_DOMAINS_NO_AUTOSTART: 'ac',
        libvirt.VIR_CONNECT_LIST_DOMAINS_HAS_SNAPSHOT: '',
    }
    for flags, names in filters.items():
        equal((flags, ''.join(sorted(domain.name() for domain in connection.listAllDomains(flags)))), (flags, names))
    equal(connection.lookupByName('c').UUIDString(), domains[2].UUIDString())
    equal(connection.lookupByUUIDString(domains[0].UUIDString()).name(), 'a')
    for error in (refusal(connection.lookupByName, 'd'), refusal(connection.lookupByID, 1),
                  refusal(connection.lookupByUUIDString, '5e1f2c34-9d3a-4c61-8a35-000000000009')):
        equal(error.get_error_code(), libvirt.VIR_ERR_NO_DOMAIN)
    for domain in domains:
        domain.undefine()


def checkAutostart(connection, root):
    domain = connection.defineXML(xml('guest'))
    link = Path(root) / 'etc' / 'autostart' / 'guest.xml'
    equal((domain.autostart(), link.is_symlink()), (0, False))
    for _ in range(2):
        domain.setAutostart(1)
        equal((domain.autostart(), os.readlink(link)), (1, f'{root}/etc/guest.xml'))
    domain.setAutostart(0)
    equal((domain.autostart(), link.is_symlink()), (0, False))
    domain.setAutostart(1)
    domain.undefine()
    equal(link.is_symlink(), False)


def checkRename(connection, root):
    domain = connection.defineXML(xml('before'))
    taken = connection.defineXML(xml('taken', '5e1f2c34-9d3a-4c61-8a35-000000000002'))
    domain.setAutostart(1)
    events = Events(connection)
    for name in ('taken', 'with/slash', 'with\nbreak'):
        refusal(domain.rename, name)
    domain.rename('after')
    events.expect(('before', libvirt.VIR_DOMAIN_EVENT_UNDEFINED, libvirt.VIR_DOMAIN_EVENT_UNDEFINED_RENAMED),
                  ('after', libvirt.VIR_DOMAIN_EVENT_DEFINED, libvirt.VIR_DOMAIN_EVENT_DEFINED_RENAMED))
    events.stop()
    equal(sorted(path.name for path in (Path(root) / 'etc').glob('*.xml')), ['after.xml', 'taken.xml'])
    equal([(path.name, os.readlink(path)) for path in (Path(root) / 'etc' / 'autostart').iterdir()],
          [('after.xml', f'{root}/etc/after.xml')])
    connection.lookupByName('after').undefine()
    taken.undefine()


def checkRenameUnwritable(connection, root):
    """A new name that cannot be written down is not taken."""
    domain = connection.defineXML(xml('before'))
    domain.setAutostart(1)
    blocker = Path(root) / 'etc' / 'after.xml'
    blocker.mkdir()
    refusal(domain.rename, 'after')
    blocker.rmdir()
    equal(connection.lookupByName('before').UUIDString(), domain.UUIDString())
    equal([path.name for path in (Path(root) / 'etc').glob('*.xml')], ['before.xml'])
    equal([path.name for path in (Path(root) / 'etc' / 'autostart').iterdir()], ['before.xml'])
    domain.undefine()


def checkMetadata(connection, root):
    domain = connection.defineXML(xml('guest'))
    events = Events(connection)
    domain.setMetadata(libvirt.VIR_DOMAIN_METADATA_TITLE, 'A title', None, None)
    domain.setMetadata(libvirt.VIR_DOMAIN_METADATA_DESCRIPTION, 'Words', None, None)
    domain.setMetadata(libvirt.VIR_DOMAIN_METADATA_ELEMENT, '<note>kept</note>', 'own', NOTE)
    equal(domain.metadata(libvirt.VIR_DOMAIN_METADATA_TITLE, None), 'A title')
    equal(domain.metadata(libvirt.VIR_DOMAIN_METADATA_DESCRIPTION, None), 'Words')
    equal(domain.metadata(libvirt.VIR_DOMAIN_METADATA_ELEMENT, NOTE), '<note>kept</note>')
    equal('<title>A title</title>' in (Path(root) / 'etc' / 'guest.xml').read_text(), True)
    refusal(domain.setMetadata, libvirt.VIR_DOMAIN_METADATA_TITLE, 'x', None, None, libvirt.VIR_DOMAIN_AFFECT_LIVE)
    events.expect(('guest', 'metadata', libvirt.VIR_DOMAIN_METADATA_TITLE, None),
                  ('guest', 'metadata', libvirt.VIR_DOMAIN_METADATA_DESCRIPTION, None),
                  ('guest', 'metadata', libvirt.VIR_DOMAIN_METADATA_ELEMENT, NOTE))
    events.stop()
    domain.undefine()


def checkNoXen(connection, root):
    """Without Xen domains can be defined; starting one says why it cannot, and leaves nothing."""
    domain = connection.defineXML(xml('guest'))
    for call in (domain.create, functools.partial(connection.createXML, xml('other', '5e1f2c34-9d3a-4c61-8a35-000000000009'))):
        error = refusal(call)
        equal((error.get_error_code(), 'no Xen host' in error.get_error_message()),
              (libvirt.VIR_ERR_OPERATION_UNSUPPORTED, True))
    for call in (domain.destroy, domain.shutdown, domain.reboot, domain.reset, domain.suspend, domain.resume):
        equal(refusal(call).get_error_code(), libvirt.VIR_ERR_OPERATION_INVALID)
    equal((domain.isActive(), [found.name() for found in connection.listAllDomains()]), (0, ['guest']))
    domain.undefine()


def checkNative(connection, root):
    equal('xen-sxpr' in refusal(connection.domainXMLToNative, 'xen-sxpr', xml('guest')).get_error_message(), True)


def checkSecondProcess(connection, root):
    """Two drivers on one directory would overwrite each other's files."""
    script = "import libvirt; libvirt.virEventRegisterDefaultImpl(); libvirt.open('stubdom:///embed?root=" + root + "')"
    result = subprocess.run([sys.executable, '-c', script], text=True, check=False, capture_output=True)
    equal((result.returncode, 'libvirtError' in result.stderr), (1, True))


def checkReload(connection, root):
    """Another process finds what this one has written."""
    script = '''
import sys, libvirt
libvirt.virEventRegisterDefaultImpl()
connection = libvirt.open('stubdom:///embed?root=' + sys.argv[1])
if len(sys.argv) > 2:
    connection.defineXML(sys.argv[2]).setAutostart(1)
for domain in connection.listAllDomains():
    print(domain.name(), domain.autostart(), domain.isPersistent(), domain.maxMemory())
'''
    with tempfile.TemporaryDirectory() as directory:
        for arguments in ([xml('guest')], []):
            result = subprocess.run([sys.executable, '-c', script, directory, *arguments], text=True, check=True,
                                    capture_output=True)
            equal(result.stdout, 'guest 1 1 65536\n')


TESTS = [checkConnection, checkCapabilities, checkURIs, checkDefine, checkClashes, checkUnwritable, checkLists, checkAutostart,
         checkRename, checkRenameUnwritable, checkMetadata, checkNoXen, checkNative, checkSecondProcess, checkReload]


def main():
    quiet()
    startEvents()
    with tempfile.TemporaryDirectory() as root, embedded(root) as connection:
        return runTap([(test.__name__, functools.partial(test, connection, root)) for test in TESTS])


if __name__ == '__main__':
    sys.exit(main())
