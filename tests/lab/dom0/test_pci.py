# SPDX-License-Identifier: LGPL-2.1-or-later
"""PCI devices passed through under stock xl: at start, hot, two at once, used by the guest, and taken away again.

xl has no command for the last part of a removal (libxl.py tells why), so that
is a call of libxl.
"""

import contextlib
import os
import signal
import subprocess
import time

from domain import Connection
from guest import Guest
from harness import say, test
from host import Failure, check, read, remaining, run, waitFor
from libxl import Libxl
from monitor import Monitor
from passthrough import EDU, EDU_IDS, NIC, NIC_IDS, NO_RESET, Assignable, driver, ofStubdomain, owner
from pciguest import PciGuest
from test_driver_hostdev import EDU_OPTIONAL, hostdev, settings
from test_ends import stubdomainDies, xenCrash
from virt import refusal

# Xen 4.20 wants to know it when the guest is created.
HOT = {"passthrough": "enabled"}
# run.py --pci-rounds
CYCLES = int(os.environ.get("STUBDOM_PCI_ROUNDS", "8"))
REFUSED_WITHIN = 5
CONNECTED = "4"  # XenbusStateConnected


def idOf(address):
    """libxl's name for a device in QMP."""
    return "pci-pt-" + address.removeprefix("0000:").replace(":", "_")


def letGo(guest, address):
    """device_del, until the guest has let go: seconds."""
    with Monitor(guest.domid()) as monitor:
        start = time.monotonic()
        monitor.send("device_del", id=idOf(address))
        message, when = monitor.next("event")
        answer, _ = monitor.next("return")
    check(message["event"] == "DEVICE_DELETED" and message["data"]["device"] == idOf(address), f"event: {message}")
    check(answer["return"] == {}, f"answer: {answer}")
    return when - start


def takeBack(guest, address):
    """What a driver does after the event."""
    with Libxl() as libxl:
        status = libxl.pciDestroy(guest.domid(), address)
    check(status == 0, f"libxl_device_pci_destroy: {status}")
    check(address not in ofStubdomain(guest.stubdomain()), f"{address} is still the stubdomain's")
    check(owner(address) is None, f"libxl says {address} is domain {owner(address)}'s")


@test("pci: two devices in the configuration, at the places asked for; the guest drives both", 240, starts=1)
def atStart(note):
    note("p-start")
    devices = [f"{NIC}@1e,seize=0", f"{EDU}@1f"]
    with Assignable(NIC, EDU), PciGuest("p-start", options=[NO_RESET], pci=devices) as guest:
        guest.boot()
        seen = guest.pci()
        check(seen.get(NIC_IDS) == (0x1e, "020000", "e1000e"), f"the guest sees {seen}")
        check(seen.get(EDU_IDS, (0,))[0] == 0x1f, f"the guest sees {seen}")
        check(seen[EDU_IDS][1] == "00ff00", f"the guest sees {seen}")
        guest.useEdu()
        guest.useNic()
        guest.tell("off")
        guest.waitGone()


@test(f"pci: attached hot, one after the other, used, let go by the guest, dom0's again; {CYCLES} times in a row: no leak",
      150 + 10 * CYCLES, starts=1)
def hot(note):
    note("p-hot")
    with Assignable(NIC, EDU), PciGuest("p-hot", options=[NO_RESET], **HOT) as guest:
        guest.boot()
        check(NIC_IDS not in guest.pci(), "the guest has the device before it got it")
        for address in (NIC, EDU):
            run("xl", "pci-attach", guest.name, address)
        waitFor("both devices in the guest", lambda: {NIC_IDS, EDU_IDS} <= set(guest.pci()))
        check(ofStubdomain(guest.stubdomain()) == [NIC, EDU], f"stubdomain has {ofStubdomain(guest.stubdomain())}")
        guest.useEdu()
        guest.useNic()
        for address in (EDU, NIC):
            say(f"{address} let go after {letGo(guest, address):.2f} s")
            takeBack(guest, address)
        check(not {NIC_IDS, EDU_IDS} & set(guest.pci()), f"the guest still has {guest.pci()}")
        _cycles(guest)
        guest.tell("off")
        guest.waitGone()
    check(driver(NIC) == "e1000e", f"dom0's driver is {driver(NIC)}")


