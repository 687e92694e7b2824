# SPDX-License-Identifier: LGPL-2.1-or-later
"""The libvirt driver in stock libvirtd: its numbers are those of xl and of sysfs, and what it changes arrives in Xen."""

import os
import re
import uuid
from pathlib import Path
from xml.etree import ElementTree

import libvirt

from domain import XML as domain_xml
from domain import Connection, Domain
from harness import test
from host import Failure, read, run

XML = """<domain type='xen'>
  <name>{name}</name><uuid>{uuid}</uuid><memory unit='MiB'>128</memory><currentMemory unit='MiB'>96</currentMemory>
  <vcpu current='1'>2</vcpu>
  <cputune><shares>300</shares><vcpupin vcpu='0' cpuset='1'/><emulatorpin cpuset='0'/></cputune>
  <os><type arch='x86_64'>hvm</type><boot dev='hd'/></os>
  <devices>
    <disk type='file' device='disk'>
      <driver name='file' type='raw'/><source file='/srv/guests/echo.img'/><target dev='hda' bus='ide'/>
    </disk>
    <interface type='bridge'><mac address='00:16:3e:12:34:56'/><source bridge='xenbr0'/><model type='e1000'/></interface>
    <serial type='pty'/>
  </devices>
</domain>
"""
HDA, XVDA = 768, 51712
BACKENDS = Path("/sys/bus/xen-backend/devices")
DEVICE = "0000:00:09.0"


def check(what, found, wanted):
    if found != wanted:
        raise Failure(f"{what}: found {found!r}, wanted {wanted!r}")


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


def refused(call, *arguments):
    try:
        call(*arguments)
    except libvirt.libvirtError as error:
        return error.get_error_message()
    raise Failure("this was not refused")


@test("numbers: the host is Xen's", 90)
def host(note):
    with Connection() as connection:
        info, xen = connection.libvirt.getInfo(), xlInfo()
        check("host", info, ["x86_64", int(xen["total_memory"]), int(xen["nr_cpus"]), int(float(xen["cpu_mhz"])), int(xen["nr_nodes"]),
                             int(xen["nr_cpus"]) // int(xen["nr_nodes"]) // int(xen["cores_per_socket"]) // int(xen["threads_per_core"]),
                             int(xen["cores_per_socket"]), int(xen["threads_per_core"])])
        processors = int(xen["nr_cpus"])
        check("processors", connection.libvirt.getCPUMap(), (processors, [True] * processors, processors))
        check("free memory", connection.libvirt.getFreeMemory() >> 20, int(xen["free_memory"]))
        memory = connection.libvirt.getMemoryStats(libvirt.VIR_NODE_MEMORY_STATS_ALL_CELLS)
        check("memory", (memory["total"] >> 10, memory["free"] >> 10), (int(xen["total_memory"]), int(xen["free_memory"])))
        first = connection.libvirt.getCPUStats(libvirt.VIR_NODE_CPU_STATS_ALL_CPUS)
        run("xl", "list")
        second = connection.libvirt.getCPUStats(libvirt.VIR_NODE_CPU_STATS_ALL_CPUS)
        for name in ("user", "idle"):
            between(f"{name} time", 1, first[name], second[name])
        capabilities = ElementTree.fromstring(connection.libvirt.getCapabilities()).find("host")
        check("cells", len(capabilities.findall("topology/cells/cell")), int(xen["nr_nodes"]))
        check("processors of cells", len(capabilities.findall("topology/cells/cell/cpus/cpu")), processors)
        check("IOMMU", capabilities.find("iommu").get("support"), "yes")
        connection.libvirt.getDomainCapabilities(None, None, None, "xen")
        check("system", connection.libvirt.getMaxVcpus("xen"), 128)


def checkStats(connection, domain, guest, own):
    before = [xlList(name)[2] for name in (domain.name, domain.name + "-dm")]
    (_, found), = connection.libvirt.domainListGetStats([domain.libvirt])
    after = [xlList(name)[2] for name in (domain.name, domain.name + "-dm")]
    for name, low, high in zip(("cpu.time", "stubdom.cpu.time"), before, after):
        between(name, low - 0.1, found[name] / 1e9, high + 0.1)
    check("domid of the stubdomain", found["stubdom.id"], own)
    check("vCPUs", (found["vcpu.current"], found["vcpu.maximum"]), (1, 2))
    between("memory of the stubdomain", 64 << 10, found["stubdom.balloon.current"], xlList(domain.name + "-dm")[0] + 1 << 10)
    # Nothing reads the disk any more; the bridge may still send something.
    for name, what, unit in (("rd.reqs", "rd_req", 1), ("rd.bytes", "rd_sect", 512), ("wr.reqs", "wr_req", 1)):
        check(name, found[f"block.0.{name}"], (disk(guest, HDA, what) + disk(own, XVDA, what)) * unit)
        check("stubdom " + name, found[f"stubdom.block.0.{name}"], disk(own, XVDA, what) * unit)
    between("sectors read", 1, found["stubdom.block.0.rd.reqs"], 100000)
    check("capacity", found["block.0.capacity"], os.stat("/srv/guests/echo.img").st_size)
    between("bytes received", found["net.0.rx.bytes"], nic(guest, "tx_bytes") + nic(own, "tx_bytes"), 1 << 30)
    between("bytes received by the stubdomain", 1, nic(own, "tx_bytes"), 1 << 30)
    check("sum of disks", domain.libvirt.blockStats("")[:2], (found["block.0.rd.reqs"], found["block.0.rd.bytes"]))


