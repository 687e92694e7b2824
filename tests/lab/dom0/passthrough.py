# SPDX-License-Identifier: LGPL-2.1-or-later
"""The lab's two PCI devices to pass through, as dom0 and libxl see them."""

from pathlib import Path

from host import Failure, domains, read, run, setDeadline, waitFor

NIC = "0000:00:08.0"
NIC_IDS = "8086:10d3"
EDU = "0000:00:09.0"
EDU_IDS = "1234:11e8"
CLEANUP = 60
SYSFS = Path("/sys/bus/pci")
EDU_IDENTIFICATION = "010000ed"

# edu has no reset, and takes what one guest left in it to the next: the tests say that they know.
NO_RESET = "pci-reset=optional"


def driver(address):
    """The driver a device is bound to, or None."""
    link = SYSFS / "devices" / address / "driver"
    return link.readlink().name if link.is_symlink() else None


class Assignable:
    """Devices that guests can be given, for a `with` block; afterwards dom0 has them back, its own driver bound.

    When the test failed, the guest that still has one is destroyed before.
    """

    def __init__(self, *addresses):
        self._addresses = addresses

    def __enter__(self):
        for address in self._addresses:
            run("xl", "pci-assignable-add", address)

    def __exit__(self, kind, *unused):
        if kind:
            setDeadline(CLEANUP)
        for address in self._addresses:
            domid = kind and owner(address)
            if domid:
                run("xl", "destroy", domid, check=False)
                waitFor(f"the end of domain {domid}", lambda wanted=domid: int(wanted) not in domains().values())
            giveBack(address)


def giveBack(address):
    """The device is dom0's again and works there."""
    run("xl", "pci-assignable-remove", "-r", address)
    wanted = "e1000e" if address == NIC else None
    waitFor(f"driver {wanted} of {address}", lambda: driver(address) == wanted, 20)
    if address == NIC:
        network = next((SYSFS / "devices" / address / "net").iterdir()).name
        run("ip", "link", "set", network, "up")
        waitFor("the link of dom0's e1000e", lambda: (SYSFS / "devices" / address / "net" / network / "carrier")
                .read_text().strip() == "1", 20)
        run("ip", "link", "set", network, "down")


def ofStubdomain(stubdomain):
    """Addresses of the devices a domain has in xen-pciback."""
    base = f"/local/domain/0/backend/pci/{stubdomain}/0"
    count = read(f"{base}/num_devs")
    return sorted(read(f"{base}/dev-{number}") for number in range(int(count or 0)))


def owner(address):
    """Who libxl says has the device, or None."""
    return read(f"/libxl/pci/{address.replace(':', '-').replace('.', '-')}/domid")


def check(right, text):
    """Fails with a text unless right."""
    if not right:
        raise Failure(text)
