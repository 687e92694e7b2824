# SPDX-License-Identifier: LGPL-2.1-or-later
"""What libvirt promises of any driver's domains: their life, identity and answers, through python3-libvirt and stock libvirtd.

The subjects are those of libvirt-tck's domain tests (lifecycles, unique names
and ids, operations on inactive domains, memory, disks, processors, hotplug).
One guest serves as many of them as it can, because a start is slow here.
"""

import time

import libvirt
from libvirt import (VIR_DOMAIN_AFFECT_CONFIG, VIR_DOMAIN_AFFECT_LIVE, VIR_DOMAIN_XML_INACTIVE,
                     VIR_ERR_CONFIG_UNSUPPORTED, VIR_ERR_NO_DOMAIN, VIR_ERR_OPERATION_FAILED,
                     VIR_ERR_OPERATION_INVALID)

from harness import test
from host import Failure, domains, equal, qemuOf, waitFor
from virt import Connection, refused, removedAfterwards, waitGone, xml

DEFINED, UNDEFINED, STARTED, SUSPENDED, RESUMED, STOPPED = range(6)


def lookupsAgree(conn, domain):
    """A running domain is found by name, id and uuid, and in the lists."""
    for found in (conn.lookupByName(domain.name()), conn.lookupByUUIDString(domain.UUIDString()),
                  conn.lookupByID(domain.ID())):
        equal((found.name(), found.UUID(), found.ID()), (domain.name(), domain.UUID(), domain.ID()))
    equal(domain.ID() in conn.listDomainsID(), True, "listed by id")
    equal(domain.name() in [other.name() for other in conn.listAllDomains(libvirt.VIR_CONNECT_LIST_DOMAINS_ACTIVE)], True)
    equal(domains().get(domain.name()), domain.ID(), "domid in Xen")


@test("libvirt: a transient domain is found, is unique, cannot be undefined, and is gone when it ends", 240, starts=1)
def transient(note):
    note("tck-transient")
    with Connection() as virt, removedAfterwards(virt.conn, "tck-transient", "tck-other"):
        conn = virt.conn
        domain = conn.createXML(xml("tck-transient"), 0)
        virt.expect("tck-transient", "lifecycle", STARTED)
        equal((domain.isActive(), domain.isPersistent(), domain.state()[0]), (1, 0, libvirt.VIR_DOMAIN_RUNNING))
        lookupsAgree(conn, domain)
        if "tck-transient-dm" not in domains() or qemuOf(domain.ID()):
            raise Failure(f"domains {domains()}, QEMU in dom0 {qemuOf(domain.ID())}")
        uuid = f"<uuid>{domain.UUIDString()}</uuid>"
        refused(VIR_ERR_OPERATION_INVALID, conn.createXML, xml("tck-transient", more=uuid), 0)
        refused(VIR_ERR_OPERATION_FAILED, conn.createXML, xml("tck-transient"), 0)
        refused(VIR_ERR_OPERATION_FAILED, conn.createXML, xml("tck-other", more=uuid), 0)
        refused(VIR_ERR_OPERATION_FAILED, conn.defineXML, xml("tck-transient"))
        refused(VIR_ERR_OPERATION_INVALID, domain.undefine)
        refused(VIR_ERR_OPERATION_INVALID, domain.create)
        refused(VIR_ERR_OPERATION_INVALID, domain.setAutostart, 1)
        domain.destroy()
        virt.expect("tck-transient", "lifecycle", STOPPED, libvirt.VIR_DOMAIN_EVENT_STOPPED_DESTROYED)
        refused(VIR_ERR_NO_DOMAIN, conn.lookupByName, "tck-transient")
        refused(VIR_ERR_NO_DOMAIN, domain.info)
        waitGone("tck-transient")


@test("libvirt: a persistent domain becomes transient and persistent again while it runs, pauses, and stays defined", 300,
      starts=1)
