# SPDX-License-Identifier: LGPL-2.1-or-later
"""Guests that do what guests do: boot from disk and network, talk, restart, power off, see their drives."""

from pathlib import Path

from guest import Guest
from harness import test
from host import Failure, domains, qemuOf, read, run, waitFor


def check(right, text):
    """Fails with a text unless right."""
    if not right:
        raise Failure(text)


@test("xl create: a guest boots from disk, its device model is in a stubdomain and none in dom0", 90, starts=1)
def createTest(note):
    note("create")
    with Guest("create", vif=["mac=00:16:3e:00:01:01,bridge=xenbr0"]) as guest:
        guest.create()
        domid, stubdomain = guest.domid(), guest.stubdomain()
        check(domid and stubdomain, f"xl list shows {domains()}")
        check(not qemuOf(domid), f"dom0 runs {qemuOf(domid)}")
        for path, value in {f"/local/domain/{domid}/image/device-model-domid": str(stubdomain),
                            f"/local/domain/{stubdomain}/target": str(domid),
                            f"/local/domain/{stubdomain}/device-model/{domid}/state": "running"}.items():
            check(read(path) == value, f"{path} is {read(path)!r}, not {value!r}")
        arguments = read(f"/local/domain/{domid}/vm") + "/image/dm-argv"
        check("-xen-domid" in run("xenstore-ls", arguments)[1], f"no argument list at {arguments}")
        guest.serial().expect("print guest: up")
        check(not qemuOf(domid), f"dom0 runs {qemuOf(domid)}")
        guest.destroy()
        guest.waitGone()


@test("serial: the echo guest answers over xl console, is reset, answers again, powers off", 150, starts=2)
def echoTest(note):
    note("echo")
    with Guest("echo", image="echo", on_reboot="restart") as guest:
        guest.create()
        first = guest.domid()
        serial = guest.console()
        serial.expect("echo guest: up")
        serial.say("hello from dom0")
        serial.expect("echo: [hello from dom0]")
        serial.say("reset")
        waitFor("another domain after the reset", lambda: guest.domid() not in (None, first) and guest.stubdomain()
                and read(f"/local/domain/{guest.domid()}/serial/0/tty"))
        serial = guest.serial()
        serial.expect("echo guest: up")
        serial.say("again")
        serial.expect("echo: [again]")
        serial.say("off")
        guest.waitGone()


@test("network: iPXE of the emulated e1000 loads and starts the boot program through the stubdomain's bridge",
      120, starts=1)
def networkTest(note):
    note("net")
    with Guest("net", image=None, boot="n", memory=96,
               vif=["mac=00:16:3e:00:02:01,bridge=xenbr0,model=e1000"]) as guest:
        guest.create()
        guest.serial().expect("net guest: up")
        guest.destroy()
        guest.waitGone()


def _medium(path, label, size):
    data = bytearray(size)
    data[:16] = label.encode().ljust(16)
    Path(path).write_bytes(data)
    return path


@test("disks: two disks and a CD-ROM appear in the configured places, the CD-ROM read-only in the backend",
      100, starts=1)
def disksTest(note):
    note("disks")
    second = _medium("/root/second.img", "label disk-two", 1 << 20)
    cdrom = _medium("/root/cdrom.iso", "label cdrom-one", 1 << 20)
    with Guest("disks", image=None, disk=["/srv/guests/disks.img,raw,hda,rw", f"{second},raw,hdb,rw",
                                          f"file:{cdrom},hdd:cdrom,r"]) as guest:
        guest.create()
        serial = guest.serial()
        stubdomain = guest.stubdomain()
        said = serial.expect("disks guest: done")
        for line in ("bios 80: disk, ", "bios 81: disk, label disk-two", "ide 0.0: disk, ", "ide 0.1: disk, ",
                     "ide 1.1: cdrom, "):
            check(line in said, f"no {line!r} in {said!r}")
        check("ide 1.0" not in said, f"a drive nobody configured: {said!r}")
        check("disk-one" in said, f"the first disk's label is missing: {said!r}")
        modes = _modesOf(stubdomain)
        check(modes == {second: "w", "/srv/guests/disks.img": "w", cdrom: "r"}, f"the backends' modes are {modes}")
        guest.destroy()
        guest.waitGone()


def _modesOf(stubdomain):
    """Files of the stubdomain's disks and how the backend opens them."""
    base = f"/local/domain/0/backend/vbd/{stubdomain}"
    return {read(f"{base}/{device}/params"): read(f"{base}/{device}/mode")
            for device in run("xenstore-list", base)[1].split()}
