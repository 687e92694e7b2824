# SPDX-License-Identifier: LGPL-2.1-or-later
"""The lab's two PCI devices to pass through, as dom0 and libxl see them."""

import contextlib
import socket
from pathlib import Path

from host import domains, moreTime, read, run, waitFor

NIC = "0000:00:08.0"
NIC_IDS = "8086:10d3"
EDU = "0000:00:09.0"
EDU_IDS = "1234:11e8"
CLEANUP = 60
GATEWAY = "10.0.2.2"  # the other end of the lab's e1000e answers ARP for it
DOM0 = "10.0.2.16"
ARP = 0x0806
ARP_REPLY = 2
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
            moreTime(CLEANUP)
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
        with linkInDom0():
            pass


@contextlib.contextmanager
def linkInDom0():
    """dom0's e1000e has a link: its directory in sysfs."""
    directory = next((SYSFS / "devices" / NIC / "net").iterdir())
    run("ip", "link", "set", directory.name, "up")
    waitFor("the link of dom0's e1000e", lambda: (directory / "carrier").read_text().strip() == "1", 20)
    yield directory
    run("ip", "link", "set", directory.name, "down")


def useInDom0():
    """dom0's e1000e reads and writes dom0's memory: a frame goes out and is answered."""
    with linkInDom0() as directory:
        waitFor("an answer to dom0's e1000e", lambda: _ask(directory), 20)


def _ask(directory):
    """Whether an ARP request was answered."""
    own = bytes.fromhex((directory / "address").read_text().strip().replace(":", ""))
    request = (b"\xff" * 6 + own + bytes.fromhex("0806" "0001080006040001") + own + socket.inet_aton(DOM0) + bytes(6)
               + socket.inet_aton(GATEWAY))
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ARP)) as port:
        port.bind((directory.name, ARP))
        port.settimeout(1)
        port.send(request)
        with contextlib.suppress(socket.timeout):
            while True:
                came = port.recv(2048)
                if came[21] == ARP_REPLY and came[28:32] == socket.inet_aton(GATEWAY):
                    return True
    return False


def ofStubdomain(stubdomain):
    """Addresses of the devices a domain has in xen-pciback."""
    base = f"/local/domain/0/backend/pci/{stubdomain}/0"
    count = read(f"{base}/num_devs")
    return sorted(read(f"{base}/dev-{number}") for number in range(int(count or 0)))


def owner(address):
    """Who libxl says has the device, or None."""
    return read(f"/libxl/pci/{address.replace(':', '-').replace('.', '-')}/domid")
