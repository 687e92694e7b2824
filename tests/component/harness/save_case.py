# SPDX-License-Identifier: LGPL-2.1-or-later
"""Base class of tests of saved domains."""

import threading

from . import scripts
from .driver import DriverError
from .driver_case import (DriverTest, RESUMED, RUNNING, STOPPED, STOPPED_SAVED, STOPPED_SHUTDOWN, SUSPENDED)
from .scripts import STATE

# Numbers of libvirt's API.
OPERATION_INVALID, OPERATION_FAILED, OPERATION_ABORTED = 55, 9, 78
STARTED_RESTORED = 2


def reads_state(read):
    """A stubdomain that takes a state to restore, and appends it to @read."""
    def script(stub):
        consoles = scripts.connect_consoles(stub)
        arguments = ''.join(value for value, _ in stub.store.tree(
            f'{stub.store.read(f"/local/domain/{stub.guest}/vm")}/image').values())
        data = b''
        while '-incoming' in arguments and len(data) < len(STATE):
            data += consoles[2].read_some(1 << 16)
        read.append(data)
        stub.state('running')
        scripts.serve(stub, consoles)
    return script


class SaveTest(DriverTest):
    """What the tests of saving and restoring have in common."""

    def setUp(self):
        super().setUp()
        (self.directory / 'xen' / 'space').write_text(str(1 << 40))
        self.saved = self.directory / 'driver' / 'save'
        self.file = self.directory / 'driver' / 'file.image'
        self.read = []
        self.script = reads_state(self.read)

    def tearDown(self):
        """Whatever happened, nothing unfinished is left."""
        for directory in (self.saved, self.file.parent):
            self.assertEqual([path.name for path in directory.iterdir() if path.suffix in ('.part', '.used')], [])
        super().tearDown()

    def content(self):
        return self.hypervisor.domains[self.guest().domid].content

    def expect_saved(self):
        self.driver.expect(('guest', 'lifecycle', SUSPENDED, 0), ('guest', 'lifecycle', STOPPED, STOPPED_SAVED))

    def expect_goes_on(self):
        self.driver.expect(('guest', 'lifecycle', SUSPENDED, 0), ('guest', 'lifecycle', RESUMED, 0))
        self.assertEqual(self.state(), RUNNING)

    def assert_fails(self, call, *arguments, code=None, words=()):
        with self.assertRaises(DriverError) as caught:
            self.driver.on('guest', call, *arguments)
        self.check_error(caught.exception, code, words)

    def check_error(self, error, code, words):
        for word in words:
            self.assertIn(word, str(error))
        if code is not None:
            self.assertEqual(error.code, code, str(error))

    def assert_alive(self):
        """The guest runs as before, and its end is noticed."""
        guest = self.guest()
        self.assertEqual(self.state(), RUNNING)
        self.assertIsNone(self.hypervisor.domains[guest.domid].reason)
        model = self.models[-1]
        self.assertEqual(model.ask('query-status')['status'], 'running')
        guest.power_off()
        self.driver.expect(('guest', 'lifecycle', STOPPED, STOPPED_SHUTDOWN))

    def hold_at(self, wanted):
        """Lets a save or restore wait before a step; returns the event that it is there, and one that lets it go on."""
        reached, go = threading.Event(), threading.Event()

        def at(step):
            if step == wanted:
                reached.set()
                go.wait(self.deadline.remaining('the end of the stall'))

        self.toolstack.at = at
        return reached, go
