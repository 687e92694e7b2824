# SPDX-License-Identifier: LGPL-2.1-or-later
"""One slow domain delays no other."""

import contextlib
import os
import select
import threading
import time

from harness.driver import DriverError
from harness.driver_case import DriverTest, PAUSED, RUNNING, SHUTOFF

NETWORK = "<interface type='network'><mac address='00:16:3e:00:00:01'/><source network='default'/></interface>"
MOST = 0.1  # seconds, on a machine that has nothing else to do


class SpeedTest(DriverTest):
    def timed(self, *call):
        start = time.monotonic()
        result = self.driver.on(*call)
        return time.monotonic() - start, result

    def ask(self):
        """What virsh list, dominfo and domstats ask about all domains; the longest of all times."""
        times = []
        for call in ((None, 'listAllDomains'), (None, 'getAllDomainStats'), (None, 'numOfDomains'), ('other', 'info'),
                     ('other', 'state'), ('other', 'XMLDesc', 0), ('slow', 'state'), ('slow', 'info'),
                     ('slow', 'XMLDesc', 0)):
            duration, _ = self.timed(*call)
            times.append((duration, call))
        return max(times)

    def assert_quick(self):
        duration, call = min(self.ask() for _ in range(5))  # a busy machine may be slow now and then
        self.assertLess(duration, MOST * self.patience, call)

    def test_stalled_start(self):
        self.start_guest('other', number=1)
        self.define('slow', number=2)
        with self.stalled('slow') as reached:
            starting = self.driver.send('slow', 'create')
            reached.wait(self.deadline.remaining('the start'))
            self.assertEqual(self.state('slow'), PAUSED)
            self.assert_quick()
            self.driver.on('other', 'suspend')
            self.driver.on('other', 'resume')
            self.driver.on('other', 'destroy')
            self.assertFalse(starting.done.is_set())
        starting.wait()
        self.assertEqual((self.state('slow'), self.state('other')), (RUNNING, SHUTOFF))

    @contextlib.contextmanager
    def stalled_network(self, word):
        """In it the network driver waits when it is to @word a port, "create" or "delete" (fake_network.c), until released;
        yields what waits for that and what releases it."""
        paths = [self.directory / f'{word}-{end}' for end in ('reached', 'go')]
        for path in paths:
            os.mkfifo(path)
        # Both ends are opened here: neither side waits for the other to open one.
        reached, go = (os.open(path, os.O_RDWR) for path in paths)

        def wait():
            ready, _, _ = select.select([reached], [], [], self.deadline.remaining('the network driver'))
            self.assertTrue(ready, 'the network driver was not asked')

        try:
            yield wait, lambda: os.write(go, b'x')
        finally:
            for path, descriptor in zip(paths, (reached, go)):
                path.unlink()
                os.close(descriptor)

    def test_stalled_network_driver(self):
        """At the start, when a port is allocated, and at the end, when it is given back."""
        self.start_guest('other', number=1)
        self.driver.call('defineXML', self.xml('slow', number=2).replace('<serial', NETWORK + '<serial', 1))
        with self.stalled_network('create') as (wait, release):
            starting = self.driver.send('slow', 'create')
            wait()
            self.assertEqual(self.state('slow'), PAUSED)
            self.assert_quick()
            self.assertFalse(starting.done.is_set())
            release()
            starting.wait()
        self.assertIn("bridge='xenbr0'", self.driver.on('slow', 'XMLDesc', 0))
        with self.stalled_network('delete') as (wait, release):
            destroying = self.driver.send('slow', 'destroy')
            wait()
            self.assert_quick()
            self.assertFalse(destroying.done.is_set())
            release()
            destroying.wait()
        self.assertEqual(self.state('slow'), SHUTOFF)

    def test_start_is_destroyed(self):
        """A start that waits for its stubdomain ends when the domain is destroyed, long before its deadline."""
        running = threading.Event()

        def mute(stub):
            running.set()
            stub.idle()

        self.script = mute
        self.define('slow', number=2)
        starting = self.driver.send('slow', 'create')
        running.wait(self.deadline.remaining('the stubdomain'))
        self.driver.on('slow', 'destroy')
        with self.assertRaises(DriverError):
            starting.wait()
        self.assertEqual(self.state('slow'), SHUTOFF)

    def test_stalled_destroy(self):
        self.start_guest('other', number=1)
        self.start_guest('slow', number=2)
        slow = self.guest('slow')
        reached, go = self.hold('libxl_domain_destroy', slow.domid)
        destroying = self.driver.send('slow', 'destroy')
        reached.wait(self.deadline.remaining('the call'))
        try:
            self.assert_quick()
        finally:
            go.set()
        destroying.wait()
        self.assertEqual(self.state('slow'), SHUTOFF)
