# SPDX-License-Identifier: LGPL-2.1-or-later
"""A scripted stubdomain: everything a device model could say, in the words and with the rights of a domain.

It speaks xenstore over its own ring page, so xenstored gives it exactly what a real stubdomain may do, and it is the
frontend of its consoles. What it says is a function the test passes; scripts.py has the usual ones.
"""

import os
import threading
import traceback
import tty

from .hypervisor import CRASH, POWEROFF
from .xenstore import Xenstore, XenstoreGone

# struct xenstore_domain_interface
STORE_RING = 1024
(REQ_CONS, REQ_PROD, RSP_CONS, RSP_PROD) = (2048, 2052, 2056, 2060)

# struct xencons_interface
IN_SIZE, OUT_SIZE = 1024, 2048
IN, OUT = 0, 1024
(IN_CONS, IN_PROD, OUT_CONS, OUT_PROD) = (3072, 3076, 3080, 3084)

# enum xenbus_state
INITIALISING, INIT_WAIT, INITIALISED, CONNECTED, CLOSING, CLOSED = range(1, 7)


class StubdomainGone(Exception):
    """This stubdomain has ended: its script ends here."""


class RingTransport:
    """The xenstore ring of a domain."""

    def __init__(self, page, port):
        self.page = page
        self.port = port

    def _wait(self, ready):
        with self.port.condition:
            while not ready():
                if self.port.closed:
                    raise XenstoreGone('the domain is gone')
                self.port.condition.wait()

    def write(self, data):
        page = self.page
        while data:
            self._wait(lambda: (page.word(REQ_PROD) - page.word(REQ_CONS)) & 0xffffffff < STORE_RING)
            prod, cons = page.word(REQ_PROD), page.word(REQ_CONS)
            start = prod % STORE_RING
            size = min(len(data), STORE_RING - ((prod - cons) & 0xffffffff), STORE_RING - start)
            page.memory[start:start + size] = data[:size]
            page.set_word(REQ_PROD, prod + size)
            data = data[size:]
            self.port.notify()

    def read(self, size):
        page = self.page
        data = b''
        while len(data) < size:
            self._wait(lambda: page.word(RSP_PROD) != page.word(RSP_CONS))
            prod, cons = page.word(RSP_PROD), page.word(RSP_CONS)
            start = cons % STORE_RING
            part = min(size - len(data), (prod - cons) & 0xffffffff, STORE_RING - start)
            data += page.memory[STORE_RING + start:STORE_RING + start + part]
            page.set_word(RSP_CONS, cons + part)
            self.port.notify()
        return data

    def close(self):
        self.port.close()


class Console:
    """Frontend of console 1 and up."""

    def __init__(self, stubdomain, number):
        self.stubdomain = stubdomain
        self.number = number
        self.path = f'/local/domain/{stubdomain.domid}/device/console/{number}'
        self.backend = stubdomain.store.read(f'{self.path}/backend')
        self.port = stubdomain.domain.new_port()
        self.ref, self.page = stubdomain.domain.grant()

    def announce(self, ref=None, port=None, state=INITIALISED):
        """Writes ring and port, as a Linux frontend does; other values than the true ones on demand."""
        store = self.stubdomain.store
        store.write(f'{self.path}/ring-ref', self.ref if ref is None else ref)
        store.write(f'{self.path}/port', self.port.number if port is None else port)
        store.write(f'{self.path}/state', state)

    def connect(self):
        self.announce()
        self.wait_backend(CONNECTED)
        self.stubdomain.store.write(f'{self.path}/state', CONNECTED)
        return self

    def wait_backend(self, state):
        self.stubdomain.store.wait(f'{self.backend}/state', str(state), self.stubdomain.deadline)

    def close(self):
        self.stubdomain.store.write(f'{self.path}/state', CLOSED)

    def _wait(self, ready):
        with self.port.condition:
            while not ready():
                if self.port.closed or self.stubdomain.gone:
                    raise StubdomainGone
                self.port.condition.wait(self.stubdomain.deadline.remaining(f'console {self.number}'))

    def write(self, data):
        """Sends all of @data to dom0; blocks while the ring is full."""
        page = self.page
        while data:
            self._wait(lambda: (page.word(OUT_PROD) - page.word(OUT_CONS)) & 0xffffffff < OUT_SIZE)
            prod, cons = page.word(OUT_PROD), page.word(OUT_CONS)
            start = prod % OUT_SIZE
            size = min(len(data), OUT_SIZE - ((prod - cons) & 0xffffffff), OUT_SIZE - start)
            page.memory[OUT + start:OUT + start + size] = data[:size]
            page.set_word(OUT_PROD, prod + size)
            data = data[size:]
            self.port.notify()

    def flush(self):
        """Waits until dom0 has taken everything."""
        self._wait(lambda: self.page.word(OUT_PROD) == self.page.word(OUT_CONS))

    def read_some(self, size):
        """Waits for bytes from dom0; returns what there is, at most @size."""
        page = self.page
        self._wait(lambda: page.word(IN_PROD) != page.word(IN_CONS))
        prod, cons = page.word(IN_PROD), page.word(IN_CONS)
        start = cons % IN_SIZE
        part = min(size, (prod - cons) & 0xffffffff, IN_SIZE - start)
        data = page.memory[IN + start:IN + start + part]
        page.set_word(IN_CONS, cons + part)
        self.port.notify()
        return data


