# SPDX-License-Identifier: LGPL-2.1-or-later
"""The part of Xen that xenstored and the backends in dom0 use: domains, grants, foreign memory, event channels.

The preload libraries talk to it; fake_hypervisor.h has the same numbers. Grants are pages of a sparse file, events go
through a socket that this module serves in a thread of its own.
"""

import contextlib
import errno
import itertools
import mmap
import os
import pathlib
import selectors
import socket
import struct
import threading
import uuid

DOMAINS_MAX = 1024
GRANTS_MAX = 1024
PAGE_SIZE = 4096
GRANT_TABLE_SIZE = DOMAINS_MAX * GRANTS_MAX
FRAMES_MAX = 65536
FRAME_TABLE_SIZE = FRAMES_MAX * 4

EVENT, BIND, VIRQ, NOTIFY, UNBIND, UNMASK, RESTRICT, AGAIN = range(8)
MESSAGE = struct.Struct('=IiI')

# Reasons of a shutdown (xen/public/sched.h).
POWEROFF, REBOOT, SUSPEND, CRASH = range(4)


class Page:
    """A granted page as its owner sees it."""

    def __init__(self, hypervisor, domid, ref):
        offset = GRANT_TABLE_SIZE + (domid * GRANTS_MAX + ref) * PAGE_SIZE
        self.memory = mmap.mmap(hypervisor.memory, PAGE_SIZE, offset=offset)
        self.words = memoryview(self.memory).cast('I')  # one store a word: the other side never sees half of one

    def word(self, offset):
        return self.words[offset // 4]

    def set_word(self, offset, value):
        self.words[offset // 4] = value & 0xffffffff


class GuestPort:
    """A domain's end of an event channel to dom0."""

    def __init__(self, hypervisor, number):
        self.hypervisor = hypervisor
        self.number = number
        self.peer = None  # (connection, local port) once dom0 has bound it
        self.condition = threading.Condition()
        self.count = 0  # events so far
        self.closed = False

    def notify(self):
        self.hypervisor.deliver(self.peer)

    def arrived(self):
        with self.condition:
            self.count += 1
            self.condition.notify_all()

    def close(self):
        with self.condition:
            self.closed = True
            self.condition.notify_all()


class _Connection:
    """One handle of libxenevtchn in a program under test."""

    def __init__(self, sock):
        self.socket = sock
        self.numbers = itertools.count(1)
        self.ports = {}     # local port -> GuestPort, or None for a VIRQ and for dom0's own
        self.masked = set()
        self.pending = set()
        self.only = None    # the domid it is restricted to


class Domain:
    def __init__(self, hypervisor, domid):
        self.hypervisor = hypervisor
        self.domid = domid
        self.ports = {}
        self.grants = itertools.count(8)  # the first few are Xen's own: xenstore is 1, the console 0
        self.numbers = itertools.count(1)
        self.reason = None   # of its shutdown
        self.dying = False
        self.paused = False
        self.hvm = False
        self.uuid = uuid.UUID(int=domid)
        self.memory = 0      # KiB
        self.cpu_time = 0    # ns
        self.vcpus = 1
        self.content = b''   # of its memory, as far as a test looks at it

    def new_port(self):
        """An unbound port; of a domain that is gone, a closed one."""
        with self.hypervisor.lock:
            port = GuestPort(self.hypervisor, next(self.numbers))
            port.closed = self.dying
            self.ports[port.number] = port
            return port

    def grant(self, ref=None):
        """Gives dom0 a page of this domain; returns its reference and the page."""
        ref = next(self.grants) if ref is None else ref
        os.pwrite(self.hypervisor.memory, b'\1', self.domid * GRANTS_MAX + ref)
        return ref, Page(self.hypervisor, self.domid, ref)


    def frames(self, count):
        """Pages of this domain beside each other; returns the number of the first, and the memory."""
        first = self.hypervisor.allocate_frames(count)
        os.pwrite(self.hypervisor.frames, struct.pack('=I', self.domid) * count, first * 4)
        return first, mmap.mmap(self.hypervisor.frames, count * PAGE_SIZE,
                                offset=FRAME_TABLE_SIZE + first * PAGE_SIZE)


class Hypervisor:
    def __init__(self, directory):
        self.directory = pathlib.Path(directory)
        (self.directory / 'domains').mkdir(parents=True)
        self.memory = os.open(self.directory / 'memory', os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        os.ftruncate(self.memory, GRANT_TABLE_SIZE + DOMAINS_MAX * GRANTS_MAX * PAGE_SIZE)
        self.frames = os.open(self.directory / 'frames', os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        os.ftruncate(self.frames, FRAME_TABLE_SIZE + FRAMES_MAX * PAGE_SIZE)
        self.clock = os.open(self.directory / 'clock', os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        os.ftruncate(self.clock, PAGE_SIZE)
        self.passed = 0
        self.next_frame = 256
        self.lock = threading.RLock()
        self.domains = {}
        self.targets = {}
        self.virqs = []
        self.listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.listener.bind(str(self.directory / 'evtchn'))
        self.listener.listen(32)
        self.stop_read, self.stop_write = os.pipe()
        self.thread = threading.Thread(target=self._serve, name='event channels', daemon=True)
        self.thread.start()

    def close(self):
        os.write(self.stop_write, b'x')
        self.thread.join()
        for descriptor in (self.stop_read, self.stop_write, self.memory, self.frames, self.clock):
            os.close(descriptor)

    def allocate_frames(self, count):
        with self.lock:
            first = self.next_frame
            self.next_frame += count
            return first

    def pass_time(self, seconds):
        """For displays, from now on it is so much later, however long they sleep in the middle of something."""
        self.passed += seconds
        os.pwrite(self.clock, struct.pack('=I', self.passed), 0)

    # --- domains

    def create(self, domid, *, hvm=False, memory=0, ident=None):
        with self.lock:
            domain = self.domains[domid] = Domain(self, domid)
            domain.hvm, domain.memory = hvm, memory
            with contextlib.suppress(TypeError, ValueError):
                domain.uuid = uuid.UUID(ident)
        self._write_word(domid, 'running')
        return domain

    def shut_down(self, domid, reason):
        """The domain ends by itself or is made to; it stays until it is destroyed."""
        with self.lock:
            domain = self.domains.get(domid)
            if domain is None or domain.reason is not None:
                return
            domain.reason = reason
        self._write_word(domid, 'shutdown')
        self.raise_exception()

    def resume(self, domid):
        """A domain that was shut down, mostly by being suspended, runs again."""
        with self.lock:
            domain = self.domains.get(domid)
            if domain is None:
                return
            domain.reason = None
        self._write_word(domid, 'running')

    def destroy(self, domid):
        """The domain is gone at once."""
        with self.lock:
            domain = self.domains.pop(domid, None)
            if domain is None:
                return
            domain.dying = True
            ports = list(domain.ports.values())
            self.targets.pop(domid, None)
        (self.directory / 'domains' / str(domid)).unlink()
        os.pwrite(self.memory, bytes(GRANTS_MAX), domid * GRANTS_MAX)
        for port in ports:
            port.close()
        self.raise_exception()

    def _write_word(self, domid, word):
        path = self.directory / 'domains' / str(domid)
        fresh = self.directory / f'domain-{domid}.new'
        fresh.write_text(word)
        fresh.rename(path)

    def raise_exception(self):
        """VIRQ_DOM_EXC: xenstored looks at all domains and fires @releaseDomain."""
        for peer in list(self.virqs):
            self.deliver(peer)

    # --- event channels

    def deliver(self, peer):
        """Sends an event to a port in dom0, once until it is unmasked."""
        if peer is None:
            return
        connection, port = peer
        with self.lock:
            if port not in connection.ports:
                return
            if port in connection.masked:
                connection.pending.add(port)
                return
            connection.masked.add(port)
            self._send(connection, EVENT, port)

    @staticmethod
    def _send(connection, op, value):
        try:
            connection.socket.send(MESSAGE.pack(op, value, 0))
        except OSError:
            pass  # the program has just ended; the thread sees that too

    def _serve(self):
        selector = selectors.DefaultSelector()
        selector.register(self.listener, selectors.EVENT_READ, None)
        selector.register(self.stop_read, selectors.EVENT_READ, None)
        connections = set()
        while True:
            for key, _ in selector.select():
                if key.fileobj is self.stop_read or key.fd == self.stop_read:
                    for connection in connections:
                        connection.socket.close()
                    self.listener.close()
                    selector.close()
                    return
                if key.fileobj is self.listener:
                    connection = _Connection(self.listener.accept()[0])
                    connections.add(connection)
                    selector.register(connection.socket, selectors.EVENT_READ, connection)
                elif not self._read(key.data):
                    selector.unregister(key.fileobj)
                    connections.discard(key.data)
                    self._drop(key.data)

    def _read(self, connection):
        try:
            data = connection.socket.recv(MESSAGE.size)
        except ConnectionError:
            return False
        if len(data) != MESSAGE.size:
            return False
        op, value, more = MESSAGE.unpack(data)
        with self.lock:
            answer = self._handle(connection, op, value, more)
        if answer is not None:
            self._send(connection, op, answer)
        return True

    def _handle(self, connection, op, value, more):
        if op == BIND:
            return self._bind(connection, value, more)
        if op == VIRQ:
            local = next(connection.numbers)
            connection.ports[local] = None
            self.virqs.append((connection, local))
            return local
        if op == RESTRICT:
            connection.only = value
            return 0
        if op == NOTIFY:
            port = connection.ports.get(value)
            if port:
                port.arrived()
        elif op == UNBIND:
            self._unbind(connection, value)
        elif op == UNMASK:
            connection.masked.discard(value)
            if value in connection.pending:
                connection.pending.discard(value)
                self.deliver((connection, value))
        elif op == AGAIN:
            self._send(connection, EVENT, value)
        return None

    def _bind(self, connection, domid, number):
        port = None
        if connection.only not in (None, domid):
            return -errno.EPERM
        if domid != 0:
            domain = self.domains.get(domid)
            port = domain.ports.get(number) if domain else None
            if port is None or port.peer is not None:
                return -errno.EINVAL
        local = next(connection.numbers)
        connection.ports[local] = port
        if port:
            port.peer = (connection, local)
            self.deliver(port.peer)  # a freshly bound port is pending, as on Xen
        return local

    @staticmethod
    def _unbind(connection, local):
        port = connection.ports.pop(local, None)
        if port:
            port.peer = None

    def _drop(self, connection):
        with self.lock:
            for local in list(connection.ports):
                self._unbind(connection, local)
            self.virqs = [peer for peer in self.virqs if peer[0] is not connection]
        connection.socket.close()
