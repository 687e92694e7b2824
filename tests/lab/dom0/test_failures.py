# SPDX-License-Identifier: LGPL-2.1-or-later
"""Guests that cannot start: each is refused with its cause in the device model's log, in time, and leaves nothing."""

import re
import time
from pathlib import Path

from guest import Guest, descriptor
from harness import test
from host import Failure, domains

QUOTED = r"(?s)the stubdomain's last lines were:\n  \| "


def refused(guest, *patterns, within=45):
    """Creates a guest that must fail; every pattern must be in what xl or the device model said."""
    start = time.monotonic()
    status, said = guest.create(check=False)
    took = time.monotonic() - start
    if status == 0:
        raise Failure(f"xl created {guest.name}")
    text = f"{said}\n{guest.log()}"
    for pattern in patterns:
        if not re.search(pattern, text):
            raise Failure(f"no {pattern!r} in:\n{text}")
    if took > within:
        raise Failure(f"it took {took:.1f} s to fail; {within} s are allowed")
    if guest.domid() or guest.stubdomain():
        raise Failure(f"there are still {domains()}")


@test("start failure: the image's kernel is missing", 120)
def kernelMissing(note):
    note("f-nokernel")
    refused(Guest("f-nokernel", image_directory=descriptor("nokernel", kernel="/nonexistent/kernel")),
            "cannot read '/nonexistent/kernel'")


@test("start failure: the image's ramdisk is missing", 120)
def ramdiskMissing(note):
    note("f-noramdisk")
    refused(Guest("f-noramdisk", image_directory=descriptor("noramdisk", ramdisk="/nonexistent/ramdisk")),
            "cannot read '/nonexistent/ramdisk'")


@test("start failure: the image's kernel is a text file", 120)
def kernelText(note):
    note("f-text")
    Path("/root/text").write_text("This is no kernel.\n" * 1000)
    refused(Guest("f-text", image_directory=descriptor("text", kernel="/root/text")),
            "cannot create the stubdomain: .*kernel")


@test("start failure: no memory for the stubdomain", 120)
def noMemory(note):
    note("f-memory")
    refused(Guest("f-memory", options=["memory=60000"]), "cannot create the stubdomain: .*[Mm]emory")


@test("start failure: the stubdomain crashes at once; its last lines are quoted", 120)
def crash(note):
    note("f-crash")
    image = descriptor("crash", cmdline="console=hvc0 loglevel=4 panic=-1 rdinit=/nonexistent")
    refused(Guest("f-crash", image_directory=image), "ended before it was ready: it crashed", QUOTED + ".*panic")


@test("start failure: the stubdomain never says running, within start-timeout", 120)
def timeout(note):
    note("f-timeout")
    refused(Guest("f-timeout", options=["start-timeout=5"]), "did not get ready within|was not made within 5 seconds",
            within=30)


@test("start failure: QEMU in the stubdomain refuses its arguments; its message is quoted", 120)
def arguments(note):
    note("f-arguments")
    refused(Guest("f-arguments", device_model_args=["-device", "nonsense"]), "nonsense", QUOTED + ".*nonsense")


@test("start failure: a disk image is missing", 120)
def diskMissing(note):
    note("f-disk")
    refused(Guest("f-disk", image=None, disk=["/nonexistent/disk.img,raw,hda,rw"]), "/nonexistent/disk.img")


@test("start failure: the bridge is missing", 120)
def bridgeMissing(note):
    note("f-bridge")
    refused(Guest("f-bridge", vif=["bridge=nobr0"]), "bridge 'nobr0'|nobr0")


@test("start failure: graphics the stubdomain cannot show are refused by name", 120)
def graphics(note):
    note("f-sdl")
    refused(Guest("f-sdl", sdl=1), "sdl")