def persistent(note):
    note("tck-persistent")
    with Connection() as virt, removedAfterwards(virt.conn, "tck-persistent"):
        conn = virt.conn
        domain = conn.defineXML(xml("tck-persistent"))
        virt.expect("tck-persistent", "lifecycle", DEFINED)
        equal((domain.isActive(), domain.isPersistent(), domain.ID()), (0, 1, -1))
        domain.create()
        virt.expect("tck-persistent", "lifecycle", STARTED, libvirt.VIR_DOMAIN_EVENT_STARTED_BOOTED)
        lookupsAgree(conn, domain)
        uuid = f"<uuid>{domain.UUIDString()}</uuid>"

        domain.undefine()
        virt.expect("tck-persistent", "lifecycle", UNDEFINED)
        equal((domain.isActive(), domain.isPersistent()), (1, 0))
        conn.defineXML(xml("tck-persistent", memory=96, more=uuid + "<title>another</title>"))
        virt.expect("tck-persistent", "lifecycle", DEFINED)
        equal((domain.isActive(), domain.isPersistent()), (1, 1))
        equal("<title>" in domain.XMLDesc(), False, "the running domain has the new title")
        equal("<title>another</title>" in domain.XMLDesc(VIR_DOMAIN_XML_INACTIVE), True, "new title in the definition")
        equal(domain.info()[1], 64 << 10, "memory of the running domain")

        domain.suspend()
        virt.expect("tck-persistent", "lifecycle", SUSPENDED)
        equal(domain.state(), [libvirt.VIR_DOMAIN_PAUSED, libvirt.VIR_DOMAIN_PAUSED_USER])
        domain.suspend()  # twice is once
        domain.resume()
        virt.expect("tck-persistent", "lifecycle", RESUMED)
        equal(domain.state()[0], libvirt.VIR_DOMAIN_RUNNING)

        domain.destroy()
        virt.expect("tck-persistent", "lifecycle", STOPPED)
        equal((domain.isActive(), domain.isPersistent(), domain.info()[1]), (0, 1, 96 << 10))
        refused(VIR_ERR_OPERATION_INVALID, domain.destroy)
        domain.undefine()
        refused(VIR_ERR_NO_DOMAIN, conn.lookupByUUIDString, domain.UUIDString())
        waitGone("tck-persistent")


@test("libvirt: a domain that does not run refuses what only a running one can do, and says so", 60)
def inactive(note):
    with Connection() as virt, removedAfterwards(virt.conn, "tck-inactive"):
        domain = virt.conn.defineXML(xml("tck-inactive"))
        for function, *words in ((domain.suspend,), (domain.resume,), (domain.reboot,), (domain.shutdown,), (domain.reset,),
                                 (domain.destroy,), (domain.coreDump, "/root/core"), (domain.blockStats, "hda"),
                                 (domain.memoryStats,), (domain.vcpus,), (domain.setMemory, 32 << 10),
                                 (domain.setVcpusFlags, 1, VIR_DOMAIN_AFFECT_LIVE),
                                 (domain.attachDeviceFlags, disk("xvdb", "/root/none"), VIR_DOMAIN_AFFECT_LIVE)):
            refused(VIR_ERR_OPERATION_INVALID, function, *words)
        equal(domain.state(), [libvirt.VIR_DOMAIN_SHUTOFF, libvirt.VIR_DOMAIN_SHUTOFF_UNKNOWN])
        domain.undefine()


def disk(target, path):
    """A PV disk."""
    return (f"<disk type='file' device='disk'><driver name='phy' type='raw'/><source file='{path}'/>"
            f"<target dev='{target}' bus='xen'/></disk>")


def nic(mac):
    """A PV network card."""
    return (f"<interface type='bridge'><mac address='{mac}'/><source bridge='xenbr0'/>"
            "<model type='netfront'/></interface>")


def count(conn, domain):
    """How many disks and network cards the running and the defined domain have."""
    return [(text.count("<disk "), text.count("<interface "))
            for text in (domain.XMLDesc(), domain.XMLDesc(VIR_DOMAIN_XML_INACTIVE))]


@test("libvirt: memory, processors, statistics, disks and cards of a running domain can be changed and asked for", 420,
      starts=1)
def changes(note):
    note("tck-changes")
    with open("/root/tck.img", "wb") as file:
        file.truncate(1 << 20)
    with Connection() as virt, removedAfterwards(virt.conn, "tck-changes"):
        conn = virt.conn
        domain = conn.defineXML(xml("tck-changes", vcpus=2))
        domain.create()
        _memory(domain)
        _processors(domain)
        _statistics(conn, domain)
        _disks(virt, domain)
        _cards(virt, domain)
        domain.destroy()
        waitGone("tck-changes")


def _memory(domain):
    domain.setMemoryFlags(48 << 10, VIR_DOMAIN_AFFECT_LIVE)
    waitFor("the new target", lambda: domain.memoryStats().get("actual") == 48 << 10)
    domain.setMemoryFlags(32 << 10, VIR_DOMAIN_AFFECT_CONFIG)
    equal("<currentMemory unit='KiB'>32768</currentMemory>" in domain.XMLDesc(VIR_DOMAIN_XML_INACTIVE), True)
    refused(libvirt.VIR_ERR_INVALID_ARG, domain.setMemoryFlags, 128 << 10, VIR_DOMAIN_AFFECT_LIVE)
    equal(domain.maxMemory(), 64 << 10)


