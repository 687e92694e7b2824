# SPDX-License-Identifier: LGPL-2.1-or-later
"""The display of a domain of xen:///stubdom: what virsh and virt-install make of <graphics>, and viewers through libvirtd."""

import os
import socket
from pathlib import Path
from xml.etree import ElementTree

import libvirt

from guest import Guest
from harness import test
from host import Failure, domains, equal, processes, qemuOf, remaining, run, waitFor
from virt import URI, Connection, refused, removedAfterwards, waitGone, xml

NAME = "shown"
VNC = "<graphics type='vnc' port='-1'%s/><input type='tablet' bus='usb'/>"
CONNECTED, INITIALIZED, DISCONNECTED = range(3)


def virsh(*words, check=True):
    return run("virsh", "-q", "-c", URI, *words, check=check)


def displays():
    """Processes that show a guest."""
    return [pid for pid, words in processes().items() if os.path.basename(words[0]) == "xen-stubdom-display"]


def picture(path):
    """(width, height, pixels) of a PPM: three bytes a pixel."""
    kind, size, most, pixels = path.read_bytes().split(b"\n", 3)
    equal((kind, most), (b"P6", b"255"), "kind of picture")
    width, height = map(int, size.split())
    equal(len(pixels), width * height * 3, "bytes of a picture")
    return width, height, pixels


def drawn(width, height):
    """What display.s draws with 32 bits a pixel."""
    return b"".join(bytes(((x // 256) << 4 | y // 256, y & 255, x & 255)) for y in range(height) for x in range(width))


def screenshot(wanted):
    """Takes pictures until one is as wanted: what a guest draws is shown a moment later."""
    path = Path("/root/shown.ppm")

    def taken():
        virsh("screenshot", NAME, path)
        return picture(path) == wanted

    try:
        waitFor("the picture", taken, 60)
    except Exception as error:
        width, height, pixels = picture(path)
        raise Failure(f"the last picture is {width} x {height}, of {len(set(pixels))} values") from error
    finally:
        path.unlink(missing_ok=True)


def firstWord(connection):
    """The version and the security types a VNC server offers; the viewer hangs up then."""
    with connection:
        connection.settimeout(remaining())
        version = connection.recv(12)
        connection.sendall(version)
        count = connection.recv(1)[0]
        return version[:7], list(connection.recv(count))


class Viewers:
    """GRAPHICS events of a connection."""

    def __init__(self, conn):
        self.conn = conn
        self.seen = []
        self.number = conn.domainEventRegisterAny(None, libvirt.VIR_DOMAIN_EVENT_ID_GRAPHICS, self._note, None)

    def _note(self, _conn, domain, phase, local, remote, auth, _subject, _opaque):
        self.seen.append((domain.name(), phase, local["node"], remote["node"], auth))

    def expect(self, phase):
        waitFor(f"an event of phase {phase} among {self.seen}", lambda: [row for row in self.seen if row[1] == phase])

    def close(self):
        self.conn.domainEventDeregisterAny(self.number)


@test("display: virsh shows, photographs and types; viewers are told of", 300, starts=1)
def shown(note):
    note(NAME)
    with Connection() as virt, removedAfterwards(virt.conn, NAME):
        domain = virt.conn.defineXML(xml(NAME, image="display", devices=VNC % ""))
        domain.create()
        with Guest(NAME) as guest:
            serial = guest.serial()
            serial.expect("display guest: 320 x 200")
            port = int(ElementTree.fromstring(domain.XMLDesc()).find("devices/graphics").get("port"))
            equal(virsh("vncdisplay", NAME)[1].strip(), f"127.0.0.1:{port - 5900}")
            equal(virsh("domdisplay", NAME)[1].strip(), f"vnc://127.0.0.1:{port - 5900}")
            equal((qemuOf(domains()[NAME]), len(displays())), ([], 1), "QEMUs and display processes")
            virsh("send-key", NAME, "KEY_2")
            serial.expect("key 03")
            serial.expect("display guest: 800 x 600")
            screenshot((800, 600, drawn(800, 600)))
            virsh("send-key", NAME, "--codeset", "xt", "30")
            serial.expect("key 1e")
            viewers = Viewers(virt.conn)
            equal(firstWord(socket.create_connection(("127.0.0.1", port))), (b"RFB 003", [1]))
            viewers.expect(CONNECTED)
            viewers.expect(DISCONNECTED)
            equal(viewers.seen[0][2:4], ("127.0.0.1", "127.0.0.1"))
            viewers.close()
            equal(firstWord(socket.socket(fileno=domain.openGraphicsFD(0, 0))), (b"RFB 003", [1]))
        domain.destroy()
        waitGone(NAME)
    waitFor("the end of the display process", lambda: not displays())


@test("display: a password, which changes while the guest runs; libvirtd is killed in between", 300, starts=1)
def password(note):
    note(NAME)
    with Connection() as virt, removedAfterwards(virt.conn, NAME):
        domain = virt.conn.defineXML(xml(NAME, image="display", devices=VNC % " passwd='secret'"))
        domain.create()
        port = int(ElementTree.fromstring(domain.XMLDesc()).find("devices/graphics").get("port"))
        equal(firstWord(socket.create_connection(("127.0.0.1", port))), (b"RFB 003", [2]))
        for words in processes().values():
            if "secret" in " ".join(words):
                raise Failure(f"the password is on a command line: {words}")
        equal("secret" in virsh("dumpxml", NAME)[1], False, "whether the XML shows the password")
        refused(libvirt.VIR_ERR_OPERATION_UNSUPPORTED, domain.updateDeviceFlags, VNC.split("<input", maxsplit=1)[0] % "", 1)
        domain.updateDeviceFlags("<graphics type='vnc' port='-1' passwd='other'/>", libvirt.VIR_DOMAIN_AFFECT_LIVE)
        run("systemctl", "kill", "--kill-who=main", "--signal=KILL", "libvirtd.service")
    with Connection() as virt, removedAfterwards(virt.conn, NAME):
        domain = virt.conn.lookupByName(NAME)
        found = ElementTree.fromstring(domain.XMLDesc(libvirt.VIR_DOMAIN_XML_SECURE)).find("devices/graphics")
        equal((int(found.get("port")), found.get("passwd")), (port, "other"))
        domain.updateDeviceFlags("<graphics type='vnc' port='-1' passwd='third'/>", libvirt.VIR_DOMAIN_AFFECT_LIVE)
        domain.destroy()
        waitGone(NAME)
