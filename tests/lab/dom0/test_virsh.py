# SPDX-License-Identifier: LGPL-2.1-or-later
"""virsh's domain commands, and the programs of virtinst, on xen:///stubdom: each as somebody at a shell would use it.

A row of the walk is a command and what it must say; a "!" in front: it must
fail, and say that. What the walk leaves out has tests of its own (save, PCI
devices, graphics) or is nothing this driver has (docs/driver-methods.md).
"""

import os
from pathlib import Path
from xml.etree import ElementTree

from guest import Guest
from harness import test
from host import Failure, domains, equal, qemuOf, run
from virt import URI, Connection, removedAfterwards, waitGone, xml

NAME = "walk"


def virsh(*words, check=True):
    """Runs virsh; returns (status, what it said)."""
    return run("virsh", "-q", "-c", URI, *words, check=check)


def walk(rows):
    """Runs commands; all that went wrong is told together."""
    wrong = []
    for command, wanted in rows:
        fails = command.startswith("!")
        status, text = virsh(*command.lstrip("!").split(" "), check=False)
        if (status != 0) != fails or wanted not in text:
            wrong.append(f"virsh {command}: status {status}, {wanted!r} expected in: {text.strip()[:400]}")
    if wrong:
        raise Failure("\n".join(wrong))


INACTIVE = (
    ("list --all", NAME),
    ("list --inactive --persistent --name", NAME),
    ("list --all --no-autostart --without-managed-save", NAME),
    (f"domstate {NAME}", "shut off"),
    (f"domstate {NAME} --reason", "shut off (unknown)"),
    (f"dominfo {NAME}", "Persistent:     yes"),
    (f"domid {NAME}", "-"),
    (f"domuuid {NAME}", "-"),
    (f"dumpxml {NAME} --inactive", "<domain type='xen'>"),
    (f"domblklist {NAME} --details", "hda"),
    (f"domiflist {NAME}", "xenbr0"),
    (f"autostart {NAME}", ""),
    ("list --all --autostart --name", NAME),
    (f"autostart {NAME} --disable", ""),
    (f"desc {NAME} --config --title Some-title", ""),
    (f"desc {NAME} --title", "Some-title"),
    (f"desc {NAME} --config Some-text", ""),
    (f"metadata {NAME} http://example.org/note --config --key note --set <n>1</n>", ""),
    (f"metadata {NAME} http://example.org/note --config", "<n>1</n>"),
    (f"setmaxmem {NAME} 96M --config", ""),
    (f"setmem {NAME} 80M --config", ""),
    (f"setvcpus {NAME} 1 --config", ""),
    (f"vcpucount {NAME} --maximum --config", "2"),
    (f"vcpupin {NAME} 0 0 --config", ""),
    (f"schedinfo {NAME} --config", "Scheduler"),
    (f"domxml-to-native xen-xl --domain {NAME}", 'name = "walk"'),
    (f"!shutdown {NAME}", "not running"),
    (f"!console {NAME}", "not running"),
    (f"domrename {NAME} {NAME}-2", ""),
    (f"domrename {NAME}-2 {NAME}", ""),
)

ACTIVE = (
    (f"!start {NAME}", "already active"),
    ("list", NAME),
    (f"domstate {NAME} --reason", "running (booted)"),
    (f"dominfo {NAME}", "State:          running"),
    (f"domcontrol {NAME}", "ok"),
    (f"dumpxml {NAME}", "<alias name='serial0'/>"),
    (f"ttyconsole {NAME}", "/dev/pts/"),
    (f"domstats {NAME}", "stubdom."),
    (f"domstats {NAME} --state", "state.state=1"),
    (f"domstats {NAME} --vcpu", "vcpu.current=1"),
    (f"domstats {NAME} --block --raw", "block.count=1"),
    (f"domblkstat {NAME} hda", "hda rd_req"),
    (f"domblkinfo {NAME} hda", "Capacity"),
    (f"domblklist {NAME}", "/srv/guests/print.img"),
    (f"dommemstat {NAME}", "actual"),
    (f"cpu-stats {NAME} --total", "cpu_time"),
    (f"vcpuinfo {NAME}", "CPU time"),
    (f"vcpucount {NAME} --current --live", "1"),
    (f"vcpupin {NAME}", "0"),
    (f"emulatorpin {NAME}", "0-1"),
    (f"schedinfo {NAME}", "weight"),
    (f"schedinfo {NAME} --live weight=300", "300"),
    (f"setmem {NAME} 64M --live", ""),
    (f"!setmem {NAME} 640M --live", ""),
    (f"domif-getlink {NAME} 00:16:3e:00:06:01", "up"),
    (f"domjobinfo {NAME}", "None"),
    (f"suspend {NAME}", ""),
    (f"domstate {NAME} --reason", "paused (user)"),
    (f"resume {NAME}", ""),
    (f"domstate {NAME} --reason", "running (unpaused)"),
    (f"inject-nmi {NAME}", ""),
    (f"desc {NAME} --live --title Live-title", ""),
    (f"desc {NAME} --title", "Live-title"),
    (f"undefine {NAME}", ""),
    ("list --transient --name", NAME),
)