def _processors(domain):
    equal((domain.maxVcpus(), domain.vcpusFlags(VIR_DOMAIN_AFFECT_LIVE)), (2, 2))
    domain.setVcpusFlags(1, VIR_DOMAIN_AFFECT_CONFIG)
    equal(domain.vcpusFlags(VIR_DOMAIN_AFFECT_CONFIG), 1)
    domain.pinVcpu(1, (True, False))
    equal(domain.vcpuPinInfo()[1], (True, False), "vCPU 1 after pinning")
    domain.pinEmulator((False, True))
    equal(domain.emulatorPinInfo(), (False, True), "the stubdomain after pinning")
    kind, number = domain.schedulerType()
    parameters = domain.schedulerParameters()
    equal((kind.startswith("credit"), number >= 1, "weight" in parameters), (True, True, True))
    domain.setSchedulerParametersFlags({"weight": 512}, VIR_DOMAIN_AFFECT_LIVE)
    equal(domain.schedulerParameters()["weight"], 512)
    equal(len(domain.vcpus()[0]), 2)
    equal(domain.getCPUStats(True)[0]["cpu_time"] > 0, True)


def _statistics(conn, domain):
    (found, stats), = [entry for entry in conn.getAllDomainStats() if entry[0].name() == domain.name()]
    equal(found.UUID(), domain.UUID())
    for name in ("state.state", "cpu.time", "balloon.current", "balloon.maximum", "vcpu.current", "vcpu.maximum",
                 "block.count", "net.count"):
        if name not in stats:
            raise Failure(f"no {name} in {sorted(stats)}")
    if not [name for name in stats if name.startswith("stubdom.")]:
        raise Failure(f"nothing about the stubdomain in {sorted(stats)}")
    equal(domain.blockInfo("hda")[0] > 0, True, "capacity of hda")
    before = domain.blockStats("hda")
    equal(before[0] > 0, True, f"reads of the disk the guest booted from: {before}")


def _disks(virt, domain):
    both = VIR_DOMAIN_AFFECT_LIVE | VIR_DOMAIN_AFFECT_CONFIG
    equal(count(virt.conn, domain), [(1, 0), (1, 0)])
    domain.attachDeviceFlags(disk("xvdb", "/root/tck.img"), VIR_DOMAIN_AFFECT_LIVE)
    virt.expect(domain.name(), "added")
    equal(count(virt.conn, domain), [(2, 0), (1, 0)])
    refused(VIR_ERR_OPERATION_FAILED, domain.attachDeviceFlags, disk("xvdb", "/root/tck.img"), VIR_DOMAIN_AFFECT_LIVE)
    domain.detachDeviceFlags(disk("xvdb", "/root/tck.img"), VIR_DOMAIN_AFFECT_LIVE)
    virt.expect(domain.name(), "removed")
    equal(count(virt.conn, domain), [(1, 0), (1, 0)])
    domain.attachDeviceFlags(disk("xvdc", "/root/tck.img"), both)
    equal(count(virt.conn, domain), [(2, 0), (2, 0)])
    domain.detachDeviceFlags(disk("xvdc", "/root/tck.img"), both)
    waitFor("the disk's removal", lambda: count(virt.conn, domain) == [(1, 0), (1, 0)])


def _cards(virt, domain):
    domain.attachDeviceFlags(nic("00:16:3e:00:05:01"), VIR_DOMAIN_AFFECT_LIVE)
    virt.expect(domain.name(), "added")
    equal(count(virt.conn, domain), [(1, 1), (1, 0)])
    domain.detachDeviceFlags(nic("00:16:3e:00:05:01"), VIR_DOMAIN_AFFECT_LIVE)
    virt.expect(domain.name(), "removed")
    equal(count(virt.conn, domain), [(1, 0), (1, 0)])


@test("libvirt: what cannot be mapped is refused when it is defined, and nothing of it remains", 60)
def refusals(note):
    with Connection() as virt:
        spice = "<graphics type='spice'/>"
        message = refused(VIR_ERR_CONFIG_UNSUPPORTED, virt.conn.defineXML, xml("tck-refused", devices=spice))
        equal("graphics" in message, True, message)
        refused(VIR_ERR_NO_DOMAIN, virt.conn.lookupByName, "tck-refused")


@test("libvirt: the driver answers for the host, and xen:///system, networks, pools and node devices work beside it", 90)
def host(note):
    with Connection() as virt, Connection("xen:///system") as stock:
        conn = virt.conn
        equal((conn.getType(), conn.getVersion() // 1000, conn.isAlive()), ("Xen", stock.conn.getVersion() // 1000, 1))
        equal(conn.getInfo()[2], stock.conn.getInfo()[2], "processors")
        equal(conn.getCPUMap()[0], conn.getInfo()[2])
        equal(conn.getFreeMemory() > 0, True)
        equal("<name>Domain-0</name>" in stock.conn.lookupByID(0).XMLDesc(), True)
        equal([domain.name() for domain in conn.listAllDomains()], [])
        equal("default" in [network.name() for network in conn.listAllNetworks()], True)
        equal(any(device.name().startswith("pci_") for device in conn.listAllDevices()), True)
        conn.listAllStoragePools()
        start = time.monotonic()
        conn.getCapabilities()
        conn.getDomainCapabilities()
        equal(time.monotonic() - start < 5, True)
