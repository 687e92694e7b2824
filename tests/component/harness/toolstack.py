# SPDX-License-Identifier: LGPL-2.1-or-later
"""What libxl does with domains, without Xen: the calls that fake_libxl.c passes on, and the guest they are about.

Nodes, owners and permissions are those libxl 4.17 writes (libxl__domain_make, libxl__build_post, device_add). Every
call is recorded with its arguments; a test can let any of them fail, or be late.
"""

import contextlib
import json
import os
import pathlib
import socket
import threading
import uuid

from . import libxl_save, numbers, pci
from .hypervisor import PAGE_SIZE
from .pci import ERROR_FAIL, LibxlError
from .qmp import Qmp, QmpError
from .stubdomain import Stubdomain
from .xenstore import XenstoreGone

ERROR_NOMEM, ERROR_INVAL = -5, -6
ERROR_DOMAIN_NOTFOUND = -21
ERROR_NOPARAVIRT = -10

# What libxl asks Xen about domains.
QUESTION = 'xc_domain_getinfolist'
XEN_DOMINF = {'hvm': 1 << 1, 'shutdown': 1 << 2, 'paused': 1 << 3, 'running': 1 << 5}
XEN_DOMINF_SHUTDOWNSHIFT = 16

# Nodes of a domain that it owns itself (libxl__domain_make).
OWN_NODES = ('device/suspend/event-channel', 'control/shutdown', 'control/feature-poweroff', 'control/feature-reboot',
             'control/feature-suspend', 'control/sysrq', 'data', 'drivers', 'feature', 'attr', 'error')
READ_NODES = ('cpu', 'memory', 'device', 'control')
GRANT_XENSTORE = 1


class Call:
    """One call of libxl or libxenctrl by the program under test."""

    def __init__(self, name, numbers, argument, descriptor=None):
        self.name = name
        self.numbers = numbers
        self.argument = argument
        self.descriptor = descriptor  # that came with it, closed when it was answered

    def __repr__(self):
        return f'{self.name}({", ".join(map(str, self.numbers))}) {json.dumps(self.argument)[:400]}'