def _cycles(guest):
    nodes = None
    for number in range(CYCLES):
        run("xl", "pci-attach", guest.name, EDU)
        waitFor("edu in the guest", lambda: EDU_IDS in guest.pci())
        guest.useEdu()
        letGo(guest, EDU)
        takeBack(guest, EDU)
        now = len(run("xenstore-ls", "-f")[1].splitlines())
        if nodes not in (None, now):
            raise Failure(f"{now - nodes} more xenstore nodes after round {number + 1}")
        nodes = now


@test("pci: a guest that ignores the request keeps the device: failure at the deadline, then by force", 240, starts=1)
def ignored(note):
    note("p-ignore")
    with Assignable(EDU), Guest("p-ignore", options=[NO_RESET, "command-timeout=4"], **HOT) as guest:
        guest.create()
        guest.serial().expect("print guest: up")
        run("xl", "pci-attach", guest.name, EDU)
        with Monitor(guest.domid()) as monitor:
            start = time.monotonic()
            monitor.send("device_del", id=idOf(EDU))
            event, _ = monitor.next("event")
            answer, when = monitor.next("error")
        check(event["event"] == "DEVICE_UNPLUG_GUEST_ERROR", f"event: {event}")
        check("pci-remove-failed" in answer["error"]["desc"], f"answer: {answer}")
        check(when - start < 6, f"it took {when - start:.1f} s")
        takeBack(guest, EDU)
        guest.destroy()
        guest.waitGone()


def refuses(guest, address, *words):
    """xl pci-attach must fail at once; every word must be in what xl or the device model said."""
    start = time.monotonic()
    status, said = run("xl", "pci-attach", guest.name, address, check=False)
    took = time.monotonic() - start
    check(status != 0, f"xl attached {address}")
    for word in words:
        check(word in said + guest.log(), f"no {word!r} in {said!r} and {guest.log()!r}")
    check(took < REFUSED_WITHIN, f"xl failed after {took:.1f} s; {REFUSED_WITHIN} s are allowed")
    say(f"{words[0]}: after {took:.2f} s")


def refusedAtStart(words):
    """A domain of libvirt with the device must not start, for this reason."""
    with Connection() as connection, connection.define("p-libvirt", "print", f"<devices>{hostdev(EDU)}</devices>",
                                                       settings(EDU_OPTIONAL)) as domain:
        said = refusal(domain.libvirt.create)
        check(words in said, f"no {words!r} in {said!r}")


@test("pci: absent, not assignable, without reset, in use by another guest: refused at once, nothing left", 300,
      starts=2)
def refused(note):
    note("p-refuse")
    note("p-other")
    with Guest("p-refuse", **HOT) as guest, Guest("p-other", options=[NO_RESET], **HOT) as other:
        guest.create()
        refuses(guest, "0000:00:1d.0", "0000:00:1d.0")
        refuses(guest, EDU, "not assignable")
        with Assignable(EDU):
            refuses(guest, EDU, "cannot be reset", "pci-reset=optional")
            check(ofStubdomain(guest.stubdomain()) == [], "the stubdomain has kept the device")
            check(owner(EDU) is None, "libxl has kept the device")
            other.create()
            run("xl", "pci-attach", other.name, EDU)
            refuses(guest, EDU, "already assigned to a different guest")
            refusedAtStart(f"PCI device {EDU} is in use by domain {other.stubdomain()}, '{other.name}-dm'")
            check(ofStubdomain(other.stubdomain()) == [EDU], "the other guest lost its device")
            for one in (guest, other):
                one.destroy()
                one.waitGone()


# --- ends in the middle -----------------------------------------------------------------------

DEADLINE = 4


