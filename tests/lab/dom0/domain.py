# SPDX-License-Identifier: LGPL-2.1-or-later
"""A domain of xen:///stubdom through python3-libvirt, and the events libvirtd sends of it."""

import threading
import time
import uuid
from xml.etree import ElementTree

import libvirt

from guest import Guest
from host import Deadline, remaining

URI = "xen:///stubdom"
XML = """<domain type='xen' xmlns:stubdom='http://libvirt.org/schemas/domain/stubdom/1.0'>
  <name>{name}</name><uuid>{uuid}</uuid><memory unit='MiB'>64</memory><vcpu>1</vcpu>
  <os><type arch='x86_64'>hvm</type><boot dev='hd'/></os>
  <features><acpi/><apic/></features>
  {more}
  <devices>
    <disk type='file' device='disk'>
      <driver name='file' type='raw'/><source file='/srv/guests/{image}.img'/><target dev='hda' bus='ide'/>
    </disk>
    <serial type='pty'/>
  </devices>
  {settings}
</domain>
"""
LIFECYCLE = ("defined", "undefined", "started", "suspended", "resumed", "stopped", "shutdown", "pmsuspended", "crashed")


def _loop():
    while True:
        libvirt.virEventRunDefaultImpl()


def _startLoop(started=[]):  # pylint: disable=dangerous-default-value
    """libvirt's event loop in a thread of its own, once and before the first connection."""
    if not started:
        started.append(True)
        libvirt.registerErrorHandler(lambda context, error: None, None)
        libvirt.virEventRegisterDefaultImpl()
        threading.Thread(target=_loop, daemon=True).start()


class Connection:
    """A connection and its lifecycle events. Use it in a `with` block."""

    def __init__(self, uri=URI):
        _startLoop()
        self.libvirt = libvirt.open(uri)
        self.changed = threading.Condition()
        self.events = []
        self.libvirt.domainEventRegisterAny(None, libvirt.VIR_DOMAIN_EVENT_ID_LIFECYCLE, self._event, None)

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        self.libvirt.close()

    def _event(self, _connection, domain, event, detail, _opaque):
        with self.changed:
            self.events.append((domain.name(), LIFECYCLE[event], detail))
            self.changed.notify_all()

    def expect(self, name, *wanted):
        """Waits for the next events of a domain, each (what, detail), and compares them."""
        with self.changed:
            while True:
                found = [event[1:] for event in self.events if event[0] == name]
                if len(found) >= len(wanted):
                    break
                if not self.changed.wait(remaining()):
                    raise Deadline(f"wanted {wanted}, there are {self.events}")
            self.events = [event for event in self.events if event[0] != name]
        if found != list(wanted):
            raise AssertionError(f"events of {name}: {found}, wanted {list(wanted)}")

    def define(self, name, image="echo", more="", settings=""):
        """A domain that ends, whatever happens, with undefine()."""
        xml = XML.format(name=name, uuid=uuid.uuid4(), image=image, more=more, settings=settings)
        domain = self.libvirt.defineXML(xml)
        self.expect(name, ("defined", 0))
        return Domain(self, domain)


class Domain(Guest):
    """A domain with what a Guest of xl has: domid, stubdomain, serial port."""

    def __init__(self, connection, domain):
        super().__init__(domain.name())
        self.connection = connection
        self.libvirt = domain

    def __exit__(self, *unused):
        super().__exit__()
        domain = _open().lookupByName(self.name)
        if domain.isActive():
            domain.destroy()
        if domain.isPersistent():
            domain.undefineFlags(libvirt.VIR_DOMAIN_UNDEFINE_MANAGED_SAVE)
        self.waitGone()

    def expect(self, *wanted):
        self.connection.expect(self.name, *wanted)

    def start(self):
        self.libvirt.create()
        self.expect(("started", 0))

    def terminal(self):
        """Its serial port by the name its XML has."""
        return self.openSerial(ElementTree.fromstring(self.libvirt.XMLDesc()).find("devices/serial/source").get("path"))


def _open():
    """A connection of its own: libvirtd may have been killed under the other."""
    end = time.monotonic() + 30
    while True:
        try:
            return libvirt.open(URI)
        except libvirt.libvirtError:
            if time.monotonic() > end:
                raise
            time.sleep(0.2)
