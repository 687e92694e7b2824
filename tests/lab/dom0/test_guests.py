# SPDX-License-Identifier: LGPL-2.1-or-later
"""Guests that do what guests do: boot from disk and network, talk, restart, power off, see their drives."""

import contextlib
import subprocess
from pathlib import Path

from guest import Guest
from harness import test
from host import check, domains, qemuOf, read, run, waitFor


@test("serial: the echo guest answers over xl console, is reset, answers again, powers off", 300, starts=2)
def echoTest(note):
    note("echo")
    with Guest("echo", image="echo", on_reboot="restart") as guest:
        guest.create()
        first = guest.domid()
        serial = guest.console()
        serial.expect("echo guest: up")
        serial.say("hello from dom0")
        serial.expect("echo: [hello from dom0]")
        serial.say("reset")
        waitFor("another domain after the reset", lambda: guest.domid() not in (None, first) and guest.stubdomain()
                and read(f"/local/domain/{guest.domid()}/serial/0/tty"))
        serial = guest.serial()
        serial.expect("echo guest: up")
        serial.say("again")
        serial.expect("echo: [again]")
        serial.say("off")
        guest.waitGone()


@test("xl shutdown -F: the guest sees its ACPI power button, and powers off; xl reboot -F is refused by Xen",
      240, starts=1)
def buttonTest(note):
    note("button")
    with Guest("button", image="button") as guest:
        guest.create()
        serial = guest.serial()
        serial.expect("button guest: up")
        status, said = run("xl", "reboot", "-F", guest.name, check=False)
        check(guest.domid() and guest.stubdomain(), f"xl reboot -F: {said}")
        check(status != 0, f"xl reboot -F: there is a reset trigger, so let the guest see it: {said}")
        run("xl", "shutdown", "-F", guest.name)
        serial.expect("button guest: pressed")
        guest.waitGone()


SILENT, SERVER = "silent0", "xenbr0"  # bridges
ROUTER = ["dnsmasq", "--keep-in-foreground", "--conf-file=/dev/null", "--port=0", "--bind-dynamic", "--except-interface=lo",
          "--no-ping", "--pid-file=", "--leasefile-ro", "--enable-ra"]


@contextlib.contextmanager
def _router(bridge, prefix, *options):
    """A router of IPv6 on a bridge: iPXE waits 20 s for one before it goes on with what DHCP said."""
    run("ip", "address", "add", f"{prefix}1/64", "dev", bridge, "nodad")
    try:
        with subprocess.Popen([*ROUTER, f"--interface={bridge}", f"--dhcp-range={prefix},ra-only", *options],
                              stdin=subprocess.DEVNULL) as server:
            try:
                yield
            finally:
                server.terminate()
    finally:
        run("ip", "address", "del", f"{prefix}1/64", "dev", bridge)


@test("network: iPXE of two emulated e1000: the first is told to boot nothing, the second loads and starts the boot program",
      300, starts=1)
def networkTest(note):
    note("net")
    run("ip", "link", "add", SILENT, "type", "bridge")
    try:
        run("ip", "address", "add", "192.168.78.1/24", "dev", SILENT)
        run("ip", "link", "set", SILENT, "up")
        with _router(SILENT, "fd00:78::", "--dhcp-range=192.168.78.50,192.168.78.60,1h"), _router(SERVER, "fd00:77::"), \
             Guest("net", image=None, boot="n", memory=96, vga="none",  # each line iPXE scrolls in VGA's memory takes seconds
                   vif=[f"mac=00:16:3e:00:02:01,bridge={SILENT},model=e1000",
                        f"mac=00:16:3e:00:02:02,bridge={SERVER},model=e1000"]) as guest:
            guest.create()
            stubdomain = guest.stubdomain()
            for number, bridge in enumerate((SILENT, SERVER)):
                master = Path(f"/sys/class/net/vif{stubdomain}.{number}/master").resolve().name
                check(master == bridge, f"the stubdomain's card {number} is on {master}")
            guest.serial().expect("net guest: up")
            for mac, bridge in (("00:16:3e:00:02:01", SILENT), ("00:16:3e:00:02:02", SERVER)):
                learned = run("bridge", "fdb", "show", "br", bridge)[1]
                check(mac in learned, f"{bridge} has heard nothing of {mac}: {learned}")
            guest.destroy()
            guest.waitGone()
    finally:
        run("ip", "link", "delete", SILENT)


