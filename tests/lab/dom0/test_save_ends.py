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
from test_save import IMAGE, Counter, counting, port, saveFailsOf

# What libxl needs to give up, and the guest to be destroyed then.
GONE = 60


class Save:
    """xl save of a guest that counts, which can be held while its device state is on its way."""

    def __init__(self, guest, hold):
        self.guest = guest
        self._asked = self._timesAsked()
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

    def _timesAsked(self):
        return (LOGS / f"stubdom-{self.guest.name}.log").read_text(errors="replace").count("] save")

    def awaitAsked(self):
        """The stubdomain was told to save, for this save."""
        waitFor("the stubdomain's save", lambda: self._timesAsked() > self._asked)

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
    """The image is whole: the guest goes on from it. Its serial port."""
    guest.waitGone(GONE)
    run("xl", "restore", IMAGE)
    fd = port(guest)
    counter.follow(fd, 5)
    return fd


def ended(guest, *words):
    """The guest is gone without anybody's doing, and its log says why."""
    guest.waitGone(GONE)
    for word in words:
        if word not in guest.log():
            raise Failure(f"no {word!r} in {guest.log()!r}")


@test("save: with too low a limit it fails, and when xen-stubdom-dm is killed before the device state is there: "
      "the guest goes on counting", 400, starts=1)
def killedBefore(note):
    note("s-kill")
    counter = Counter()
    with counting("s-kill", options=["save-limit=8192"]) as guest:
        guest.create()
        fd = port(guest)
        counter.follow(fd, 3)
        for _ in range(2):
            saveFailsOf(guest, counter, fd, ["more than the 8192 bytes", "save-limit"])
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


@test("save: xen-stubdom-dm is killed or terminated after that, or the stubdomain destroyed: the image is complete, the guest goes on from it",
      600, starts=4)
def endsAfter(note):
    note("s-after")
    counter = Counter()
    with counting("s-after", memory=256) as guest:
        guest.create()
        fd = port(guest)
        counter.follow(fd, 3)
        for end in (lambda: os.kill(guest.devicemodel(), signal.SIGKILL), lambda: os.kill(guest.devicemodel(), signal.SIGTERM),
                    lambda: run("xl", "destroy", guest.name + "-dm")):
            with Save(guest, hold=False) as save:
                save.awaitSaved()
                end()
                counter.finish(fd)
                save.finish(good=True)
            os.close(fd)
            fd = restored(counter, guest)
        os.close(fd)
        guest.destroy()
        guest.waitGone()
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