@contextlib.contextmanager
def attaching(guest, address):
    """`xl pci-attach` as a process whose device is with the stubdomain, of which nobody asked it yet: the device model stands still."""
    state = f"/local/domain/0/backend/pci/{guest.stubdomain()}/0/state"
    os.kill(guest.devicemodel(), signal.SIGSTOP)
    with subprocess.Popen(["xl", "pci-attach", guest.name, address], stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as process:
        try:
            waitFor("the device in the stubdomain", lambda: read(state) == CONNECTED)
            yield process
        finally:
            process.kill()


def asked(guest):
    """Lets the device model ask a stubdomain that cannot answer, as it is paused; it stays so."""
    run("xl", "pause", guest.name + "-dm")
    os.kill(guest.devicemodel(), signal.SIGCONT)
    command = f"/local/domain/{guest.stubdomain()}/device-model/{guest.domid()}/command"
    waitFor("pci-ins", lambda: read(command) == "pci-ins")


def failed(process):
    """xl pci-attach, which must fail: what it said."""
    said = process.communicate(timeout=remaining())[0].decode(errors="replace")
    check(process.returncode != 0, f"xl attached the device: {said}")
    return said


def isFree(address):
    """Nobody has the device, and it can be given away."""
    check(owner(address) is None, f"libxl says {address} is domain {owner(address)}'s")
    check(address in run("xl", "pci-assignable-list")[1], f"{address} is not assignable")


def answeredLate(guest):
    """The stubdomain answers an attachment that was given up: the device is not its, and the next attachment works."""
    with attaching(guest, EDU) as process:
        asked(guest)
        # What undoes it waits for the stubdomain: so its deadline has passed.
        backend = f"/local/domain/0/backend/pci/{guest.stubdomain()}/0/state"
        waitFor("the undoing", lambda: read(backend) != CONNECTED)
        run("xl", "unpause", guest.name + "-dm")
        failed(process)
    waitFor("the late answer", lambda: "answered 'pci-ins' after its deadline" in guest.log())
    check(f"did not answer within {DEADLINE}.0 seconds to 'pci-ins'" in guest.log(), guest.log())
    waitFor("the device's way back", lambda: not ofStubdomain(guest.stubdomain()))
    isFree(EDU)
    run("xl", "pci-attach", guest.name, EDU)
    waitFor("edu in the guest", lambda: EDU_IDS in guest.pci())
    guest.useEdu()
    letGo(guest, EDU)
    takeBack(guest, EDU)


def diesWhileAsked(guest):
    """The stubdomain ends before it answers an attachment."""
    with attaching(guest, EDU) as process:
        asked(guest)
        stubdomain = guest.stubdomain()
        stubdomainDies(guest, lambda: xenCrash(stubdomain), "crashed")
        failed(process)
    check("is gone" in guest.log(), guest.log())
    isFree(EDU)


def modelDies(guest):
    """xen-stubdom-dm ends before it asked the stubdomain: the guest goes on, and its end leaves nothing."""
    with attaching(guest, EDU) as process:
        os.kill(guest.devicemodel(), signal.SIGKILL)
        failed(process)
    waitFor("the guardian's message", lambda: "the device model process of guest" in guest.log())
    check(guest.domid() and guest.stubdomain(), "guest or stubdomain ended")
    guest.destroy()
    guest.waitGone()
    isFree(EDU)


@test("pci: late answer; the stubdomain crashes, xen-stubdom-dm is killed in the middle: noticed within 1 s, nothing left", 300, starts=2)
def inTheMiddle(note):
    with Assignable(EDU):
        for name, *steps in (("p-late", answeredLate, diesWhileAsked), ("p-killed", modelDies)):
            note(name)
            with PciGuest(name, options=[NO_RESET, f"command-timeout={DEADLINE}"], **HOT) as guest:
                guest.boot()
                for step in steps:
                    start = time.monotonic()
                    step(guest)
                    say(f"{step.__name__}: {time.monotonic() - start:.1f} s")
