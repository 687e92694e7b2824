# SPDX-License-Identifier: LGPL-2.1-or-later
"""Domains of xen:///stubdom that are saved and restored by stock libvirtd, and never notice."""

import os
import shutil
import threading
import time
from pathlib import Path
from xml.etree import ElementTree

import libvirt

from domain import Connection
from guest import makeMedium
from harness import say, test
from host import Failure, equal, remaining, run, waitFor
from test_driver_hotplug import LIVE, cdrom
from test_driver_lifecycle import killLibvirtd
from test_save import Counter
from virt import URI, xml

SAVED = Path("/var/lib/libvirt/stubdom/save")
FILE = "/root/domain.image"
GUESTS_CONFIGURATION = Path("/etc/default/libvirt-guests")
GUESTS_SERVICE = "libvirt-guests.service"  # masked in the lab
DISK = """<disk type='file' device='disk'><driver name='file' type='raw'/><source file='{path}'/>
<target dev='hdb' bus='ide'/></disk>
{drive}
<interface type='bridge'><source bridge='xenbr0'/><model type='e1000'/></interface>
<interface type='bridge'><source bridge='xenbr0'/><model type='rtl8139'/></interface>"""


def counting(connection, name, second=True, memory=64):
    """A domain of @memory MiB that counts, on disks of its own; with a second disk, a drive and two cards on demand."""
    paths = [f"/root/{name}-{number}.img" for number in (1, 2)]
    for path in paths:
        shutil.copy("/payload/guests/count.img", path)
    devices = DISK.format(path=paths[1], drive=cdrom(makeMedium("one"))) if second else ""
    text = xml(name, image="count", memory=memory, driver="file", devices=devices)
    return connection.defineXML(text.replace("/srv/guests/count.img", paths[0]))


def port(domain):
    """The serial port of a domain's present life."""
    tree = ElementTree.fromstring(domain.libvirt.XMLDesc())
    return os.open(tree.find("devices/serial/source").get("path"), os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)


class Call:
    """A call under way in a thread of its own."""

    def __init__(self, function, *arguments):
        self.error = None
        self.start = time.monotonic()
        self.seconds = 0.0
        self.thread = threading.Thread(target=self._run, args=(function, arguments), daemon=True)
        self.thread.start()

    def _run(self, function, arguments):
        try:
            function(*arguments)
        except (libvirt.libvirtError, Failure) as error:
            self.error = error
        self.seconds = time.monotonic() - self.start

    def end(self, failure=None):
        """Waits for its end; @failure: a part of the error it must have."""
        self.thread.join(remaining())
        if self.thread.is_alive() or (self.error is not None) != (failure is not None):
            raise Failure(f"the call ended with {self.error}")
        if failure and failure not in str(self.error):
            raise Failure(f"the call failed with: {self.error}")


def saveWith(domain, counter, fd, function, *arguments):
    """Saves while the serial port is read until it is gone."""
    call = Call(function, *arguments)
    counter.finish(fd)
    os.close(fd)
    call.end()
    domain.expect(("suspended", 0), ("stopped", 4))
    domain.waitGone()
    return call.seconds


def restoreWith(domain, function, *arguments):
    call = Call(function, *arguments)
    call.end()
    domain.expect(("started", 2))
    return call.seconds


@test("driver save: a counting domain with two disks, two cards and a changed medium is saved managed, to a file, over libvirtd's restart", 700,
      starts=5)
