# SPDX-License-Identifier: LGPL-2.1-or-later
"""The libvirt driver in stock libvirtd: devices of running domains, as the guest, dom0 and libxl see them."""

import re
import threading
from xml.etree import ElementTree

import libvirt

from domain import Connection
from guest import makeMedium
from harness import test
from host import deadlinePassed, equal, read, remaining, run, waitFor
from virt import refusal

LIVE, CONFIG, FORCE = (libvirt.VIR_DOMAIN_AFFECT_LIVE, libvirt.VIR_DOMAIN_AFFECT_CONFIG,
                       libvirt.VIR_DOMAIN_DEVICE_MODIFY_FORCE)
EMULATED, PLUGGED = "00:16:3e:00:07:01", "00:16:3e:00:07:02"


def _disk(path, target="xvdb"):
    return (f"<disk type='file' device='disk'><driver name='file' type='raw'/><source file='{path}'/>"
            f"<target dev='{target}' bus='xen'/></disk>")


def cdrom(path):
    """A CD-ROM drive with that medium, or with none."""
    source = f"<source file='{path}'/>" if path else ""
    return f"<disk type='file' device='cdrom'>{source}<target dev='hdc' bus='ide'/></disk>"


def _nic(mac, model, link="up"):
    return (f"<interface type='bridge'><mac address='{mac}'/><source bridge='xenbr0'/><model type='{model}'/>"
            f"<link state='{link}'/></interface>")


class DeviceEvents:
    """What libvirtd says of a domain's devices."""

    def __init__(self, connection):
        self.changed = threading.Condition()
        self.events = []
        for number, kind in ((libvirt.VIR_DOMAIN_EVENT_ID_DEVICE_ADDED, "added"),
                             (libvirt.VIR_DOMAIN_EVENT_ID_DEVICE_REMOVED, "removed"),
                             (libvirt.VIR_DOMAIN_EVENT_ID_DEVICE_REMOVAL_FAILED, "removal failed"),
                             (libvirt.VIR_DOMAIN_EVENT_ID_TRAY_CHANGE, "tray")):
            connection.conn.domainEventRegisterAny(None, number, self._event, kind)

    def _event(self, _connection, _domain, alias, *rest):
        with self.changed:
            self.events.append((rest[-1], alias, *rest[:-1]))
            self.changed.notify_all()

    def expect(self, *wanted):
        """Waits for the next events and compares them."""
        with self.changed:
            while len(self.events) < len(wanted):
                if not self.changed.wait(remaining()):
                    raise deadlinePassed(f"wanted {wanted}, there are {self.events}")
            found, self.events = self.events[:len(wanted)], self.events[len(wanted):]
        equal(found, list(wanted))


def _backends(domid, kind):
    """What domains' backends of a kind are for: paths of disks, MAC addresses of cards."""
    base = f"/local/domain/0/backend/{kind}/{domid}"
    status, text = run("xenstore-list", base, check=False)
    node = "params" if kind == "vbd" else "mac"
    return sorted(read(f"{base}/{number}/{node}") for number in text.split()) if status == 0 else []


def _isUp(interface):
    return "UP" in re.search(r"<(.*?)>", run("ip", "-o", "link", "show", interface)[1]).group(1).split(",")


def _said(serial, word):
    serial.say(word)
    return serial.expect("\r\n").strip()


def _checkDisks(domain, events):
    path = makeMedium("plugged")
    domid, stubdomain = domain.domid(), domain.stubdomain()
    domain.libvirt.attachDevice(_disk(path))
    events.expect(("added", "disk-xvdb"))
    equal(path in _backends(domid, "vbd"), True)
    equal(path in _backends(stubdomain, "vbd"), False)
    equal("xvdb" in domain.libvirt.XMLDesc(), True)
    equal("51728" in run("xl", "block-list", domid)[1], True)
    domain.libvirt.detachDevice(_disk(path))
    events.expect(("removed", "disk-xvdb"))
    equal(path in _backends(domid, "vbd"), False)
    equal("xvdb" in domain.libvirt.XMLDesc(), False)
    waitFor("the loop device to go", lambda: path not in run("losetup", "-l")[1], 20)
    words = refusal(domain.libvirt.attachDevice, _disk("/root/nonexistent.img"))
    equal("/root/nonexistent.img" in words, True)
    words = refusal(domain.libvirt.detachDevice, _disk("/srv/guests/cdrom.img", "hda").replace("'xen'", "'ide'"))
    equal("those of the bus 'xen'" in words, True)


