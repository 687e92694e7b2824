# SPDX-License-Identifier: LGPL-2.1-or-later
"""xen-stubdom-dm or the stubdomain ends in the middle of `xl save`.

The device state takes a moment only, so the console worker is stopped to hold
that moment: the state then stays in the ring.
"""

import os
import signal
import subprocess
from pathlib import Path

from harness import test
from host import LOGS, Failure, processes, remaining, run, waitFor
from test_ends import xenCrash
from test_save import IMAGE, Counter, counting, port

# What libxl needs to give up, and the guest to be destroyed then.
GONE = 60


class Save:
    """xl save of a guest that counts, which can be held while its device state is on its way."""

    def __init__(self, guest, hold):
        self.guest = guest
        self._worker = self._findWorker() if hold else None
        self._signalWorker(signal.SIGSTOP)
        self._process = subprocess.Popen(["xl", "save", guest.name, IMAGE], stdin=subprocess.DEVNULL,
                                         stdout=subprocess.PIPE, stderr=subprocess.STDOUT)

    def _findWorker(self):
        words = ["--stubdomain", str(self.guest.stubdomain())]
        return next(pid for pid, line in processes().items() if line[1:] == words)

    def _signalWorker(self, number):
        if self._worker:
            os.kill(self._worker, number)

    def awaitAsked(self):
        """The stubdomain was told to save."""
        log = LOGS / f"stubdom-{self.guest.name}.log"
        waitFor("the stubdomain's save", lambda: "] save" in log.read_text(errors="replace"))

    def awaitSaved(self):
        """The device state is in dom0, and libxl writes the guest's memory."""
        waitFor("the device state", lambda: "bytes of device state saved" in self.guest.log())

    def release(self):
        """What holds the device state lets go."""
        self._signalWorker(signal.SIGCONT)

    def finish(self, good):
        """The end of xl, which must have succeeded or not."""
        text = self._process.communicate(timeout=remaining())[0].decode(errors="replace")
        if (self._process.returncode == 0) != good:
            raise Failure(f"xl save: status {self._process.returncode}\n{text}")

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        self._process.kill()
        self._process.wait()


def restored(counter, guest):
    """The image is whole: the guest goes on from it."""
    guest.waitGone(GONE)
    run("xl", "restore", IMAGE)
    fd = port(guest)
    counter.follow(fd, 5)
    os.close(fd)
    guest.destroy()
    guest.waitGone()


def ended(guest, *words):
    """The guest is gone without anybody's doing, and its log says why."""
    guest.waitGone(GONE)
    for word in words:
        if word not in guest.log():
            raise Failure(f"no {word!r} in {guest.log()!r}")


@test("save: xen-stubdom-dm is killed before the device state is there: the save fails, the guest goes on counting",
      300, starts=1)
def killedBefore(note):
    note("s-kill")
    counter = Counter()
    with counting("s-kill") as guest:
        guest.create()
        fd = port(guest)
        counter.follow(fd, 3)
        with Save(guest, hold=True) as save:
            save.awaitAsked()
            os.kill(guest.devicemodel(), signal.SIGKILL)
            save.release()
            save.finish(good=False)
        counter.follow(fd, 8)
        os.close(fd)
        guest.destroy()
        guest.waitGone()
    Path(IMAGE).unlink()


@test("save: xen-stubdom-dm is killed or terminated after that: the image is complete, the guest goes on from it",
      420, starts=4)
def endsAfter(note):
    for number in (signal.SIGKILL, signal.SIGTERM):
        name = f"s-after-{number}"
        note(name)
        counter = Counter()
        with counting(name, memory=256) as guest:
            guest.create()
            fd = port(guest)
            counter.follow(fd, 3)
            with Save(guest, hold=False) as save:
                save.awaitSaved()
                os.kill(guest.devicemodel(), number)
                counter.finish(fd)
                save.finish(good=True)
            os.close(fd)
            restored(counter, guest)
        Path(IMAGE).unlink()


@test("save: the stubdomain crashes before the device state is there: the save fails, the guest ends and the log says why",
      240, starts=1)
def stubdomainBefore(note):
    note("s-crash")
    counter = Counter()
    with counting("s-crash") as guest:
        guest.create()
        fd = port(guest)
        counter.follow(fd, 3)
        with Save(guest, hold=True) as save:
            save.awaitAsked()
            xenCrash(guest.stubdomain())
            save.release()
            save.finish(good=False)
        ended(guest, "crashed", "cannot go on", "is destroyed")
        os.close(fd)
    Path(IMAGE).unlink()


@test("save: the stubdomain is destroyed after that: the image is complete, the guest goes on from it", 300, starts=2)
def stubdomainAfter(note):
    note("s-destroy")
    counter = Counter()
    with counting("s-destroy", memory=256) as guest:
        guest.create()
        fd = port(guest)
        counter.follow(fd, 3)
        with Save(guest, hold=False) as save:
            save.awaitSaved()
            run("xl", "destroy", guest.name + "-dm")
            counter.finish(fd)
            save.finish(good=True)
        os.close(fd)
        restored(counter, guest)
    Path(IMAGE).unlink()
