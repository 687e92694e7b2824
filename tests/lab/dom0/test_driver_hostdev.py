# SPDX-License-Identifier: LGPL-2.1-or-later
"""The libvirt driver in stock libvirtd: the lab's PCI devices in domains, from the start, plugged, unplugged, refused."""

import time
from xml.etree import ElementTree

from domain import Connection
from harness import say, test
from host import check, waitFor
from passthrough import EDU, EDU_IDS, NIC, NIC_IDS, driver, ofStubdomain, owner, useInDom0
from pciguest import PciGuest
from test_driver_hotplug import DeviceEvents
from test_driver_lifecycle import killLibvirtd
from virt import refusal

PASSTHROUGH = "<features><xen><passthrough state='on'/></xen></features>"
REFUSED_WITHIN = 1.0
EDU_OPTIONAL = f"<stubdom:hostdev address='{EDU}' reset='optional'/>"


def settings(*words):
    return f"<stubdom:stubdomain>{''.join(words)}</stubdom:stubdomain>"


def hostdev(address, slot=None):
    _, bus, rest = address.split(":")
    device, function = rest.split(".")
    place = f"<address type='pci' domain='0' bus='0' slot='{slot}' function='0'/>" if slot else ""
    return (f"<hostdev mode='subsystem' type='pci' managed='yes'><source><address domain='0' bus='0x{bus}' slot='0x{device}' "
            f"function='0x{function}'/></source>{place}</hostdev>")


def shown(domain):
    """The slots its XML says its devices have, by the host's slot."""
    return {int(device.find("source/address").get("slot"), 16): int(device.find("address").get("slot"), 16)
            for device in ElementTree.fromstring(domain.libvirt.XMLDesc()).iter("hostdev")}


# What dom0 has them with; a device that is with xen-pciback already stays there.
DRIVERS = {address: driver(address) for address in (NIC, EDU)}


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


def refusedBefore(words, call, *arguments):
    """A call that must fail with these words, and at once."""
    start = time.monotonic()
    said = refusal(call, *arguments)
    took = time.monotonic() - start
    check(words in said, said)
    check(took < REFUSED_WITHIN, f"refused after {took:.2f} s")
    say(f"{words}: after {took:.2f} s")


@test("driver hostdev: one from the start, one refused, plugged, both used, let go, and dom0's again; libvirtd killed", 400, starts=1)
def used(note):
    note("h-used")
    with Connection() as connection, connection.define("h-used", "pci", f"<devices>{hostdev(NIC, 30)}</devices>",
                                                       settings(EDU_OPTIONAL)) as domain:
        events = DeviceEvents(connection)
        domain.start()
        guest = PciGuest("h-used")
        guest.attend(domain.terminal())
        check(guest.pci().get(NIC_IDS, (0,))[0] == 30, f"the guest sees {guest.pci()}")
        guest.useNic()
        refusedBefore("no PCI device 0000:00:1d.0", domain.libvirt.attachDevice, hostdev("0000:00:1d.0"))
        with connection.define("h-refuse", "print", f"<devices>{hostdev(EDU)}</devices>") as other:
            refusedBefore(f"{EDU} cannot be reset", other.libvirt.create)
        isHosts(EDU)
        attach(domain, events, EDU, "hostdev1")
        waitFor("edu in the guest", lambda: EDU_IDS in guest.pci())
        guest.useEdu()
        wanted = {8: 30, 9: guest.pci()[EDU_IDS][0]}
        check(shown(domain) == wanted, f"shown are {shown(domain)}, wanted {wanted}")
        check(ofStubdomain(domain.stubdomain()) == [NIC, EDU], f"stubdomain has {ofStubdomain(domain.stubdomain())}")
        detach(domain, events, EDU, "hostdev1")
        detach(domain, events, NIC, "hostdev0")
        useInDom0()
        check(not {NIC_IDS, EDU_IDS} & set(guest.pci()), f"the guest still has {guest.pci()}")
        attach(domain, events, NIC, "hostdev0")
        killLibvirtd()
    isHosts(NIC)
    isHosts(EDU)
    useInDom0()


@test("driver hostdev: a guest that ignores the request keeps its device, until it is taken by force", 300, starts=1)
def ignored(note):
    note("h-ignore")
    own = ("<stubdom:timeout command='4'/>", EDU_OPTIONAL)
    with Connection() as connection, connection.define("h-ignore", "print", PASSTHROUGH, settings(*own)) as domain:
        events = DeviceEvents(connection)
        domain.start()
        domain.terminal().expect("print guest: up")
        attach(domain, events, EDU, "hostdev0")
        words = refusal(domain.libvirt.detachDevice, hostdev(EDU))
        check("pci-remove-failed" in words, words)
        events.expect(("removal failed", "hostdev0"))
        check(ofStubdomain(domain.stubdomain()) == [EDU], "the device is gone")
        force = EDU_OPTIONAL.replace("/>", " unplug='force'/>")
        text = domain.libvirt.XMLDesc(2).replace(EDU_OPTIONAL, force)
        check(force in text, f"no {EDU_OPTIONAL} in {text}")
        connection.conn.defineXML(text)
        detach(domain, events, EDU, "hostdev0")
        domain.libvirt.destroy()