class Toolstack:
    """Serves $FAKEXEN_DIR/toolstack. One thread a call, because a call may wait for xenstored."""

    def __init__(self, hypervisor, store, deadline):
        self.hypervisor = hypervisor
        self.store = store
        self.deadline = deadline
        self.calls = []
        self.failures = {}     # name of a call -> (rc, lines for the log), or a function called before it
        self.script_failures = []
        self.scripts = {}      # guest domid -> script of its stubdomain
        self.stubdomains = {}  # domid -> Stubdomain
        self.guests = {}       # domid -> Guest, of those the program under test made
        self.sysfs = None
        self.pci = pci.Pci(self)
        self.make_guest = None # makes an HVM guest of a libxl_domain_config and perhaps a device state, returns its domid
        self.at = lambda step: None  # called before each step of a save or a restore (libxl_save.py)
        self.error = LibxlError
        self.next_domid = 1
        self.host = numbers.Host()
        self.domain_numbers = {}  # domid -> numbers.Numbers
        self.lock = threading.RLock()
        self.threads = []
        self.listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.listener.bind(str(hypervisor.directory / 'toolstack'))
        self.listener.listen(32)
        self.server = threading.Thread(target=self._serve, name='toolstack', daemon=True)
        self.server.start()

    def close(self):
        with contextlib.suppress(OSError):
            self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        self.server.join()
        for thread in self.threads:
            thread.join()
        for stubdomain in list(self.stubdomains.values()):
            self.hypervisor.destroy(stubdomain.domid)
            stubdomain.end()

    def numbers(self, domid):
        """What libxl says of the domain's vCPUs and scheduling."""
        with self.lock:
            domain = self.hypervisor.domains.get(domid)
            if domain is None:
                raise LibxlError(ERROR_DOMAIN_NOTFOUND, f'Domain {domid}: non-existent domain')
            return self.domain_numbers.setdefault(domid, numbers.Numbers(domain.vcpus))

    def names(self):
        """Names of the calls so far, without the questions."""
        return [call.name for call in self.calls if call.name != QUESTION and not call.name.startswith('libxl_get_')]

    def find(self, name):
        return [call for call in self.calls if call.name == name]

    def settle(self, deadline):
        """Waits until no call is under way of those made so far, also by a program that has ended meanwhile."""
        with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as marker:
            marker.connect(str(self.hypervisor.directory / 'toolstack'))
            marker.shutdown(socket.SHUT_WR)
            marker.settimeout(deadline.remaining('the toolstack'))
            marker.recv(1)  # ends when it was accepted, and so was all before it
        for thread in list(self.threads):
            thread.join(deadline.remaining('calls of libxl'))

    # --- requests

    def _serve(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            # Read here, so that calls are recorded in the order in which they were made.
            data, descriptors, _, _ = socket.recv_fds(connection, 256 * 1024, 1)
            head, _, body = data.decode().partition('\n')
            if not head:
                connection.close()
                continue  # killed before it could ask
            name, *numbers = head.split()
            call = Call(name, [int(number) for number in numbers], json.loads(body), *descriptors)
            self.calls.append(call)
            thread = threading.Thread(target=self._answer, args=(connection, call), name='libxl call', daemon=True)
            thread.start()
            self.threads.append(thread)

    def _answer(self, connection, call):
        with connection:
            failure = self.failures.get(call.name)
            if callable(failure):
                failure = failure(call)
            rc, value, lines = 0, 0, ()
            if failure:
                rc, lines = failure
            else:
                try:
                    value = CALLS[call.name](self, call) or 0
                    if isinstance(value, list):
                        value, lines = len(value), value
                except LibxlError as error:
                    rc, lines = error.rc, (str(error),)
            if call.descriptor is not None:
                os.close(call.descriptor)
            with contextlib.suppress(OSError):
                connection.send('\n'.join([f'{rc} {value}', *lines, '']).encode())

    def create_new(self, call):
        config = call.argument
        info, build = config['c_info'], config['b_info']
        for path in (build.get('kernel'), build.get('ramdisk')):
            if path and not os.access(path, os.R_OK):
                raise LibxlError(ERROR_FAIL, f'could not find kernel or ramdisk "{path}"')
        if info['type'] == 'hvm':
            return self.make_guest(config)
        domid = self.allocate()
        memory = build.get('max_memkb', 131072)
        page, port = self.make_domain(domid, info['name'], info.get('uuid') or str(uuid.uuid4()), info['type'], memory)
        stubdomain = Stubdomain(self.hypervisor.domains[domid], None, port, page, self.deadline)
        self.stubdomains[domid] = stubdomain
        base = f'/local/domain/{domid}/console'
        self.store.make(base, '', 'n0', f'r{domid}')
        for name, value in (('backend', f'/local/domain/0/backend/console/{domid}/0'), ('backend-id', 0),
                            ('limit', 1048576), ('type', 'xenconsoled'), ('output', 'pty'), ('tty', stubdomain.tty),
                            ('port', 2), ('ring-ref', 2)):
            self.store.write(f'{base}/{name}', value)
        self.add_device(domid, 'console', 0, {}, frontend=base, frontend_nodes=False)
        for vcpu, cpus in enumerate(build.get('vcpu_hard_affinity', [])):
            self.numbers(domid).affinity[vcpu] = cpus
        return domid

    def disk_add(self, call):
        disk = call.argument
        if call.numbers[0] not in self.hypervisor.domains:
            raise LibxlError(ERROR_DOMAIN_NOTFOUND, f'Domain {call.numbers[0]}: non-existent domain')
        path = disk.get('pdev_path')
        if path and not os.path.exists(path):
            raise LibxlError(ERROR_INVAL, f'Disk vdev={disk["vdev"]} failed to stat: {path}: No such file or directory')
        number = disk_number(disk['vdev'])
        self.add_device(call.numbers[0], 'vbd', number, {
            'params': path or '', 'type': 'phy', 'dev': disk['vdev'], 'removable': int(bool(disk.get('removable'))),
            'bootable': 1, 'mode': 'w' if disk.get('readwrite') else 'r',
            'device-type': 'cdrom' if disk.get('is_cdrom') else 'disk'},
            {'virtual-device': number, 'device-type': 'cdrom' if disk.get('is_cdrom') else 'disk'})

    def disk_remove(self, call):
        self.remove_device(call.numbers[0], 'vbd', disk_number(call.argument['vdev']))

    def nic_add(self, call):
        nic, domid = call.argument, call.numbers[0]
        devid = nic.get('devid', -1)
        if devid < 0:
            devid = max(map(int, self.store.ls(f'/libxl/{domid}/device/vif')), default=-1) + 1
        self.add_device(domid, 'vif', devid,
                        {'bridge': nic.get('bridge', ''), 'mac': nic.get('mac', ''), 'handle': devid},
                        {'mac': nic.get('mac', ''), 'handle': devid})
        return devid

    def nic_remove(self, call):
        self.remove_device(call.numbers[0], 'vif', call.argument['devid'])

    def vfb_add(self, call):
        self.add_device(call.numbers[0], 'vfb', 0, {})

    def vkb_add(self, call):
        self.add_device(call.numbers[0], 'vkbd', 0, {})

    def pause(self, call):
        self.find_domain(call.numbers[0]).paused = True

    def shutdown(self, call):
        """The guests of tests have no PV drivers."""
        raise LibxlError(ERROR_NOPARAVIRT, f'Domain {call.numbers[0]}: PV control is not there')

    def trigger(self, call):
        self.find_domain(call.numbers[0])

    def core_dump(self, call):
        self.find_domain(call.numbers[0])
        pathlib.Path(call.argument).write_text('core', encoding='ascii')

    def rename(self, call):
        self.store.write(f'/local/domain/{call.numbers[0]}/name', call.argument)

    def preserve(self, call):
        """libxl_domain_preserve(): another name and UUID."""
        name, ident = call.argument
        domid = call.numbers[0]
        self.find_domain(domid).uuid = uuid.UUID(ident)
        self.store.write(f'/local/domain/{domid}/name', name)

    def find_domain(self, domid):
        domain = self.hypervisor.domains.get(domid)
        if domain is None:
            raise LibxlError(ERROR_DOMAIN_NOTFOUND, f'Domain {domid}: non-existent domain')
        return domain

    def unpause(self, call):
        self.find_domain(call.numbers[0]).paused = False
        stubdomain = self.stubdomains.get(call.numbers[0])
        if stubdomain is None or stubdomain.thread:
            return  # a guest, or a stubdomain that only goes on
        target = self.store.read(f'/local/domain/{stubdomain.domid}/target')
        stubdomain.guest = int(target) if target else -1
        stubdomain.dm = f'/local/domain/{stubdomain.domid}/device-model/{stubdomain.guest}'
        stubdomain.run(self.scripts[stubdomain.guest])

    def resume(self, call):
        """libxl__domain_resume(): the device model is told first, and whether it answered decides."""
        domid = call.numbers[0]
        self.find_domain(domid)
        client = Qmp(self.hypervisor.directory.parent / 'libxl' / f'qmp-libxl-{domid}', self.deadline)
        try:
            client.call('cont')
        except (QmpError, OSError) as error:
            raise LibxlError(ERROR_FAIL, f'Failed to resume device model: {error}') from error
        finally:
            client.close()
        self.hypervisor.resume(domid)
        self.store.resume(domid)

    def destroy_called(self, call):
        try:
            guest = self.guests.pop(call.numbers[0], None)
            if guest:
                guest.destroy()
            else:
                self.destroy(call.numbers[0])
        except XenstoreGone:
            self._end_domain(call.numbers[0])  # libxl goes on without the nodes it cannot reach

    def getinfolist(self, call):
        """A line a domain, as fake_libxl.c reads it; dom0 is the first."""
        first, most = call.numbers
        with self.hypervisor.lock:
            known = sorted(self.hypervisor.domains.items())
        lines = [f'0 {XEN_DOMINF["running"]} {uuid.UUID(int=0)} 524288 524288 1000000000 2'] if first == 0 else []
        for domid, domain in known:
            if domid >= first:
                flags = XEN_DOMINF['hvm'] if domain.hvm else 0
                if domain.reason is not None:
                    flags |= XEN_DOMINF['shutdown'] | domain.reason << XEN_DOMINF_SHUTDOWNSHIFT
                flags |= XEN_DOMINF['paused'] if domain.paused else XEN_DOMINF['running']
                pages = domain.memory // 4
                lines.append(f'{domid} {flags} {domain.uuid} {pages} {pages} {domain.cpu_time} {domain.vcpus}')
        return lines[:most]

    def set_target(self, call):
        stubdomain, guest = call.numbers
        if stubdomain in self.hypervisor.targets or guest not in self.hypervisor.domains:
            raise LibxlError(-22, 'set_target')
        self.hypervisor.targets[stubdomain] = guest

    def shut_down(self, call):
        self.hypervisor.shut_down(call.numbers[0], call.numbers[1])

    # --- domains

    def allocate(self):
        with self.lock:
            domid = self.next_domid
            self.next_domid += 1
            return domid

    def make_domain(self, domid, name, ident, kind, memory):
        """Creates and introduces a domain; returns its xenstore page and port."""
        domain = self.hypervisor.create(domid, hvm=kind == 'hvm', memory=memory, ident=ident)
        base, store = f'/local/domain/{domid}', self.store
        store.make(base, '', 'n0', f'r{domid}')
        store.make(f'/vm/{ident}', '', 'n0', f'r{domid}')
        store.make(f'/libxl/{domid}', '', 'n0')
        store.make(f'/libxl/{domid}/device', '', 'n0')
        store.write(f'/libxl/{domid}/type', kind)
        for node in READ_NODES:
            store.make(f'{base}/{node}', '', 'n0', f'r{domid}')
        for node in OWN_NODES:
            store.make(f'{base}/{node}', '', f'n{domid}')
        port = domain.new_port()
        for node, value in (('vm', f'/vm/{ident}'), ('name', name), ('domid', domid), ('memory/static-max', memory),
                            ('memory/target', memory), ('memory/videoram', 0), ('cpu/0/availability', 'online'),
                            ('store/port', port.number), ('store/ring-ref', 1)):
            store.write(f'{base}/{node}', value)
        for node, value in (('uuid', ident), ('name', name)):
            store.write(f'/vm/{ident}/{node}', value)
        _, page = domain.grant(GRANT_XENSTORE)
        page.memory[:] = bytes(PAGE_SIZE)
        store.introduce(domid, port.number)
        return page, port

    def add_device(self, domid, kind, number, backend, frontend_values=None, *, frontend=None, frontend_nodes=True,
                   backend_kind=None):
        """Frontend, backend and libxl's own record of a device."""
        front = frontend or f'/local/domain/{domid}/device/{kind}/{number}'
        back = f'/local/domain/0/backend/{backend_kind or kind}/{domid}/{number}'
        record = f'/libxl/{domid}/device/{kind}/{number}'
        back_nodes = {'frontend': front, 'frontend-id': domid, 'online': 1, 'state': 1, **backend}
        self.store.make(record, '', 'n0')
        for name, value in {'frontend': front, 'backend': back, **back_nodes}.items():
            self.store.write(f'{record}/{name}', value)
        self.store.make(back, '', 'n0', f'r{domid}')
        for name, value in back_nodes.items():
            self.store.write(f'{back}/{name}', value)
        if frontend_nodes:
            self.store.make(front, '', f'n{domid}', 'r0')
            for name, value in {'backend': back, 'backend-id': 0, 'state': 1, **(frontend_values or {})}.items():
                self.store.write(f'{front}/{name}', value)

    def remove_device(self, domid, kind, number):
        """A device goes, whether its frontend lets go or not: what libxl does in the end."""
        record = f'/libxl/{domid}/device/{kind}/{number}'
        backend = self.store.read(f'{record}/backend')
        if backend is None:
            raise LibxlError(ERROR_FAIL, f'unable to find device with devid {number}')
        for path in (f'/local/domain/{domid}/device/{kind}/{number}', backend, record):
            self.store.rm(path)
            self._remove_empty(str(pathlib.PurePath(path).parent))

    def destroy(self, domid):
        """libxl_domain_destroy(): the stubdomain of a guest goes with it, devices and nodes before the domain."""
        stubdomain = self.store.read(f'/local/domain/{domid}/image/device-model-domid')
        domain = self.hypervisor.domains.get(domid)
        if domain:
            domain.paused = True
        if stubdomain and int(stubdomain) in self.hypervisor.domains:
            self.destroy_one(int(stubdomain))
        self.destroy_one(domid)

    def destroy_one(self, domid):
        """A half of it."""
        store = self.store
        if domid not in self.hypervisor.domains:
            raise LibxlError(ERROR_DOMAIN_NOTFOUND, f'Domain {domid}: non-existent domain')
        stubdomain = self.stubdomains.get(domid)
        if stubdomain:
            stubdomain.gone = True  # Xen pauses it: what its script meets from now on is no fault of the script
        vm_path = store.read(f'/local/domain/{domid}/vm')
        self.pci.forget(domid)
        for kind in store.ls(f'/libxl/{domid}/device'):
            for number in store.ls(f'/libxl/{domid}/device/{kind}'):
                backend = store.read(f'/libxl/{domid}/device/{kind}/{number}/backend')
                if backend:
                    store.rm(backend)
                    self._remove_empty(str(pathlib.PurePath(backend).parent))
        for path in (vm_path, f'/local/domain/{domid}', f'/libxl/{domid}'):
            if path:
                store.rm(path)
        self._end_domain(domid)

    def _end_domain(self, domid):
        self.hypervisor.destroy(domid)
        stubdomain = self.stubdomains.pop(domid, None)
        if stubdomain:
            stubdomain.end()
            if stubdomain.failure:
                self.script_failures.append(stubdomain.failure)

    def _remove_empty(self, path):
        """libxl removes the parents of a device that hold nothing any more."""
        while path.count('/') > 3 and not self.store.ls(path):
            self.store.rm(path)
            path = str(pathlib.PurePath(path).parent)


def disk_number(vdev):
    """The xenstore number of xvda, hda, … (docs/man/xen-vbd-interface)."""
    letter = ord(vdev[-1]) - ord('a')
    if vdev.startswith('xvd'):
        return (202 << 8) + letter * 16
    if vdev.startswith('hd'):
        return ((3, 22)[letter // 2] << 8) + letter % 2 * 64
    return (8 << 8) + letter * 16


# What fake_libxl.c sends.
CALLS = {
    'libxl_domain_create_new': Toolstack.create_new,
    'libxl_device_disk_add': Toolstack.disk_add,
    'libxl_device_disk_remove': Toolstack.disk_remove,
    'libxl_device_disk_safe_remove': Toolstack.disk_remove,
    'libxl_device_disk_destroy': Toolstack.disk_remove,
    'libxl_device_nic_remove': Toolstack.nic_remove,
    'libxl_device_nic_destroy': Toolstack.nic_remove,
    'libxl_device_nic_add': Toolstack.nic_add,
    'libxl_device_vfb_add': Toolstack.vfb_add,
    'libxl_device_vkb_add': Toolstack.vkb_add,
    'libxl_domain_unpause': Toolstack.unpause,
    'libxl_domain_pause': Toolstack.pause,
    'libxl_domain_shutdown': Toolstack.shutdown,
    'libxl_domain_reboot': Toolstack.shutdown,
    'libxl_send_trigger': Toolstack.trigger,
    'libxl_domain_core_dump': Toolstack.core_dump,
    'libxl_domain_rename': Toolstack.rename,
    'libxl_domain_preserve': Toolstack.preserve,
    'libxl_domain_resume': Toolstack.resume,
    'libxl_domain_destroy': Toolstack.destroy_called,
    QUESTION: Toolstack.getinfolist,
    'xc_domain_set_target': Toolstack.set_target,
    'xendevicemodel_shutdown': Toolstack.shut_down,
    **numbers.CALLS,
    **pci.CALLS,
    **libxl_save.CALLS,
}
