# SPDX-License-Identifier: LGPL-2.1-or-later
"""The emulated computer as QEMU's arguments.

Both the machine that is snapshotted and every one that is resumed come from
here, because a snapshot fits only the same hardware.  The process that runs it
is machine.py's concern.
"""

MEMORY_MIB = 6144
DOM0_MEMORY_MIB = 2048
PAYLOAD_BYTES = 1 << 30
GUEST_ADDRESS = "10.0.2.15"


def arguments(port, disk, payload, directory, frozen):
    """QEMU's arguments: the hardware, with its host ends in a directory.

    frozen: the disk must not change; writes go to a temporary overlay.
    """
    overlay = ",snapshot=on" if frozen else ""
    return [
        "-nodefaults", "-no-user-config", "-display", "none", "-no-reboot",
        "-machine", "q35,vmport=off", "-accel", "tcg,thread=multi,tb-size=1024",
        # vme, which TCG lacks, is claimed because libvirt finds no CPU model for Xen without it.
        "-cpu", "qemu64,+svm,+npt,+vme,x-force-features=on",
        "-smp", "2", "-m", f"{MEMORY_MIB}M",
        # The explicit PCI half is what makes the IOMMU migratable; dma-remap lets it translate what devices read and write.
        "-device", "AMDVI-PCI,id=iommu0,addr=02.0", "-device", "amd-iommu,pci-id=iommu0,dma-remap=on",
        "-chardev", f"file,id=console,path={directory}/console.log", "-serial", "chardev:console",
        "-chardev", f"socket,id=qmp,path={directory}/qmp,server=on,wait=off",
        "-mon", "chardev=qmp,mode=control",
        "-drive", f"file={disk},format=raw,if=none,id=root,cache=unsafe,discard=unmap{overlay}",
        "-device", "virtio-blk-pci,drive=root,addr=03.0",
        "-drive", f"file={payload},format=raw,if=none,id=payload,read-only=on",
        "-device", "virtio-blk-pci,drive=payload,addr=04.0",
        "-netdev", f"user,id=net,restrict=on,hostfwd=tcp:127.0.0.1:{port}-{GUEST_ADDRESS}:22",
        "-device", "virtio-net-pci,netdev=net,addr=05.0,romfile=",
        "-device", "virtio-serial-pci,id=ports,addr=06.0",
        "-chardev", f"socket,id=event,path={directory}/event,server=on,wait=off",
        "-device", "virtserialport,bus=ports.0,chardev=event,name=lab.event",
        "-chardev", f"file,id=guests,path={directory}/guests.log",
        "-device", "virtserialport,bus=ports.0,chardev=guests,name=lab.guests",
        # For passing through: a network card and QEMU's teaching device.
        "-netdev", "user,id=passed,restrict=on",
        "-device", "e1000e,netdev=passed,addr=08.0,romfile=", "-device", "edu,addr=09.0",
        "-object", "rng-builtin,id=rng", "-device", "virtio-rng-pci,rng=rng,addr=0a.0",
    ]
