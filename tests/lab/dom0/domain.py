# SPDX-License-Identifier: LGPL-2.1-or-later
"""A domain of xen:///stubdom through python3-libvirt, and the events libvirtd sends of it."""

import time
from xml.etree import ElementTree

import libvirt
import virt
from guest import Guest
from host import deadlinePassed, remaining

LIFECYCLE = ("defined", "undefined", "started", "suspended", "resumed", "stopped", "shutdown", "pmsuspended", "crashed")


class Connection(virt.Connection):
    """A connection on which domains are defined that end, whatever happens. libvirt takes one callback of a kind."""

    watched = ("lifecycle",)

    def expectNext(self, name, *wanted):
        """Waits for the next lifecycle events of a domain, each (what, detail), and compares them."""
        with self._changed:
            while True:
                found = [(LIFECYCLE[event[2]], event[3]) for event in self.events if event[:2] == (name, "lifecycle")]
                if len(found) >= len(wanted):
                    break
                if not self._changed.wait(remaining()):
                    raise deadlinePassed(f"wanted {wanted}, there are {self.events}")
            self.events = [event for event in self.events if event[0] != name]
        if found != list(wanted):
            raise AssertionError(f"events of {name}: {found}, wanted {list(wanted)}")

    def defineXML(self, xml):
        domain = self.conn.defineXML(xml)
        self.expectNext(domain.name(), ("defined", 0))
        return Domain(self, domain)

    def define(self, name, image="echo", more="", settings=""):
        return self.defineXML(virt.xml(name, image=image, driver="file", more=more, settings=settings))


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
        self.connection.expectNext(self.name, *wanted)

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
            return libvirt.open(virt.URI)
        except libvirt.libvirtError:
            if time.monotonic() > end:
                raise
            time.sleep(0.2)
