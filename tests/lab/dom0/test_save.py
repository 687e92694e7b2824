# SPDX-License-Identifier: LGPL-2.1-or-later
"""Guests that are saved and restored and never notice: one that counts, in memory, on disk and on its serial port."""

import os
import re
import select
import shutil
import subprocess
from pathlib import Path

from guest import Guest, descriptor
from harness import say, test
from host import Failure, deadlinePassed, domains, read, remaining, run, waitFor

IMAGE = "/root/save.image"
# run.py --save-rounds
ROUNDS = int(os.environ.get("STUBDOM_SAVE_ROUNDS", "3"))


class Counter:
    """What the counting guest says, over all of its lives: nothing is missing, nothing comes twice.

    number: of a guest that counts already, the last it said.
    """

    def __init__(self, number=None):
        self.number = number or 0
        self._text = ""
        self._up = number is not None
        self.medium = None

    def feed(self, data):
        """More bytes of the serial port."""
        *lines, self._text = (self._text + data.decode(errors="replace")).split("\n")
        for line in lines:
            line = line.rstrip("\r")
            if not self._up:
                self._up = line == "count guest: up"
            elif line.startswith("medium: "):
                self.medium = line
            elif line != f"count {self.number + 1:08x}":
                raise Failure(f"after count {self.number:08x} the guest said {line!r}")
            else:
                self.number += 1

    def back(self, number):
        """A former life of the guest begins again."""
        self.number = number
        self._text = ""

    def follow(self, fd, more):
        """Reads until the guest has counted some more."""
        goal = self.number + more
        while self.number < goal:
            if not select.select([fd], [], [], remaining())[0]:
                raise deadlinePassed(f"the guest counted to {self.number} only, not to {goal}")
            self.feed(os.read(fd, 4096))

    def askMedium(self, fd):
        """What the guest reads from its CD-ROM drive, counting."""
        self.medium = None
        os.write(fd, b"m")
        while self.medium is None:
            self.follow(fd, 1)
        return self.medium

    def finish(self, fd):
        """Reads what is left until the port is gone."""
        while select.select([fd], [], [], remaining())[0]:
            try:
                data = os.read(fd, 4096)
            except OSError:
                return
            if not data:
                return
            self.feed(data)


def counting(name, devices=("hda", "hdb"), **config):
    """A guest that counts, on disks of its own."""
    disks = []
    for number, device in enumerate(devices, 1):
        disk = f"/root/{name}-{number}.img"
        shutil.copy("/payload/guests/count.img", disk)
        disks.append(f"{disk},raw,{device},rw")
    return Guest(name, disk=disks, **config)


def saveAndRead(name, counter, fd):
    """xl save, while the serial port is read until it is gone: what is left in a pty is lost when that closes."""
    with subprocess.Popen(["xl", "save", name, IMAGE], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT) as process:
        counter.finish(fd)
        text = process.communicate(timeout=remaining())[0].decode(errors="replace")
    if process.returncode != 0:
        raise Failure(f"xl save {name}: status {process.returncode}\n{text}")


def port(guest):
    """The serial port of a guest's present life, as a file descriptor."""
    path = f"/local/domain/{guest.domid()}/serial/0/tty"
    return os.open(waitFor(path, lambda: read(path)), os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)


@test("save: a counting guest with two disks and two NICs is saved and restored and never notices, "
      f"{ROUNDS} times in a row",
      300 + 90 * ROUNDS, starts=1 + ROUNDS)
def saveRounds(note):
    note("save")
    counter = Counter()
    with counting("save", vif=["mac=00:16:3e:00:05:01,bridge=xenbr0",
                               "mac=00:16:3e:00:05:02,bridge=xenbr0,model=rtl8139"]) as guest:
        guest.create()
        fd = port(guest)
        counter.follow(fd, 5)
        for number in range(ROUNDS):
            stubdomain = guest.stubdomain()
            saveAndRead("save", counter, fd)
            os.close(fd)
            guest.waitGone()
            size = re.search(r"(\d+) bytes of device state saved", guest.log())
            say(f"round {number + 1}: saved by stubdomain {stubdomain} at {counter.number}, "
                f"{size.group(1) if size else '?'} bytes of device state")
            run("xl", "restore", IMAGE)
            fd = port(guest)
            counter.follow(fd, 8)
        os.close(fd)
        guest.destroy()
        guest.waitGone()
    Path(IMAGE).unlink()


