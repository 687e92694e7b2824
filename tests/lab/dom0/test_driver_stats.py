# SPDX-License-Identifier: LGPL-2.1-or-later
"""The libvirt driver in stock libvirtd: its numbers are those of xl and of sysfs, and what it changes arrives in Xen."""

import os
import re
from pathlib import Path
from xml.etree import ElementTree

import libvirt

from domain import Connection
from harness import test
from host import Failure, equal, read, run
from virt import refusal

XML = """<domain type='xen'>
  <name>numbers</name><memory unit='MiB'>128</memory><currentMemory unit='MiB'>96</currentMemory>
  <vcpu current='1'>4</vcpu>
  <cputune><shares>300</shares><vcpupin vcpu='0' cpuset='1'/><emulatorpin cpuset='0'/></cputune>
  <os><type arch='x86_64'>hvm</type><boot dev='hd'/></os>
  <features><acpi/><apic/></features>
  <devices>
    <disk type='file' device='disk'>
      <driver name='file' type='raw'/><source file='/srv/guests/cpus.img'/><target dev='hda' bus='ide'/>
    </disk>
    <interface type='bridge'><mac address='00:16:3e:12:34:56'/><source bridge='xenbr0'/><model type='e1000'/></interface>
    <serial type='pty'/>
  </devices>
</domain>
"""
HDA, XVDA = 768, 51712
BACKENDS = Path("/sys/bus/xen-backend/devices")
DEVICE = "0000:00:09.0"


def between(what, low, found, high):
    """What goes on while it is read must be between one reading and the next."""
    if not low <= found <= high:
        raise Failure(f"{what}: {found} is not from {low} to {high}")


def xlInfo():
    return dict(re.split(r"\s+: ", line, maxsplit=1) for line in run("xl", "info")[1].splitlines() if " : " in line)


def xlList(name):
    """xl's line of a domain: memory in MiB, vCPUs, seconds."""
    words = run("xl", "list", name)[1].splitlines()[1].split()
    return int(words[2]), int(words[3]), float(words[5])


def affinities(name):
    """Hard affinity of each vCPU, as xl writes it."""
    lines = run("xl", "vcpu-list", name)[1].splitlines()[1:]
    return [line.split(" / ")[0].split()[-1] for line in lines]


def weightAndCap(name):
    words = run("xl", "sched-credit2", "-d", name)[1].splitlines()[-1].split()
    return int(words[-2]), int(words[-1])


def disk(domid, number, what):
    return int((BACKENDS / f"vbd-{domid}-{number}" / "statistics" / what).read_text())


def nic(domid, what):
    name, = os.listdir(BACKENDS / f"vif-{domid}-0" / "net")
    return int((BACKENDS / f"vif-{domid}-0" / "net" / name / "statistics" / what).read_text())


@test("numbers: the host is Xen's", 90)
def host(note):
    with Connection() as connection:
        info, xen = connection.conn.getInfo(), xlInfo()
        equal(info, ["x86_64", int(xen["total_memory"]), int(xen["nr_cpus"]), int(float(xen["cpu_mhz"])), int(xen["nr_nodes"]),
                     int(xen["nr_cpus"]) // int(xen["nr_nodes"]) // int(xen["cores_per_socket"]) // int(xen["threads_per_core"]),
                     int(xen["cores_per_socket"]), int(xen["threads_per_core"])], "host")
        processors = int(xen["nr_cpus"])
        equal(connection.conn.getCPUMap(), (processors, [True] * processors, processors), "processors")
        equal(connection.conn.getFreeMemory() >> 20, int(xen["free_memory"]), "free memory")
        memory = connection.conn.getMemoryStats(libvirt.VIR_NODE_MEMORY_STATS_ALL_CELLS)
        equal((memory["total"] >> 10, memory["free"] >> 10), (int(xen["total_memory"]), int(xen["free_memory"])), "memory")
        first = connection.conn.getCPUStats(libvirt.VIR_NODE_CPU_STATS_ALL_CPUS)
        run("xl", "list")
        second = connection.conn.getCPUStats(libvirt.VIR_NODE_CPU_STATS_ALL_CPUS)
        for name in ("user", "idle"):
            between(f"{name} time", 1, first[name], second[name])
        capabilities = ElementTree.fromstring(connection.conn.getCapabilities()).find("host")
        equal(len(capabilities.findall("topology/cells/cell")), int(xen["nr_nodes"]), "cells")
        equal(len(capabilities.findall("topology/cells/cell/cpus/cpu")), processors, "processors of cells")
        equal(capabilities.find("iommu").get("support"), "yes", "IOMMU")
        connection.conn.getDomainCapabilities(None, None, None, "xen")
        equal(connection.conn.getMaxVcpus("xen"), 128, "system")


