# SPDX-License-Identifier: LGPL-2.1-or-later
"""Several guests: together, one after another, and of another toolstack."""

import uuid
from pathlib import Path
from threading import Thread

import leaks
from guest import PRODUCT, Guest
from harness import say, started, test
from host import Failure, qemuOf, run

MEANT = 10


@test("three guests at once: each prints", 340)
def three(note):
    # Just below libxl's 60 s: six domains that boot share two emulated processors.
    guests = [Guest(f"three-{number}", options=["start-timeout=57"], vif=[f"mac=00:16:3e:00:03:0{number},bridge=xenbr0"])
              for number in range(3)]
    failed = []

    def start(guest):
        try:
            guest.create()
        except Exception as error:  # pylint: disable=broad-except
            failed.append(error)

    threads = [Thread(target=start, args=(guest,)) for guest in guests]
    for guest, thread in zip(guests, threads):
        note(guest.name)
        thread.start()
    for thread in threads:
        thread.join()
    if failed:
        raise failed[0]
    for guest in guests:
        with guest:
            guest.serial().expect("print guest: up")
    for guest in guests:
        guest.destroy()


XML = """<domain type='xen'>
  <name>virsh</name><uuid>{uuid}</uuid><memory unit='MiB'>64</memory><vcpu>1</vcpu>
  <os><type arch='x86_64'>hvm</type><boot dev='hd'/></os>
  <devices>
    <emulator>{emulator}</emulator>
    <disk type='file' device='disk'>
      <driver name='qemu' type='raw'/><source file='/srv/guests/print.img'/><target dev='hda' bus='ide'/>
    </disk>
    <interface type='bridge'><mac address='00:16:3e:00:04:01'/><source bridge='xenbr0'/></interface>
    <serial type='pty'/>
  </devices>
</domain>
"""


@test("stock libvirt: virsh defines, starts and destroys a guest whose emulator is xen-stubdom-dm", 220, starts=1)
def libvirt(note):
    note("virsh")
    file = Path("/root/virsh.xml")
    file.write_text(XML.format(uuid=uuid.uuid4(), emulator=PRODUCT), encoding="utf-8")
    virsh = ["virsh", "-q", "-c", "xen:///system"]
    run(*virsh, "define", file)
    try:
        run(*virsh, "start", "virsh")
        with Guest("virsh") as guest:
            if not guest.stubdomain() or qemuOf(guest.domid()):
                raise Failure(f"stubdomain: {guest.stubdomain()}, QEMU in dom0: {qemuOf(guest.domid())}")
            guest.serial().expect("print guest: up")
        run(*virsh, "destroy", "virsh")
        guest.waitGone()
    finally:
        run(*virsh, "undefine", "virsh", check=False)


@test(f"{MEANT} guests were started one after another in this boot, each passing the leak check", 400)
def ten(note):
    """Counts the tests before it that started a guest and passed; starts what is missing."""
    say(f"{started[0]} before this test")
    for number in range(started[0], MEANT):
        before = leaks.look()
        with Guest(f"ten-{number}") as guest:
            note(guest.name)
            guest.create()
            guest.destroy()
            guest.waitGone()
        left = leaks.settled(before)
        if left:
            raise Failure("\n".join(left))
