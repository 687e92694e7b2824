# SPDX-License-Identifier: LGPL-2.1-or-later
"""CD-ROM media that change while the guest runs, seen by the guest and by libxl."""

import json
import socket
from pathlib import Path

from guest import Guest, makeMedium
from harness import test
from host import Failure, check, read, remaining, run, waitFor


class Qmp:
    """The driver's socket of a device model."""

    def __init__(self, domid):
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.connect(f"/run/xen-stubdom/{domid}/qmp")
        self._file = self._socket.makefile("rw")
        self._socket.settimeout(remaining())
        self._file.readline()
        self.call("qmp_capabilities")

    def call(self, command, **arguments):
        """The answer; Failure with the description if it is an error."""
        self._file.write(json.dumps({"execute": command, "arguments": arguments}) + "\n")
        self._file.flush()
        while True:
            message = json.loads(self._file.readline())
            if "return" in message:
                return message["return"]
            if "error" in message:
                raise Failure(message["error"]["desc"])

    def refused(self, command, *words, **arguments):
        """The command must fail, and say so with these words."""
        try:
            self.call(command, **arguments)
        except Failure as error:
            for word in words:
                check(word in str(error), f"no {word!r} in {str(error)!r}")
        else:
            raise Failure(f"{command} {arguments} succeeded")

    def close(self):
        """Closes the connection."""
        self._file.close()
        self._socket.close()


class _Drive:
    """hdc of a guest that runs cdrom.img."""

    def __init__(self, guest, restored=False):
        self.domid, self.stubdomain, self.serial = guest.domid(), guest.stubdomain(), guest.serial()
        if not restored:
            self.serial.expect("cdrom guest: up\r\n")
        self.qmp = Qmp(self.domid)

    def change(self, medium, **arguments):
        """Another medium."""
        self.qmp.call("blockdev-change-medium", id="hdc", filename=medium, **arguments)

    def say(self, word):
        """The guest's answer to a command."""
        self.serial.say(word)
        return self.serial.expect("\r\n").strip()

    def expect(self, medium):
        """Guest, libxl, backend and loop devices agree on the medium."""
        label = f"medium: [{('medium ' + Path(medium).stem).ljust(16)}]" if medium else "medium: none"
        said = self.say("read")
        check(said == label.strip(), f"the guest says {said!r}, not {label!r}")
        params = [f"aio:{medium}"] if medium else ["", "aio:"]  # libxl writes the latter at the start
        for path in (f"/libxl/{self.domid}/device/vbd/5632", f"/local/domain/0/backend/qdisk/{self.domid}/5632"):
            check(read(path + "/params") in params, f"{path}/params is {read(path + '/params')!r}, not {params!r}")
        listed = run("xl", "list", "-l", self.domid)[1]
        disks = json.loads(listed)[0]["config"]["disks"]
        shown = [disk.get("pdev_path") or None for disk in disks if disk["vdev"] == "hdc"]
        check(shown == [medium], f"xl list says {shown} is in hdc, not {medium}")
        base = f"/local/domain/0/backend/vbd/{self.stubdomain}"
        media = sorted(read(f"{base}/{disk}/params") for disk in run("xenstore-list", base)[1].split())
        expected = sorted(["/srv/guests/cdrom.img"] + ([medium] if medium else []))
        check(media == expected, f"the stubdomain has {media}, not {expected}")

        def loops():
            used = {line.split()[-1] for line in run("losetup", "-l", "-n", "-O", "NAME,BACK-FILE")[1].splitlines()}
            return {path for path in used if path.endswith(".iso")} == ({medium} if medium else set())
        waitFor("the loop devices of other media to go", loops, 20)


@test("cdrom: the guest sees another medium, none, and one again; a locked tray and a bad file change nothing; "
      "a medium that was changed, and a locked tray, are what they were after save and restore", 500, starts=2)
def changeTest(note):
    note("cdrom")
    one, two, three = makeMedium("one"), makeMedium("two"), makeMedium("three")
    with Guest("cdrom", image=None, disk=["/srv/guests/cdrom.img,raw,hda,rw", f"file:{one},hdc:cdrom,r"]) as guest:
        guest.create()
        drive = _Drive(guest)
        drive.expect(one)
        drive.change(two)
        drive.expect(two)
        drive.qmp.call("eject", id="hdc")
        drive.expect(None)
        drive.change(three)
        drive.expect(three)
        check(drive.say("lock") == "done", "the guest cannot lock its tray")
        drive.qmp.refused("blockdev-change-medium", "hdc", "cdrom-insert-failed", id="hdc", filename=one)
        drive.expect(three)
        drive.qmp.refused("eject", "hdc", "cdrom-eject-failed", id="hdc")
        drive.expect(three)
        drive.change(one, force=True)
        drive.expect(one)
        drive.qmp.refused("blockdev-change-medium", "No such file", id="hdc", filename="/root/none.iso")
        drive.expect(one)
        check(drive.say("unlock") == "done", "the guest cannot unlock its tray")
        drive.change(two)
        drive.expect(two)
        drive = _savedAndRestored(guest, drive)
        drive.expect(two)
        drive.qmp.refused("blockdev-change-medium", "hdc", "cdrom-insert-failed", id="hdc", filename=one)
        check(drive.say("unlock") == "done", "the guest cannot unlock its tray")
        drive.change(one)
        drive.expect(one)
        drive.qmp.close()
        guest.destroy()
        guest.waitGone()


def _savedAndRestored(guest, drive):
    """The drive in the guest's next life; it was locked in the former one."""
    image = Path("/root/cdrom.image")
    check(drive.say("lock") == "done", "the guest cannot lock its tray")
    drive.qmp.close()
    run("xl", "save", guest.name, image)
    guest.waitGone()
    run("xl", "restore", image)
    image.unlink()
    return _Drive(guest, restored=True)