class Stubdomain:
    """Made by the toolstack when the domain is created; run() is called when it is unpaused."""

    def __init__(self, domain, guest, xenstore_port, store_page, deadline):
        self.domain = domain
        self.domid = domain.domid
        self.guest = guest
        self.deadline = deadline
        self.dm = f'/local/domain/{self.domid}/device-model/{guest}'
        self.gone = False
        self.failure = None
        self.store = Xenstore(RingTransport(store_page, xenstore_port))
        # xenconsoled's end of console 0; it is not ours to block on, so a full pty drops what is printed.
        self.master, slave = os.openpty()
        tty.setraw(slave)
        self.tty = os.ttyname(slave)
        self.slave = slave
        os.set_blocking(self.master, False)
        self.thread = None
        self.dropped = 0

    def run(self, script):
        self.thread = threading.Thread(target=self._run, args=(script,), name=f'stubdomain {self.domid}', daemon=True)
        self.thread.start()

    def _run(self, script):
        try:
            script(self)
        except (StubdomainGone, XenstoreGone):
            pass
        except Exception:  # pylint: disable=broad-except
            if not self.gone:
                self.failure = traceback.format_exc()

    def end(self):
        """The domain was destroyed: Xen has taken everything away."""
        self.gone = True
        self.store.transport.close()
        for port in list(self.domain.ports.values()):
            port.close()
        if self.thread and self.thread is not threading.current_thread():
            self.thread.join()
        self.store.reader.join()
        for descriptor in (self.master, self.slave):
            os.close(descriptor)

    # --- what a script says

    def log(self, data):
        """Prints on console 0. xenconsoled drops what its pty does not take, and so does this."""
        data = data if isinstance(data, bytes) else data.encode()
        try:
            self.dropped += len(data) - os.write(self.master, data)
        except BlockingIOError:
            self.dropped += len(data)
        except OSError as error:
            raise StubdomainGone from error

    def state(self, value):
        self.store.write(f'{self.dm}/state', value)

    def parameter(self, value):
        self.store.write(f'{self.dm}/parameter', value)

    def console(self, number):
        return Console(self, number)

    def consoles(self):
        """Numbers of the consoles it was given, without 0."""
        return [int(name) for name in self.store.ls(f'/local/domain/{self.domid}/device/console')]

    def next_command(self):
        """Waits for a command; returns it and its parameter, having removed the command as QEMU does."""
        with self.store.watch(f'{self.dm}/command') as watch:
            while True:
                command = self.store.read(f'{self.dm}/command')
                if command is not None:
                    self.store.rm(f'{self.dm}/command')
                    return command, self.store.read(f'{self.dm}/parameter')
                watch.next(self.deadline)

    def wait_running_back(self):
        """After a command the toolstack writes "running" back."""
        self.store.wait(f'{self.dm}/state', 'running', self.deadline)

    def idle(self):
        """Nothing more until the end."""
        port = self.domain.new_port()
        with port.condition:
            while not port.closed:
                port.condition.wait()
        raise StubdomainGone

    def crash(self):
        self.domain.hypervisor.shut_down(self.domid, CRASH)
        raise StubdomainGone

    def power_off(self):
        self.domain.hypervisor.shut_down(self.domid, POWEROFF)
        raise StubdomainGone