def savedFiles():
    """What there is of device states in libxl's directory."""
    return sorted(Path("/var/lib/xen").glob("qemu-save.*"))


def saveFailsOf(guest, counter, fd, words):
    """A save that must fail: with these words in the log, with nothing left of it, and the guest goes on counting."""
    status, text = run("xl", "save", guest.name, IMAGE, check=False)
    if status == 0:
        raise Failure(f"xl save succeeded: {text}")
    counter.follow(fd, 5)
    for word in words:
        if word not in guest.log() or word not in text:
            raise Failure(f"no {word!r} in {guest.log()!r} or in {text!r}")
    if savedFiles():
        raise Failure(f"files are left: {savedFiles()}")


@test("save: with an image that cannot it is refused before the device model stops", 300, starts=1)
def saveRefused(note):
    note("save-refused")
    counter = Counter()
    image = descriptor("save-refused", capabilities=[])
    with counting("save-refused", image_directory=image) as guest:
        guest.create()
        fd = port(guest)
        counter.follow(fd, 5)
        saveFailsOf(guest, counter, fd, ["cannot be saved", "cannot save the device state"])
        said = Path("/var/log/xen/stubdom-save-refused.log").read_text(errors="replace")
        if "save" in said.partition("running")[2]:
            raise Failure(f"the stubdomain was asked: {said!r}")
        os.close(fd)
        guest.destroy()
        guest.waitGone()
    Path(IMAGE).unlink()


@test("save: a guest of dom0's QEMU is restored into a stubdomain, and back", 420, starts=3)
def saveCross(note):
    note("save-cross")
    counter = Counter()
    with counting("save-cross", devices=("hda",), device_model_override=None) as stock, \
            counting("save-cross", devices=("hda",)) as ours:
        stock.create()
        for guest in (ours, stock):
            fd = port(stock)
            counter.follow(fd, 5)
            saveAndRead(guest.name, counter, fd)
            os.close(fd)
            guest.waitGone()
            guest.restore(IMAGE)
            if bool(guest.stubdomain()) != (guest is ours):
                raise Failure(f"there are {domains()}")
        # QEMU in dom0 drops what nobody read from its pty, so the number is not the next one.
        fd = port(stock)
        number = firstCount(fd)
        if number <= counter.number:
            raise Failure(f"after {counter.number} the guest began at {number} again")
        counter.back(number)
        counter.follow(fd, 5)
        os.close(fd)
        stock.destroy()
        stock.waitGone()
    Path(IMAGE).unlink()


@test("save -c: the guest goes on, twice, and a former life of it can be restored", 360, starts=2)
def saveCheckpoint(note):
    note("save-c")
    counter = Counter()
    with counting("save-c", devices=("hda",)) as guest:
        guest.create()
        fd = port(guest)
        counter.follow(fd, 5)
        for _ in range(2):
            run("xl", "save", "-c", "save-c", IMAGE)
            counter.follow(fd, 5)
        os.close(fd)
        guest.destroy()
        guest.waitGone()
        run("xl", "restore", IMAGE)
        fd = port(guest)
        counter.back(firstCount(fd))
        counter.follow(fd, 5)
        os.close(fd)
        guest.destroy()
        guest.waitGone()
    Path(IMAGE).unlink()


def firstCount(fd):
    """The first whole line of a guest that was restored in the middle of one."""
    text = b""
    while not re.search(rb"\ncount ([0-9a-f]{8})\r\n$", text):
        if not select.select([fd], [], [], remaining())[0]:
            raise deadlinePassed(f"the restored guest said {text!r} only")
        text += os.read(fd, 1)
    return int(text.split()[-1], 16)