def checkScheduling(domain):
    own = domain.name + "-dm"
    check("pinned at the start", (affinities(domain.name)[0], affinities(own)), ("1", ["0"]))
    check("weight at the start", (weightAndCap(domain.name)[0], weightAndCap(own)[0]), (300, 256))
    domain.libvirt.pinVcpu(0, (True, True))
    domain.libvirt.pinEmulator((False, True), libvirt.VIR_DOMAIN_AFFECT_LIVE)
    check("pinned", affinities(own), ["1"])
    check("affinity", affinities(domain.name)[0] in ("0-1", "all"), True)
    domain.libvirt.setSchedulerParameters({"weight": 512, "cap": 50, "stubdom.weight": 400})
    check("weights", (weightAndCap(domain.name), weightAndCap(own)), ((512, 50), (400, 0)))
    check("scheduler", domain.libvirt.schedulerParameters(), {"weight": 512, "cap": 50, "stubdom.weight": 400, "stubdom.cap": 0})


@test("numbers: a guest's, its stubdomain's beside them, and what is changed", 300, starts=1)
def guest(note):
    note("numbers")
    with Connection() as connection:
        found = connection.libvirt.defineXML(XML.format(name="numbers", uuid=uuid.uuid4()))
        connection.expect("numbers", ("defined", 0))
        with Domain(connection, found) as domain:
            domain.start()
            serial = domain.terminal()
            serial.expect("echo guest: up")
            checkStats(connection, domain, domain.domid(), domain.stubdomain())
            checkScheduling(domain)
            info, _ = domain.libvirt.vcpus()
            check("first vCPU", (info[0][0], info[0][1] in (libvirt.VIR_VCPU_RUNNING, libvirt.VIR_VCPU_BLOCKED)), (0, True))
            check("memory", (domain.libvirt.info()[1], domain.libvirt.memoryStats()["actual"]), (131072, 98304))
            between("resident", 80 << 10, domain.libvirt.memoryStats()["rss"], 131072)
            domain.libvirt.setMemory(80 << 10)
            memory = f"/local/domain/{domain.domid()}/memory"  # the balloon driver knows nothing of the video card's
            check("target", int(read(f"{memory}/target")), (80 << 10) - int(read(f"{memory}/videoram")))
            check("leases", domain.libvirt.interfaceAddresses(libvirt.VIR_DOMAIN_INTERFACE_ADDRESSES_SRC_LEASE), {})
            domain.libvirt.injectNMI()
            serial.say("after")
            serial.expect("echo: [after]")


@test("numbers: virtual CPUs are added to a running guest", 180, starts=1)
def cpus(note):
    """Said by the guest, by libvirt, and by what libxl writes for drivers in the guest."""
    note("cpus")
    with Connection() as connection:
        text = domain_xml.format(name="cpus", uuid=uuid.uuid4(), image="cpus", more="", settings="")
        found = connection.libvirt.defineXML(text.replace("<vcpu>1", "<vcpu current='1'>4"))
        connection.expect("cpus", ("defined", 0))
        with Domain(connection, found) as domain:
            domain.start()
            serial = domain.terminal()
            serial.expect("cpus guest: up")
            serial.say("")
            serial.expect("cpus: 01")
            domain.libvirt.setVcpus(3)
            serial.say("")
            serial.expect("cpus: 07")
            domain.libvirt.setVcpu("3", 1, libvirt.VIR_DOMAIN_AFFECT_LIVE)
            serial.say("")
            serial.expect("cpus: 0f")
            check("vCPUs", domain.libvirt.vcpusFlags(), 4)
            nodes = [read(f"/local/domain/{domain.domid()}/cpu/{number}/availability") for number in range(4)]
            check("availability", nodes, ["online"] * 4)
            refusal = refused(domain.libvirt.setVcpus, 2)
            check("fewer", "cannot take one" in refusal, True)


@test("numbers: a device of the host leaves dom0", 90)
def device(note):
    driver = Path(f"/sys/bus/pci/devices/{DEVICE}/driver")
    before = driver.resolve().name if driver.exists() else None
    with Connection() as connection:
        found = connection.libvirt.nodeDeviceLookupByName("pci_" + re.sub(r"[:.]", "_", DEVICE))
        found.dettach()
        check("driver", driver.resolve().name, "pciback")
        print("# other driver:", refused(found.detachFlags, "vfio"), flush=True)
        found.reAttach()
        # Said and not checked: a device without a driver of its own was seen to stay with pciback.
        print("# drivers:", before, driver.resolve().name if driver.exists() else None, flush=True)
