# SPDX-License-Identifier: LGPL-2.1-or-later
"""Stock libvirtd with the installed driver: it is found, it spoils nothing, and without its drop-in it was never there."""

import contextlib
from pathlib import Path

from harness import test
from host import Failure, run

STUBDOM = "xen:///stubdom"
STOCK = "xen:///system"
CONF = Path("/etc/libvirt/stubdom.conf")
DROP_IN = Path("/usr/lib/systemd/system/libvirtd.service.d/50-stubdom.conf")


@contextlib.contextmanager
def content(path, text):
    """A file with other content, or away (None). libvirtd reads it anew, also when it is as before."""
    before = path.read_text()
    try:
        if text is None:
            path.unlink()
        else:
            path.write_text(text)
        restart()
        yield
    finally:
        path.write_text(before)
        restart()


def restart():
    """Its sockets stay, and the next client starts it."""
    run("systemctl", "daemon-reload")
    run("systemctl", "stop", "libvirtd.service")


def says(wanted, uri, *words, status=0):
    """virsh ends with the status and says what is wanted."""
    found, text = run("virsh", "-c", uri, *words, check=False)
    if found != status or wanted not in text:
        raise Failure(f"virsh -c {uri} {' '.join(words)}: status {found}, and no {wanted!r} in:\n{text}")


@test("libvirtd: the driver beside the stock ones", 120)
def beside(_note):
    restart()
    says("Running hypervisor: Xen", STUBDOM, "version")
    says("State", STUBDOM, "list", "--all")
    says("<emulator>/usr/libexec/xen-stubdom-dm</emulator>", STUBDOM, "capabilities")
    says("default", STUBDOM, "net-list", "--all")
    says("pci_0000_00_08_0", STUBDOM, "nodedev-list")
    says("Domain-0", STOCK, "list")
    restart()


@test("libvirtd: a setting nobody can mean leaves the driver inactive, and says so", 120)
def badSetting(_note):
    with content(CONF, "memory = 3\n"):
        says(f"{CONF}: 'memory' is 3; it must be from 16 to 65536", STUBDOM, "list", status=1)
        says("Domain-0", STOCK, "list")
    says("State", STUBDOM, "list")
    restart()


@test("libvirtd: without the drop-in it is the stock one", 120)
def withoutDropIn(_note):
    with content(DROP_IN, None):
        says("'/stubdom'", STUBDOM, "list", status=1)
        says("Domain-0", STOCK, "list")
    says("State", STUBDOM, "list")
    restart()
