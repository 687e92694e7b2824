# SPDX-License-Identifier: LGPL-2.1-or-later
"""The libvirt driver in stock libvirtd: the life of domains of xen:///stubdom, with the events that tell of it."""

import random
import subprocess
import time

import libvirt

from domain import Connection
from harness import test
from host import Failure, domains, equal, processes, run, waitFor
from virt import refusal

PAUSED, RUNNING, SHUTOFF = libvirt.VIR_DOMAIN_PAUSED, libvirt.VIR_DOMAIN_RUNNING, libvirt.VIR_DOMAIN_SHUTOFF


def flags(name):
    """xl's letters for a domain's state."""
    for line in run("xl", "list")[1].splitlines():
        words = line.split()
        if words[0] == name:
            return words[-2]
    return None


def killLibvirtd():
    """SIGKILL for libvirtd alone; systemd starts another."""
    pid = int(run("systemctl", "show", "-P", "MainPID", "libvirtd")[1])
    run("systemctl", "kill", "--kill-whom=main", "-s", "KILL", "libvirtd")
    waitFor("another libvirtd", lambda: run("systemctl", "show", "-P", "MainPID", "libvirtd")[1].strip() not in
            ("0", str(pid)))


def deviceModels():
    return {pid for pid, words in processes().items() if words[0].endswith("xen-stubdom-dm")}


@test("driver: started, suspended, resumed, reset, destroyed", 300, starts=1)
def life(note):
    note("life")
    with Connection() as connection, connection.define("life") as domain:
        domain.start()
        equal(domain.libvirt.state(), [RUNNING, libvirt.VIR_DOMAIN_RUNNING_BOOTED])
        equal(domain.libvirt.ID(), domain.domid())
        serial = domain.terminal()
        serial.expect("echo guest: up")
        domain.libvirt.suspend()
        domain.expect(("suspended", 0))
        equal((domain.libvirt.state()[0], "p" in flags("life"), "p" in flags("life-dm")), (PAUSED, True, True))
        domain.libvirt.resume()
        domain.expect(("resumed", 0))
        equal(("p" in flags("life"), "p" in flags("life-dm")), (False, False))
        serial.say("still there")
        serial.expect("echo: [still there]")
        domain.libvirt.reset()
        domain.expect(("stopped", 1), ("started", 0))
        domain.terminal().expect("echo guest: up")
        equal([found.name() for found in connection.conn.listAllDomains()], ["life"])
        domain.libvirt.destroy()
        domain.expect(("stopped", 1))
        equal(domain.libvirt.state(), [SHUTOFF, libvirt.VIR_DOMAIN_SHUTOFF_DESTROYED])


@test("driver: the guest resets and powers off, and its actions are done", 300, starts=1)
def actions(note):
    note("actions")
    with Connection() as connection, connection.define("actions", more="<on_reboot>restart</on_reboot>") as domain:
        domain.start()
        first = domain.domid()
        serial = domain.terminal()
        serial.expect("echo guest: up")
        serial.say("reset")
        domain.expect(("stopped", 0), ("started", 0))
        now = connection.conn.lookupByName("actions").ID()  # a handle keeps the number it was made with
        if domain.domid() == first or now != domain.domid():
            raise Failure(f"domid {domain.domid()}, before {first}, libvirt says {now}")
        serial = domain.terminal()
        serial.expect("echo guest: up")
        serial.say("off")
        domain.expect(("stopped", 0))
        equal(domain.libvirt.state(), [SHUTOFF, libvirt.VIR_DOMAIN_SHUTOFF_SHUTDOWN])


@test("driver: a start that fails quotes the cause and leaves nothing", 200)
def failure(note):
    note("failure")
    settings = "<stubdom:stubdomain><stubdom:image name='no-such-image'/></stubdom:stubdomain>"
    with Connection() as connection, connection.define("failure", settings=settings) as domain:
        words = refusal(domain.libvirt.create)
        if "no-such-image" not in words:
            raise Failure(f"the error does not name the image: {words}")
        equal(domain.libvirt.state()[0], SHUTOFF)


@test("driver: the stubdomain is destroyed, and the guest ends with the reason", 240, starts=1)
def death(note):
    note("death")
    with Connection() as connection, connection.define("death") as domain:
        domain.start()
        run("xl", "destroy", "death-dm")
        domain.expect(("stopped", 5))
        equal(domain.libvirt.state(), [SHUTOFF, libvirt.VIR_DOMAIN_SHUTOFF_CRASHED])
        if "stubdomain" not in " ".join(domain.libvirt.messages()):
            raise Failure(f"messages: {domain.libvirt.messages()}")


@test("driver: libvirtd is killed and comes back, guests go on", 400, starts=2)
def killed(note):
    chance = random.Random(3)
    names = ("killed-1", "killed-2")
    for name in names:
        note(name)
    with Connection() as connection, connection.define(names[0]) as one, connection.define(names[1]) as two:
        one.start()
        two.start()
        before, models = domains(), deviceModels()
        for _ in range(3):
            killLibvirtd()
            time.sleep(chance.uniform(0, 1))  # at any moment
            with Connection() as again:
                equal([again.conn.lookupByName(name).ID() for name in names], [before[name] for name in names])
        equal((domains(), deviceModels()), (before, models))
        with Connection() as again:
            serial = one.openSerial(_terminal(again, names[0]))
            serial.say("hello")
            serial.expect("echo: [hello]")
            serial.say("off")
            again.expectNext(names[0], ("stopped", 0))
            again.conn.lookupByName(names[1]).destroy()
            again.expectNext(names[1], ("stopped", 1))


def _terminal(connection, name):
    xml = connection.conn.lookupByName(name).XMLDesc()
    return xml.partition("source path='")[2].partition("'")[0]


@test("driver: libvirtd is killed in the middle of a start, which is undone", 240)
def interrupted(note):
    note("interrupted")
    with Connection() as connection, connection.define("interrupted") as domain:
        process = subprocess.Popen(["virsh", "-c", "xen:///stubdom", "start", "interrupted"], stdin=subprocess.DEVNULL,
                                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        waitFor("the guest and its stubdomain", lambda: {"interrupted", "interrupted-dm"} <= set(domains()))
        killLibvirtd()
        process.wait()
        domain.waitGone()
        with Connection() as again:
            equal(again.conn.lookupByName("interrupted").state()[0], SHUTOFF)


@test("driver: xen:///system and xen:///stubdom in one libvirtd know their own domains", 120)
def beside(note):
    with Connection() as ours, Connection("xen:///system") as stock:
        equal([domain.name() for domain in stock.conn.listAllDomains()], ["Domain-0"])
        equal(ours.conn.listAllDomains(), [])