SLOW = """#!/bin/sh
# Runs the stock script; that of a stubdomain only when the stubdomain waits for its devices. libxl gives up after 40 s.
PATH=/usr/sbin:/usr/bin:/sbin:/bin
domid=$(echo "$XENBUS_PATH" | cut -d / -f 3)
if [ "$1" = add -o "$1" = online ] && xenstore-exists "/local/domain/$domid/target"; then
    for try in $(seq 150); do
        grep -qs "device model of domain" /var/log/xen/stubdom-late.log && break
        sleep 0.2
    done
fi
exec "$0.stock" "$@"
"""


@test("disks and a card that are attached when the stubdomain waits for them already are used", 300, starts=1)
def lateTest(note):
    note("late")
    second = _medium("/root/late.img", "label disk-two", 1 << 20)
    scripts = [Path("/etc/xen/scripts") / name for name in ("block", "vif-bridge")]
    for script in scripts:
        script.rename(f"{script}.stock")
        script.write_text(SLOW)
        script.chmod(0o755)
    try:
        with Guest("late", image=None, disk=["/srv/guests/disks.img,raw,hda,rw", f"{second},raw,hdb,rw"],
                   vif=["mac=00:16:3e:00:02:04,bridge=xenbr0,model=e1000"]) as guest:
            guest.create()
            said = guest.serial().expect("disks guest: done")
            check("bios 81: disk, label disk-two" in said, f"the second disk is missing in {said!r}")
            guest.destroy()
            guest.waitGone()
    finally:
        for script in scripts:
            Path(f"{script}.stock").rename(script)


def _medium(path, label, size):
    data = bytearray(size)
    data[:16] = label.encode().ljust(16)
    Path(path).write_bytes(data)
    return path


def _checkDomains(guest):
    domid, stubdomain = guest.domid(), guest.stubdomain()
    check(domid and stubdomain, f"xl list shows {domains()}")
    check(not qemuOf(domid), f"dom0 runs {qemuOf(domid)}")
    for path, value in {f"/local/domain/{domid}/image/device-model-domid": str(stubdomain),
                        f"/local/domain/{stubdomain}/target": str(domid),
                        f"/local/domain/{stubdomain}/device-model/{domid}/state": "running"}.items():
        check(read(path) == value, f"{path} is {read(path)!r}, not {value!r}")
    arguments = read(f"/local/domain/{domid}/vm") + "/image/dm-argv"
    check("-xen-domid" in run("xenstore-ls", arguments)[1], f"no argument list at {arguments}")


@test("xl create: a guest boots from disk, its device model is in a stubdomain and none in dom0; "
      "two disks and a CD-ROM appear in the configured places, the CD-ROM read-only in the backend", 200, starts=1)
def createTest(note):
    note("create")
    second = _medium("/root/second.img", "label disk-two", 1 << 20)
    cdrom = _medium("/root/cdrom.iso", "label cdrom-one", 1 << 20)
    with Guest("create", image=None, vif=["mac=00:16:3e:00:01:01,bridge=xenbr0"],
               disk=["/srv/guests/disks.img,raw,hda,rw", f"{second},raw,hdb,rw", f"file:{cdrom},hdd:cdrom,r"]) as guest:
        guest.create()
        _checkDomains(guest)
        said = guest.serial().expect("disks guest: done")
        check(not qemuOf(guest.domid()), f"dom0 runs {qemuOf(guest.domid())}")
        for line in ("bios 80: disk, ", "bios 81: disk, label disk-two", "ide 0.0: disk, ", "ide 0.1: disk, ",
                     "ide 1.1: cdrom, "):
            check(line in said, f"no {line!r} in {said!r}")
        check("ide 1.0" not in said, f"a drive nobody configured: {said!r}")
        check("disk-one" in said, f"the first disk's label is missing: {said!r}")
        modes = _modesOf(guest.stubdomain())
        check(modes == {second: "w", "/srv/guests/disks.img": "w", cdrom: "r"}, f"the backends' modes are {modes}")
        guest.destroy()
        guest.waitGone()


def _modesOf(stubdomain):
    """Files of the stubdomain's disks and how the backend opens them."""
    base = f"/local/domain/0/backend/vbd/{stubdomain}"
    return {read(f"{base}/{device}/params"): read(f"{base}/{device}/mode")
            for device in run("xenstore-list", base)[1].split()}
