# SPDX-License-Identifier: LGPL-2.1-or-later
"""Devices of domain XML in real guests: networks and volumes of libvirt's, and every kind of device QEMU emulates."""

import shutil
from pathlib import Path
from xml.etree import ElementTree

from domain import Connection
from harness import test
from host import equal, read, run, waitFor

NETWORK = """<network><name>stubdom-lab</name><bridge name='virbr-stubdom'/><forward mode='route'/>
  <ip address='192.0.2.1' netmask='255.255.255.0'/></network>"""
POOL = "<pool type='dir'><name>stubdom-lab</name><target><path>{}</path></target></pool>"
DOMAIN = """<domain type='xen'>
  <name>{name}</name><memory unit='MiB'>96</memory><vcpu>1</vcpu>
  <cputune><emulatorpin cpuset='0'/></cputune>
  <os><type arch='x86_64'>hvm</type></os>
  <features><acpi/><apic/><hyperv><relaxed state='on'/><vapic state='on'/></hyperv><msrs unknown='ignore'/></features>
  <cpu mode='host-passthrough'><feature policy='disable' name='rdrand'/></cpu>
  <clock offset='variable' adjustment='-60'><timer name='hypervclock' present='yes'/></clock>
  <devices>{devices}<serial type='pty'/></devices>
</domain>
"""
DISK = "<disk type='file'><source file='/srv/guests/print.img'/><target dev='hda' bus='ide'/></disk>"
CARD = "<interface type='bridge'><source bridge='xenbr0'/><model type='{}'/></interface>"
MODELS = ("e1000", "e1000e", "rtl8139", "ne2k_pci", "pcnet", "i82551", "i82559er", "vmxnet3")


def define(connection, name, devices):
    return connection.defineXML(DOMAIN.format(name=name, devices=devices))


def bridged(domid):
    """The bridge the first network interface of a domain is a port of."""
    path = Path(f"/sys/class/net/vif{domid}.0/master")
    return waitFor(f"a bridge of vif{domid}.0", lambda: path.exists() and path.resolve().name)


@test("devices: a libvirt network and a volume of a pool are found at start, and given back", 400, starts=1)
def preparedTest(note):
    note("prepared")
    with Connection() as connection:
        network = connection.conn.networkCreateXML(NETWORK)
        volumes = Path("/root/stubdom-lab")  # virt-install makes pools of the directories it is told of
        volumes.mkdir()
        shutil.copy("/srv/guests/print.img", volumes)
        pool = connection.conn.storagePoolCreateXML(POOL.format(volumes))
        try:
            devices = ("<disk type='volume'><source pool='stubdom-lab' volume='print.img'/><target dev='hda' bus='ide'/></disk>"
                       "<interface type='network'><source network='stubdom-lab'/><model type='e1000'/></interface>")
            with define(connection, "prepared", devices) as domain:
                equal(network.listAllPorts(), [])
                domain.start()
                domain.terminal().expect("print guest: up")
                equal([port.network().name() for port in network.listAllPorts()], ["stubdom-lab"])
                for domid in (domain.domid(), domain.stubdomain()):
                    equal(bridged(domid), "virbr-stubdom")
                source = ElementTree.fromstring(domain.libvirt.XMLDesc()).find("devices/interface/source")
                equal(source.get("bridge"), "virbr-stubdom")
                equal(run("xl", "vcpu-list", "prepared-dm")[1].split()[-3], "0")
                domain.libvirt.destroy()
                equal(network.listAllPorts(), [])
        finally:
            pool.destroy()
            network.destroy()
            shutil.rmtree(volumes)


@test("devices: a guest starts with eight models of cards, a sound card, and USB devices", 400, starts=2)
def everythingTest(note):
    # without a graphics card, as the cards' iPXE scrolls what is on it, which takes seconds a line
    sets = {"everything": "<video><model type='none'/></video><sound model='ich6'/>"
                          "<input type='tablet' bus='usb'/><input type='keyboard' bus='usb'/>" +
                          "".join(CARD.format(model) for model in MODELS),
            "others": "<sound model='ac97'/><controller type='usb' model='nec-xhci'/><video><model type='cirrus'/></video>"
                      "<controller type='xenbus' maxEventChannels='1023' maxGrantFrames='64'/>"}
    for name, devices in sets.items():
        note(name)
        with Connection() as connection, define(connection, name, DISK + devices) as domain:
            domain.start()
            domain.terminal().expect("print guest: up")
            equal(read(f"/local/domain/{domain.stubdomain()}/device-model/{domain.domid()}/state"), "running")
