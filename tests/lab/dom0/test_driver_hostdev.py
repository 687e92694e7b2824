# SPDX-License-Identifier: LGPL-2.1-or-later
"""The libvirt driver in stock libvirtd: a PCI device of the lab plugged into domains, unplugged, refused."""

import time

from domain import Connection
from harness import say, test
from passthrough import EDU, check, driver, ofStubdomain, owner
from test_driver_hotplug import DeviceEvents, refused

PASSTHROUGH = "<features><xen><passthrough state='on'/></xen></features>"
EDU_OPTIONAL = f"<stubdom:hostdev address='{EDU}' reset='optional'/>"


def settings(*words):
    return f"<stubdom:stubdomain>{''.join(words)}</stubdom:stubdomain>"


def hostdev(address, slot=None):
    _, bus, rest = address.split(":")
    device, function = rest.split(".")
    place = f"<address type='pci' domain='0' bus='0' slot='{slot}' function='0'/>" if slot else ""
    return (f"<hostdev mode='subsystem' type='pci' managed='yes'><source><address domain='0' bus='0x{bus}' slot='0x{device}' "
            f"function='0x{function}'/></source>{place}</hostdev>")


# What dom0 has them with; a device that is with xen-pciback already stays there.
DRIVERS = {address: driver(address) for address in (EDU,)}


def isHosts(address):
    check(driver(address) == DRIVERS[address], f"the driver of {address} is {driver(address)}, was {DRIVERS[address]}")
    check(owner(address) is None, f"libxl says {address} is domain {owner(address)}'s")


def attach(domain, events, address, alias):
    start = time.monotonic()
    domain.libvirt.attachDevice(hostdev(address))
    say(f"{address} attached after {time.monotonic() - start:.2f} s")
    events.expect(("added", alias))


def detach(domain, events, address, alias):
    start = time.monotonic()
    domain.libvirt.detachDevice(hostdev(address))
    events.expect(("removed", alias))
    say(f"{address} gone after {time.monotonic() - start:.2f} s")
    isHosts(address)


@test("driver hostdev: a guest that ignores the request keeps its device, until it is taken by force", 300, starts=1)
def ignored(note):
    note("h-ignore")
    own = ("<stubdom:timeout command='4'/>", EDU_OPTIONAL)
    with Connection() as connection, connection.define("h-ignore", "print", PASSTHROUGH, settings(*own)) as domain:
        events = DeviceEvents(connection)
        domain.start()
        domain.terminal().expect("print guest: up")
        attach(domain, events, EDU, "hostdev0")
        words = refused(domain.libvirt.detachDevice, hostdev(EDU))
        check("pci-remove-failed" in words, words)
        events.expect(("removal failed", "hostdev0"))
        check(ofStubdomain(domain.stubdomain()) == [EDU], "the device is gone")
        force = EDU_OPTIONAL.replace("/>", " unplug='force'/>")
        text = domain.libvirt.XMLDesc(2).replace(EDU_OPTIONAL, force)
        check(force in text, f"no {EDU_OPTIONAL} in {text}")
        connection.libvirt.defineXML(text)
        detach(domain, events, EDU, "hostdev0")
        domain.libvirt.destroy()


@test("driver hostdev: absent, without reset: refused before anything is touched", 300, starts=1)
def refusedBefore(note):
    note("h-refuse")
    with Connection() as connection, connection.define("h-refuse", "print", PASSTHROUGH) as domain:
        domain.start()
        for address, word in (("0000:00:1d.0", "no PCI device 0000:00:1d.0"), (EDU, f"{EDU} cannot be reset")):
            words = refused(domain.libvirt.attachDevice, hostdev(address))
            check(word in words, words)
        isHosts(EDU)
        domain.libvirt.destroy()