def _checkNics(domain, events):
    domid, stubdomain = domain.domid(), domain.stubdomain()
    domain.libvirt.attachDeviceFlags(_nic(PLUGGED, "netfront"), LIVE | CONFIG)
    events.expect(("added", "net1"))
    equal(_backends(domid, "vif"), [EMULATED, PLUGGED])
    equal(_backends(stubdomain, "vif"), [EMULATED])
    equal("master xenbr0" in run("ip", "-o", "link", "show", f"vif{domid}.1")[1], True)
    for link in ("up", "down", "up"):
        domain.libvirt.updateDeviceFlags(_nic(PLUGGED, "netfront", link), LIVE)
        domain.libvirt.updateDeviceFlags(_nic(EMULATED, "e1000", link), LIVE)
        equal([_isUp(name) for name in (f"vif{domid}.0", f"vif{domid}.1", f"vif{stubdomain}.0")], [link == "up"] * 3)
    domain.libvirt.detachDeviceAlias("net1", LIVE)
    events.expect(("removed", "net1"))
    domain.libvirt.detachDeviceFlags(_nic(PLUGGED, "netfront"), CONFIG)
    equal(_backends(domid, "vif"), [EMULATED])
    equal(PLUGGED in domain.libvirt.XMLDesc(libvirt.VIR_DOMAIN_XML_INACTIVE), False)
    equal("half in the stubdomain" in refusal(domain.libvirt.attachDevice, _nic(PLUGGED, "e1000")), True)


def _checkMedia(domain, events, serial):
    domain.libvirt.updateDeviceFlags(cdrom(makeMedium("one")), LIVE)
    events.expect(("tray", "disk-hdc", 0), ("tray", "disk-hdc", 1))
    equal(_said(serial, "read"), "medium: [medium one      ]")
    two = makeMedium("two")
    domain.libvirt.updateDeviceFlags(cdrom(two), LIVE)
    events.expect(("tray", "disk-hdc", 0), ("tray", "disk-hdc", 1))
    equal(_said(serial, "read"), "medium: [medium two      ]")
    equal(_said(serial, "lock"), "done")
    equal("cdrom-eject-failed" in refusal(domain.libvirt.updateDeviceFlags, cdrom(None), LIVE), True)
    equal(_said(serial, "read"), "medium: [medium two      ]")
    domain.libvirt.updateDeviceFlags(cdrom(None), LIVE | FORCE)
    events.expect(("tray", "disk-hdc", 0))
    equal(_said(serial, "read"), "medium: none")
    equal(two in _backends(domain.stubdomain(), "vbd"), False)
    tree = ElementTree.fromstring(domain.libvirt.XMLDesc())
    equal([disk.find("source") for disk in tree.iter("disk") if disk.get("device") == "cdrom"], [None])


@test("driver hotplug: a disk and a card come and go, links go down and up, the guest sees a medium and others", 400, starts=1)
def hotplug(note):
    note("hotplug")
    more = f"<devices>{cdrom(None)}{_nic(EMULATED, 'e1000', 'down')}</devices>"
    with Connection() as connection, connection.define("hotplug", image="cdrom", more=more) as domain:
        events = DeviceEvents(connection)
        domain.start()
        serial = domain.terminal()
        serial.expect("cdrom guest: up\r\n")
        equal(_said(serial, "read"), "medium: none")
        equal([_isUp(f"vif{domid}.0") for domid in (domain.domid(), domain.stubdomain())], [False, False])
        _checkDisks(domain, events)
        _checkNics(domain, events)
        _checkMedia(domain, events, serial)
        equal(events.events, [])
        domain.libvirt.destroy()
