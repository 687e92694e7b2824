# SPDX-License-Identifier: LGPL-2.1-or-later
"""What all tests of hostile stubdomains ask: that nothing and nobody else suffers."""

import contextlib

from . import processes
from .case import ComponentTest

GROWTH_KIB = 8 * 1024  # of all processes of one device model together


class HostileTest(ComponentTest):
    seconds = 40

    def memory(self, model):
        total = 0
        for pid in model.family():
            with contextlib.suppress(OSError):
                total += processes.resident_kib(pid)
        return total

    def say_done(self):
        """For a script: it has done all it does."""
        self.store.write('/test/done', 1)

    def wait_done(self):
        self.store.wait('/test/done', '1', self.deadline)
        self.store.rm('/test')

    @contextlib.contextmanager
    def unharmed(self, model, *, alive=True):
        """The device model and that of another guest are as well afterwards as before."""
        _, other, _ = self.start_running(name='bystander')
        nodes = self.store.tree(f'/local/domain/{other.guest.domid}')
        before = self.memory(model)
        yield
        self.assertLess(self.memory(model) - before, GROWTH_KIB * self.slowness)
        self.assertIsNone(model.process.returncode, model.errors())
        self.assertEqual(other.qmp().call('query-status')['status'], 'running')
        self.assertEqual(self.store.tree(f'/local/domain/{other.guest.domid}'), nodes)
        if alive:
            self.assertEqual(model.qmp().call('query-status')['status'], 'running')
            self.assertNotIn('\x1b', model.errors())
            self.assertLess(len(model.errors()), 32768)

    def assert_harmless(self, script, **options):
        """A stubdomain with a script that says when it is done."""
        _, model, _ = self.start_running(script, name='hostile', **options)
        with self.unharmed(model):
            self.wait_done()