def saveRounds(note):
    note("dsave")
    counter = Counter()
    with Connection() as connection, counting(connection, "dsave") as domain:
        domain.start()
        fd = port(domain)
        counter.follow(fd, 5)
        saved = saveWith(domain, counter, fd, domain.libvirt.managedSave)
        size = (SAVED / "dsave.save").stat().st_size
        if not domain.libvirt.hasManagedSaveImage():
            raise Failure("there is no managed save image")
        stats = domain.libvirt.jobStats(libvirt.VIR_DOMAIN_JOB_STATS_COMPLETED)
        equal((stats["type"], stats["operation"]),
              (libvirt.VIR_DOMAIN_JOB_COMPLETED, libvirt.VIR_DOMAIN_JOB_OPERATION_SAVE))
        restored = restoreWith(domain, domain.libvirt.create)
        if list(SAVED.iterdir()):
            raise Failure(f"left in {SAVED}: {list(SAVED.iterdir())}")
        say(f"managed save {saved:.1f} s, {size} bytes, start from it {restored:.1f} s")
        fd = port(domain)
        counter.follow(fd, 5)
        equal(counter.askMedium(fd), "medium: [medium one      ]")
        domain.libvirt.updateDeviceFlags(cdrom(makeMedium("two")), LIVE)
        saved = saveWith(domain, counter, fd, domain.libvirt.save, FILE)
        restored = restoreWith(domain, connection.conn.restore, FILE)
        Path(FILE).unlink()
        say(f"save {saved:.1f} s, restore {restored:.1f} s")
        fd = port(domain)
        counter.follow(fd, 5)
        equal(counter.askMedium(fd), "medium: [medium two      ]")
        saveWith(domain, counter, fd, domain.libvirt.managedSave, libvirt.VIR_DOMAIN_SAVE_BYPASS_CACHE)
        killLibvirtd()
        with Connection() as other:
            found = other.conn.lookupByName("dsave")
            if not found.hasManagedSaveImage():
                raise Failure("the next libvirtd does not know of the image")
            found.createWithFlags(libvirt.VIR_DOMAIN_START_PAUSED)
            domain.libvirt = found
            fd = port(domain)
            if found.state()[0] != libvirt.VIR_DOMAIN_PAUSED:
                raise Failure(f"started paused, it is {found.state()}")
            found.resume()
            counter.follow(fd, 5)
            os.close(fd)
            found.destroy()


@test("driver save: given up, interrupted by libvirtd's end, refused: the guest goes on", 400)
def saveFails(note):
    note("dfail")
    counter = Counter()
    # so much memory that a save cannot end between the look at it and what is done to it
    with Connection() as connection, counting(connection, "dfail", second=False, memory=256) as domain:
        domain.start()
        fd = port(domain)
        counter.follow(fd, 5)
        call = Call(domain.libvirt.managedSave)
        waitFor("bytes of the save", lambda: domain.libvirt.jobInfo()[4] > 0)
        info = domain.libvirt.jobInfo()
        domain.libvirt.abortJob()
        call.end("given up")
        say(f"given up after {info[1]} ms and {info[4]} of {info[3]} bytes, ended {call.seconds:.1f} s after it began")
        domain.expect(("suspended", 0), ("resumed", 0))
        counter.follow(fd, 5)
        if list(SAVED.iterdir()):
            raise Failure(f"left in {SAVED}: {list(SAVED.iterdir())}")
        call = Call(domain.libvirt.managedSave)
        waitFor("bytes of the save", lambda: domain.libvirt.jobInfo()[4] > 0)
        killLibvirtd()
        call.end("")
        with Connection() as other:
            domain.libvirt = other.conn.lookupByName("dfail")
            counter.follow(fd, 5)
            waitFor("the state", lambda: domain.libvirt.state()[0] == libvirt.VIR_DOMAIN_RUNNING)
            if list(SAVED.iterdir()):
                raise Failure(f"left in {SAVED}: {list(SAVED.iterdir())}")
            domain.libvirt.managedSave()
            os.close(fd)
            domain.libvirt.managedSaveRemove()


@test("driver save: libvirt-guests saves the domains when the host goes down and restores them when it comes up", 300,
      starts=2)
def hostGoesDown(note):
    note("dhost")
    counter = Counter()
    before = GUESTS_CONFIGURATION.read_text() if GUESTS_CONFIGURATION.exists() else None
    GUESTS_CONFIGURATION.write_text(f"URIS={URI}\nON_BOOT=start\nON_SHUTDOWN=suspend\nSTART_DELAY=0\n")
    try:
        with Connection() as connection, counting(connection, "dhost", second=False) as domain:
            run("systemctl", "unmask", GUESTS_SERVICE)
            run("systemctl", "start", GUESTS_SERVICE)
            domain.start()
            fd = port(domain)
            counter.follow(fd, 5)
            reader = Call(counter.finish, fd)
            run("systemctl", "stop", GUESTS_SERVICE)
            if not domain.libvirt.hasManagedSaveImage():
                raise Failure(f"not saved: it is {domain.libvirt.state()}")
            reader.end()
            os.close(fd)
            domain.expect(("suspended", 0), ("stopped", 4))
            run("systemctl", "restart", "libvirtd")
            run("systemctl", "start", GUESTS_SERVICE)
            with Connection() as other:
                domain.libvirt = other.conn.lookupByName("dhost")
                fd = port(domain)
                counter.follow(fd, 5)
                os.close(fd)
                domain.libvirt.destroy()
    finally:
        run("systemctl", "mask", "--now", GUESTS_SERVICE, check=False)
        if before is None:
            GUESTS_CONFIGURATION.unlink()
        else:
            GUESTS_CONFIGURATION.write_text(before)