def checkStats(connection, domain, guest, own):
    before = [xlList(name)[2] for name in (domain.name, domain.name + "-dm")]
    (_, found), = connection.conn.domainListGetStats([domain.libvirt])
    after = [xlList(name)[2] for name in (domain.name, domain.name + "-dm")]
    for name, low, high in zip(("cpu.time", "stubdom.cpu.time"), before, after):
        between(name, low - 0.1, found[name] / 1e9, high + 0.1)
    equal(found["stubdom.id"], own, "domid of the stubdomain")
    equal((found["vcpu.current"], found["vcpu.maximum"]), (1, 4), "vCPUs")
    between("memory of the stubdomain", 64 << 10, found["stubdom.balloon.current"], xlList(domain.name + "-dm")[0] + 1 << 10)
    # Nothing reads the disk any more; the bridge may still send something.
    for name, what, unit in (("rd.reqs", "rd_req", 1), ("rd.bytes", "rd_sect", 512), ("wr.reqs", "wr_req", 1)):
        equal(found[f"block.0.{name}"], (disk(guest, HDA, what) + disk(own, XVDA, what)) * unit, name)
        equal(found[f"stubdom.block.0.{name}"], disk(own, XVDA, what) * unit, "stubdom " + name)
    between("sectors read", 1, found["stubdom.block.0.rd.reqs"], 100000)
    equal(found["block.0.capacity"], os.stat("/srv/guests/cpus.img").st_size, "capacity")
    between("bytes received", found["net.0.rx.bytes"], nic(guest, "tx_bytes") + nic(own, "tx_bytes"), 1 << 30)
    between("bytes received by the stubdomain", 1, nic(own, "tx_bytes"), 1 << 30)
    equal(domain.libvirt.blockStats("")[:2], (found["block.0.rd.reqs"], found["block.0.rd.bytes"]), "sum of disks")


def checkScheduling(domain):
    own = domain.name + "-dm"
    equal((affinities(domain.name)[0], affinities(own)), ("1", ["0"]), "pinned at the start")
    equal((weightAndCap(domain.name)[0], weightAndCap(own)[0]), (300, 256), "weight at the start")
    domain.libvirt.pinVcpu(0, (True, True))
    domain.libvirt.pinEmulator((False, True), libvirt.VIR_DOMAIN_AFFECT_LIVE)
    equal(affinities(own), ["1"], "pinned")
    equal(affinities(domain.name)[0] in ("0-1", "all"), True, "affinity")
    domain.libvirt.setSchedulerParameters({"weight": 512, "cap": 50, "stubdom.weight": 400})
    equal((weightAndCap(domain.name), weightAndCap(own)), ((512, 50), (400, 0)), "weights")
    equal(domain.libvirt.schedulerParameters(), {"weight": 512, "cap": 50, "stubdom.weight": 400, "stubdom.cap": 0}, "scheduler")


@test("numbers: a guest's, its stubdomain's beside them, and what is changed; virtual CPUs are added", 400, starts=1)
def guest(note):
    note("numbers")
    with Connection() as connection:
        with connection.defineXML(XML) as domain:
            domain.start()
            serial = domain.terminal()
            serial.expect("cpus guest: up")
            checkStats(connection, domain, domain.domid(), domain.stubdomain())
            checkScheduling(domain)
            info, _ = domain.libvirt.vcpus()
            equal((info[0][0], info[0][1] in (libvirt.VIR_VCPU_RUNNING, libvirt.VIR_VCPU_BLOCKED)), (0, True), "first vCPU")
            equal((domain.libvirt.info()[1], domain.libvirt.memoryStats()["actual"]), (131072, 98304), "memory")
            between("resident", 80 << 10, domain.libvirt.memoryStats()["rss"], 131072)
            domain.libvirt.setMemory(80 << 10)
            memory = f"/local/domain/{domain.domid()}/memory"  # the balloon driver knows nothing of the video card's
            equal(int(read(f"{memory}/target")), (80 << 10) - int(read(f"{memory}/videoram")), "target")
            equal(domain.libvirt.interfaceAddresses(libvirt.VIR_DOMAIN_INTERFACE_ADDRESSES_SRC_LEASE), {}, "leases")
            addCpus(domain, serial)
            domain.libvirt.injectNMI()
            serial.say("")
            serial.expect("cpus: 0f")


def addCpus(domain, serial):
    """Said by the guest, by libvirt, and by what libxl writes for drivers in the guest."""
    serial.say("")
    serial.expect("cpus: 01")
    domain.libvirt.setVcpus(3)
    serial.say("")
    serial.expect("cpus: 07")
    domain.libvirt.setVcpu("3", 1, libvirt.VIR_DOMAIN_AFFECT_LIVE)
    serial.say("")
    serial.expect("cpus: 0f")
    equal(domain.libvirt.vcpusFlags(), 4, "vCPUs")
    nodes = [read(f"/local/domain/{domain.domid()}/cpu/{number}/availability") for number in range(4)]
    equal(nodes, ["online"] * 4, "availability")
    words = refusal(domain.libvirt.setVcpus, 2)
    equal("cannot take one" in words, True, "fewer")


@test("numbers: a device of the host leaves dom0", 90)
def device(note):
    driver = Path(f"/sys/bus/pci/devices/{DEVICE}/driver")
    before = driver.resolve().name if driver.exists() else None
    with Connection() as connection:
        found = connection.conn.nodeDeviceLookupByName("pci_" + re.sub(r"[:.]", "_", DEVICE))
        found.dettach()
        equal(driver.resolve().name, "pciback", "driver")
        print("# other driver:", refusal(found.detachFlags, "vfio"), flush=True)
        found.reAttach()
        # Said and not checked: a device without a driver of its own was seen to stay with pciback.
        print("# drivers:", before, driver.resolve().name if driver.exists() else None, flush=True)
