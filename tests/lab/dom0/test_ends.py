# SPDX-License-Identifier: LGPL-2.1-or-later
"""Guests whose end is not their own choice: destroyed, or left without stubdomain or device model process.

What ends in the middle of something is in test_pci.py and test_save_ends.py.
"""

import ctypes
import glob
import os
import signal
import time

from guest import Guest
from harness import test
from host import Failure, run
from monitor import Monitor

NOTICED = 1.0
SHUTDOWN_CRASH = 3  # Xen: sched.h


def stubdomainDies(guest, kill, reason):
    """Ends a running guest's stubdomain; checks that it is noticed at once and reported, and the end of the guest.

    kill: ends the stubdomain and returns when it is dead.
    """
    with Monitor(guest.domid()) as monitor:
        kill()
        dead = time.monotonic()
        message, when = monitor.next("event")
    if message["event"] != "STUBDOMAIN_DEATH" or reason not in message["data"]["reason"]:
        raise Failure(f"the event is {message}")
    if when - dead > NOTICED:
        raise Failure(f"the death was noticed after {when - dead:.2f} s")
    guest.waitGone()
    if reason not in guest.log():
        raise Failure(f"no {reason!r} in {guest.log()!r}")


def xenCrash(domid):
    """Lets Xen end a domain as one that crashed."""
    library = ctypes.CDLL(glob.glob("/usr/lib/x86_64-linux-gnu/libxenctrl.so.*")[0], use_errno=True)
    library.xc_interface_open.restype = ctypes.c_void_p
    handle = ctypes.c_void_p(library.xc_interface_open(None, None, 0))
    status = library.xc_domain_shutdown(handle, ctypes.c_uint32(domid), ctypes.c_int(SHUTDOWN_CRASH))
    library.xc_interface_close(handle)
    if status != 0:
        raise Failure(f"Xen did not crash domain {domid}")


@test("the stubdomain is destroyed under a running guest: noticed within 1 s, event, log, the guest ends as crashed",
      180, starts=1)
def stubdomainDestroyed(note):
    note("e-destroyed")
    with Guest("e-destroyed") as guest:
        guest.create()
        stubdomainDies(guest, lambda: run("xl", "destroy", guest.name + "-dm"), "destroyed")
        if "reported as crashed" not in guest.log():
            raise Failure(f"the guest did not end as crashed: {guest.log()!r}")


@test("xen-stubdom-dm gets SIGTERM: the stubdomain is destroyed, the guest ends as crashed", 180, starts=1)
def terminated(note):
    note("e-term")
    with Guest("e-term") as guest:
        guest.create()
        os.kill(guest.devicemodel(), signal.SIGTERM)
        guest.waitGone()
        if "ending on SIGTERM" not in guest.log():
            raise Failure(guest.log())
