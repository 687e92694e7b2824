#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""A host that is shut down and started anew, with a domain in it that counts: reboot.py before, reboot.py after.

libvirt-guests saves the domain while systemd shuts dom0 down, and starts it from its managed save image when dom0 is up
again. What is in memory (libvirtd's status files, xenstore, Xen's domains) is gone in between.
"""

import json
import os
import sys
from pathlib import Path

sys.dont_write_bytecode = True

# pylint: disable=wrong-import-position
import libvirt  # noqa: E402
from domain import Connection, Domain  # noqa: E402
from host import Failure, run, setDeadline, waitFor  # noqa: E402
from test_driver_save import GUESTS_CONFIGURATION, GUESTS_SERVICE, SAVED, counting, port  # noqa: E402
from test_save import Counter, firstCount  # noqa: E402
from virt import URI  # noqa: E402

NAME = "reboot"
SECONDS = 300
NOTE = Path("/root/reboot.json")
BOOT = Path("/proc/sys/kernel/random/boot_id")


def before():
    """A domain that counts, and what saves it when dom0 goes down."""
    GUESTS_CONFIGURATION.write_text(f"URIS={URI}\nON_BOOT=start\nON_SHUTDOWN=suspend\nSTART_DELAY=0\n")
    run("systemctl", "unmask", GUESTS_SERVICE)
    run("systemctl", "enable", "--now", GUESTS_SERVICE)
    counter = Counter()
    with Connection() as connection:
        domain = counting(connection, NAME)
        domain.start()
        fd = port(domain)
        counter.follow(fd, 5)
        os.close(fd)
    NOTE.write_text(json.dumps({"number": counter.number, "boot": BOOT.read_text()}))
    os.sync()


def after():
    """The domain goes on where it was, and what saved it is used up."""
    note = json.loads(NOTE.read_text())
    if note["boot"] == BOOT.read_text():
        raise Failure("the host was not started anew")
    with Connection() as connection:
        domain = Domain(connection, connection.conn.lookupByName(NAME))
        waitFor("the domain to run", lambda: domain.libvirt.state() ==
                [libvirt.VIR_DOMAIN_RUNNING, libvirt.VIR_DOMAIN_RUNNING_RESTORED])
        fd = port(domain)
        number = firstCount(fd)
        if number < note["number"]:
            raise Failure(f"it counted to {note['number']} and began at {number} again")
        counter = Counter(number)
        counter.follow(fd, 8)
        os.close(fd)
        if list(SAVED.iterdir()) or domain.libvirt.hasManagedSaveImage():
            raise Failure(f"left in {SAVED}: {list(SAVED.iterdir())}")
        print(f"# counted to {note['number']} before the reboot, from {number} to {counter.number} after it", flush=True)
        domain.libvirt.destroy()
        domain.libvirt.undefine()


setDeadline(SECONDS)
{"before": before, "after": after}[sys.argv[1]]()