@test("virsh: a walk through the commands for domains, on a shut-off and on a running one", 420, starts=1)
def walkTest(note):
    note(NAME)
    card = ("<interface type='bridge'><mac address='00:16:3e:00:06:01'/><source bridge='xenbr0'/><model type='e1000'/>"
            "</interface>")
    file = Path("/root/walk.xml")
    file.write_text(xml(NAME, vcpus=2, devices=card), encoding="utf-8")
    with Connection() as virt, removedAfterwards(virt.conn, NAME):
        virsh("define", file, "--validate")
        walk(INACTIVE)
        virsh("start", NAME)
        walk(ACTIVE)
        virsh("destroy", NAME, "--graceful")
        walk([(f"!dominfo {NAME}", "failed to get domain")])
        waitGone(NAME)


@test("virsh: create --paused --autodestroy ends with its client", 200, starts=1)
def sessionTest(note):
    note("session")
    file = Path("/root/session.xml")
    file.write_text(xml("session", image="echo"), encoding="utf-8")
    with Connection() as virt, removedAfterwards(virt.conn, "session"):
        said = virsh(f"create {file} --paused --autodestroy; domstate session --reason")[1]
        if "paused" not in said:
            raise Failure(said)
        waitGone("session")


@test("virtinst: virt-install --import with its default graphics, virt-xml and virt-clone make guests of this driver, unmodified", 420, starts=2)
def virtinst(note):
    note("inst")
    with Connection() as virt, removedAfterwards(virt.conn, "inst", "inst-2"):
        disk = Path("/root/inst.img")
        disk.write_bytes(Path("/srv/guests/print.img").read_bytes())
        run("virt-install", "--connect", URI, "--name", "inst", "--memory", "64", "--import", "--hvm", "--osinfo", "generic",
            "--disk", f"{disk},format=raw", "--network", "bridge=xenbr0", "--noautoconsole")
        _prints("inst")
        devices = ElementTree.fromstring(virt.conn.lookupByName("inst").XMLDesc()).find("devices")
        equal((devices.find("graphics").get("type"), devices.find("input").get("type")), ("vnc", "tablet"))
        if not virsh("vncdisplay", "inst")[1].startswith("127.0.0.1:"):
            raise Failure("virt-install's guest has no display")
        run("virt-xml", "--connect", URI, "inst", "--edit", "--metadata", "title=by-virt-xml", "--define")
        if "by-virt-xml" not in virsh("dumpxml", "--inactive", "inst")[1]:
            raise Failure("virt-xml changed nothing")
        virsh("destroy", "inst")
        waitGone("inst")
        run("virt-clone", "--connect", URI, "--original", "inst", "--name", "inst-2", "--file", "/root/inst-2.img")
        virsh("start", "inst-2")
        _prints("inst-2")
        virsh("destroy", "inst-2")
        waitGone("inst-2")
    os.unlink("/root/inst-2.img")


@test("virtinst: virt-install --cdrom boots a guest from its medium", 240, starts=1)
def cdrom(note):
    note("inst-cd")
    with Connection() as virt, removedAfterwards(virt.conn, "inst-cd"):
        run("virt-install", "--connect", URI, "--name", "inst-cd", "--memory", "64", "--hvm", "--osinfo", "generic",
            "--cdrom", bootableMedium(), "--disk", "none", "--network", "none", "--graphics", "none", "--noautoconsole",
            "--wait", "0")
        _prints("inst-cd")
        virsh("destroy", "inst-cd")
        waitGone("inst-cd")


def _prints(name):
    """The guest boots, and its device model is not in dom0."""
    domid = domains()[name]
    if qemuOf(domid) or name + "-dm" not in domains():
        raise Failure(f"domains {domains()}, QEMU in dom0 {qemuOf(domid)}")
    with Guest(name) as guest:
        guest.serial().expect("print guest: up")


def bootableMedium(sector=2048, catalog=19, image=20):
    """A CD-ROM with nothing but El Torito's records and the printing guest's boot sector; returns its path."""
    medium = bytearray(sector * (image + 1))

    def put(number, offset, data):
        medium[number * sector + offset:number * sector + offset + len(data)] = data

    put(16, 0, b"\x01CD001\x01")                                   # primary volume descriptor
    put(16, 80, (len(medium) // sector).to_bytes(4, "little") + (len(medium) // sector).to_bytes(4, "big"))
    put(17, 0, b"\x00CD001\x01EL TORITO SPECIFICATION")            # boot record
    put(17, 0x47, catalog.to_bytes(4, "little"))
    put(18, 0, b"\xffCD001\x01")                                   # terminator
    entry = bytearray(32)                                          # validation: its 16-bit words add up to 0
    entry[0], entry[30:32] = 1, b"\x55\xaa"
    total = sum(int.from_bytes(entry[place:place + 2], "little") for place in range(0, 32, 2))
    entry[28:30] = (-total & 0xffff).to_bytes(2, "little")
    put(catalog, 0, entry)
    put(catalog, 32, bytes([0x88, 0, 0, 0, 0, 0, 4, 0]) + image.to_bytes(4, "little"))  # no emulation, 4 × 512 bytes
    put(image, 0, Path("/srv/guests/print.img").read_bytes()[:sector])
    path = Path("/root/boot.iso")
    path.write_bytes(medium)
    return str(path)
