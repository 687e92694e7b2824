# SPDX-License-Identifier: LGPL-2.1-or-later
"""libvirtd is killed at random moments of starts, stops and hotplug of three domains; each is whole or gone afterwards.

The moments are those of a seed, which is printed; $STUBDOM_RESTART_SEED gives it, $STUBDOM_RESTART_ROUNDS how many kills.
"""

import contextlib
import fcntl
import os
import random
import subprocess
import time
from pathlib import Path
from xml.etree import ElementTree

import libvirt

from domain import Connection
from harness import say, test
from host import Failure, domains, run, waitFor
from test_driver_lifecycle import killLibvirtd

ROUNDS = int(os.environ.get("STUBDOM_RESTART_ROUNDS", "3"))
SEED = int(os.environ.get("STUBDOM_RESTART_SEED", "20"))
NAMES = ("restart-1", "restart-2", "restart-3")
LOCKS = Path("/run/xen-hotplug")
DISK = Path("/root/restart.img")
FIRST, ROUND = 240, 90  # seconds of the deadline


def _virsh(*words):
    return subprocess.Popen(["virsh", "-c", "xen:///stubdom", *words], stdin=subprocess.DEVNULL,
                            stdout=subprocess.PIPE, stderr=subprocess.STDOUT)


def _hasDisk(connection, name):
    xml = connection.conn.lookupByName(name).XMLDesc()
    return any(disk.find("target").get("dev") == "xvdf" for disk in ElementTree.fromstring(xml).iter("disk"))


def _begin(connection, name, chance):
    """Starts a domain that is shut off; stops, or plugs or unplugs a disk of, one that runs. (word, process)"""
    if not connection.conn.lookupByName(name).isActive():
        return "start", _virsh("start", name)
    if chance.random() < 0.4:
        return "destroy", _virsh("destroy", name)
    if _hasDisk(connection, name):
        return "unplug", _virsh("detach-disk", name, "xvdf", "--live")
    return "plug", _virsh("attach-disk", name, str(DISK), "xvdf", "--targetbus", "xen", "--mode", "readonly", "--live")


def _problem(connection, name):
    """What is not as it should be with a domain: libvirt, Xen and the stubdomain must agree. None: all is well."""
    there = domains()
    domain = connection.conn.lookupByName(name)
    found = (domain.state()[0] in (libvirt.VIR_DOMAIN_RUNNING, libvirt.VIR_DOMAIN_PAUSED), name in there, f"{name}-dm" in there)
    if found == (False, False, False):
        return None
    if found != (True, True, True) or domain.ID() != there[name]:
        return f"libvirt: {domain.state()}, domain {domain.ID()}; Xen: {there}"
    if domain.state()[0] != libvirt.VIR_DOMAIN_RUNNING:
        return f"libvirt: {domain.state()}"
    plugged = "51792" in run("xl", "block-list", name)[1]  # xvdf
    if plugged != _hasDisk(connection, name):
        return f"xvdf is {'' if plugged else 'not '}in the guest, and {'not ' if plugged else ''}in its definition"
    return None


def _startOne(connection, chance):
    """If none runs: there is to be one that is stopped, or gets or loses its disk."""
    found = [connection.conn.lookupByName(name) for name in NAMES]
    if not any(domain.isActive() for domain in found):
        chance.choice(found).create()


def _removeFreeLocks():
    """Xen's hotplug scripts that failed, as they do when their domain goes meanwhile, leave their lock to the next script."""
    for path in LOCKS.iterdir():
        with contextlib.suppress(BlockingIOError, FileNotFoundError), path.open("rb") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            path.unlink()


def _round(number, chance):
    with Connection() as connection:
        _startOne(connection, chance)
        begun = [(name, *_begin(connection, name, chance)) for name in NAMES]
    moment = chance.uniform(0, 12)
    time.sleep(moment)
    killLibvirtd()
    for _, _, process in begun:
        process.communicate()
    words = ", ".join(f"{name} {word} {'done' if process.returncode == 0 else 'cut off'}" for name, word, process in begun)
    say(f"kill {number} after {moment:.1f} s: {words}")
    with Connection() as connection:
        for name in NAMES:
            problem = []

            def settled(name=name, problem=problem):
                problem[:] = [_problem(connection, name)]
                return problem == [None]

            try:
                waitFor(f"{name} whole or gone", settled, 60)
            except Exception as error:
                raise Failure(f"after kill {number}: {name}: {problem}") from error


@test("restart: libvirtd is killed at random moments, every domain is whole or gone", FIRST + ROUND * ROUNDS)
def killed(note):
    chance = random.Random(SEED)
    say(f"seed {SEED}, {ROUNDS} kills")
    DISK.write_bytes(bytes(1 << 20))
    with Connection() as connection:
        made = []
        try:
            for name in NAMES:
                note(name)
                made.append(connection.define(name))
            for domain in made[:2]:
                domain.start()
            for number in range(1, ROUNDS + 1):
                _round(number, chance)
        finally:
            for domain in made:
                domain.__exit__()
            DISK.unlink()
            _removeFreeLocks()
