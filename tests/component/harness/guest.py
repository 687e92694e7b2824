# SPDX-License-Identifier: LGPL-2.1-or-later
"""An HVM guest as libxl leaves it when it starts the device model, and the command line libxl gives that."""

import contextlib
import dataclasses
import os
import pathlib
import signal
import uuid

from .stubdomain import POWEROFF
from .toolstack import disk_number


@dataclasses.dataclass
class Disk:
    path: str
    vdev: str = 'hda'
    readonly: bool = False
    cdrom: bool = False


@dataclasses.dataclass
class Nic:
    bridge: str = 'xenbr0'
    mac: str = '00:16:3e:00:00:01'
    model: str = 'e1000'


@dataclasses.dataclass
class GuestConfig:
    name: str = 'guest'
    disks: list = dataclasses.field(default_factory=list)
    nics: list = dataclasses.field(default_factory=list)
    serials: list = dataclasses.field(default_factory=list)
    memory: int = 64
    vcpus: tuple = (1, 1)  # at the start, at most
    vnc: str = 'none'


class Guest:
    """Domain G: built, introduced, with its disks; paused until its device model runs."""

    def __init__(self, toolstack, config, run_directory, ident=None):
        self.toolstack = toolstack
        self.store = toolstack.store
        self.config = config
        self.run_directory = pathlib.Path(run_directory)
        self.domid = toolstack.allocate()
        self.uuid = ident or str(uuid.uuid4())
        self.alive = True
        self.qmp_descriptor = None  # libxl's socket, if it passes one instead of a path
        self.incoming = None  # the device state to restore, an open file
        base = f'/local/domain/{self.domid}'
        toolstack.make_domain(self.domid, config.name, self.uuid, 'hvm', config.memory * 1024)
        self.store.make(f'{base}/hvmloader', '', 'n0', f'r{self.domid}')
        self.store.write(f'/libxl/{self.domid}/dm-version', 'qemu_xen')
        for node, value in (('image/ostype', 'hvm'), ('start_time', '0.00'), ('rtc/timeoffset', '0')):
            self.store.write(f'/vm/{self.uuid}/{node}', value)
        for disk in config.disks:
            number = disk_number(disk.vdev)
            # libxl gives a CD-ROM of an HVM guest a backend in QEMU, whether there is one or not
            toolstack.add_device(self.domid, 'vbd', number, {
                'params': f'aio:{disk.path}' if disk.cdrom and disk.path else disk.path,
                'type': 'qdisk' if disk.cdrom else 'phy', 'dev': disk.vdev, 'removable': int(disk.cdrom), 'bootable': 1,
                'mode': 'r' if disk.readonly else 'w', 'device-type': 'cdrom' if disk.cdrom else 'disk',
                'discard-enable': 0, 'specification': 'xen'}, {'virtual-device': number},
                backend_kind='qdisk' if disk.cdrom else 'vbd')
        self.store.mkdir(f'/local/domain/0/device-model/{self.domid}')
        self.store.write(f'{base}/hvmloader/bios', 'seabios')
        self.store.write(f'{base}/hvmloader/allow-memory-relocate', 0)

    @property
    def qmp_path(self):
        return self.run_directory / f'qmp-libxl-{self.domid}'

    @property
    def save_path(self):
        """Where libxl expects the device state of a guest with a stubdomain."""
        return self.run_directory.parent / 'state' / f'qemu-save.{self.domid}'

    @property
    def stat_path(self):
        return self.run_directory / f'qmp-libxenstat-{self.domid}'

    @property
    def state_path(self):
        """The ready flag libxl waits for."""
        return f'/local/domain/0/device-model/{self.domid}/state'

    def argv(self):
        """libxl__build_device_model_args_new() of Xen 4.17, without the program's name."""
        config = self.config
        place, start = f'path={self.qmp_path}', []
        if self.qmp_descriptor is not None:
            place, start = f'fd={self.qmp_descriptor}', ['-S']
        args = ['-xen-domid', str(self.domid), '-no-shutdown',
                '-chardev', f'socket,id=libxl-cmd,{place},server=on,wait=off', *start,
                '-mon', 'chardev=libxl-cmd,mode=control',
                '-chardev', f'socket,id=libxenstat-cmd,path={self.stat_path},server=on,wait=off',
                '-mon', 'chardev=libxenstat-cmd,mode=control', '-nodefaults', '-no-user-config',
                '-name', config.name, '-vnc', config.vnc, '-display', 'none']
        for serial in config.serials:
            args += ['-serial', serial]
        args += ['-nographic', '-device', 'VGA,vgamem_mb=16', '-boot', 'order=cda']
        for index, nic in enumerate(config.nics):
            tap = f'vif{self.domid}.{index}-emu'
            args += ['-device', f'{nic.model},id=nic{index},netdev=net{index},mac={nic.mac}', '-netdev',
                     f'type=tap,id=net{index},ifname={tap},br={nic.bridge},script=no,downscript=no']
        if config.vcpus != (1, 1):
            args += ['-smp', '{},maxcpus={}'.format(*config.vcpus)]
        if not config.nics:
            args += ['-net', 'none']
        if self.incoming:
            args += ['-incoming', f'fd:{self.incoming.fileno()}']
        return args, ['-machine', 'xenfv,suppress-vmdesc=on', '-m', str(config.memory), *self._drives()]

    def descriptors(self):
        """What libxl lets its device model inherit."""
        incoming = self.incoming.fileno() if self.incoming else None
        return [descriptor for descriptor in (self.qmp_descriptor, incoming) if descriptor is not None]

    def _drives(self):
        args = []
        for disk in self.config.disks:
            number = ord(disk.vdev[-1]) - ord('a')
            if disk.cdrom:
                ident = f'ide-{disk_number(disk.vdev)}'
                source = f',file={disk.path},format=raw' if disk.path else ''
                args += ['-drive', f'if=none,readonly=on,id={ident}{source}', '-device',
                         f'ide-cd,id={ident},drive={ident},bus=ide.{number // 2},unit={number % 2}']
            elif number < 4:  # libxl emulates no more
                args += ['-drive', f'file={disk.path},if=ide,index={number},media=disk,format=raw,cache=writeback']
        return args

    def stubdomain_domid(self):
        value = self.store.read(f'/local/domain/{self.domid}/image/device-model-domid')
        return int(value) if value else None

    def power_off(self):
        """The guest shuts down: it stays until the toolstack destroys it."""
        self.toolstack.hypervisor.shut_down(self.domid, POWEROFF)

    def destroy(self):
        """libxl_domain_destroy(): what `xl destroy` does. With a stubdomain registered, the device model in dom0 and
        its directory are not libxl's business; without one they are."""
        if not self.alive:
            return
        self.alive = False
        base = f'/local/domain/{self.domid}'
        pid = self.store.read(f'{base}/image/device-model-pid')
        registered = self.stubdomain_domid()
        if pid and not registered:
            with contextlib.suppress(ProcessLookupError):
                os.kill(int(pid), signal.SIGHUP)
        self.toolstack.destroy(self.domid)
        self.save_path.unlink(missing_ok=True)
        if not registered:
            self.store.rm(f'/local/domain/0/device-model/{self.domid}')
            for path in (self.qmp_path, self.stat_path):
                path.unlink(missing_ok=True)
