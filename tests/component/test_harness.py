# SPDX-License-Identifier: LGPL-2.1-or-later
"""The imitation itself: what the other tests rely on is as Xen and libxl do it."""

from harness.case import ComponentTest, Snapshot
from harness.hypervisor import CRASH
from harness.toolstack import Call
from harness.xenstore import Xenstore


class HarnessTest(ComponentTest):
    def tearDown(self):
        # No device model runs here that would do it.
        for guest in self.guests:
            self.store.rm(f'/local/domain/0/device-model/{guest.domid}')
        super().tearDown()

    def make_stubdomain(self, guest):
        """Creates a stubdomain with the nodes a device model writes."""
        domid = self.toolstack.create_new(Call('libxl_domain_create_new', [], {
            'c_info': {'name': 'guest-dm', 'type': 'pv'}, 'b_info': {}}))
        self.store.write(f'/local/domain/{guest.domid}/image/device-model-domid', domid)
        self.store.write(f'/local/domain/{domid}/target', guest.domid)
        self.store.make(f'/local/domain/{domid}/device-model/{guest.domid}', '', f'n{domid}', f'r{guest.domid}')
        return self.toolstack.stubdomains[domid]

    def test_stubdomain_has_only_its_own_rights(self):
        stub = self.make_stubdomain(self.make_guest())
        other = self.make_guest(name='other')
        self.assertIsInstance(stub.store, Xenstore)
        stub.store.write(f'/local/domain/{stub.domid}/device-model/1/state', 'running')
        for path in ('/local/domain/0/device-model/1/state', f'/local/domain/{other.domid}/name',
                     f'/local/domain/{stub.domid}/target', '/anything'):
            with self.assertRaises(PermissionError):
                stub.store.write(path, 'x')

    def test_destroying_the_guest_takes_the_stubdomain_along(self):
        guest = self.make_guest()
        stub = self.make_stubdomain(guest)
        with self.store.watch('@releaseDomain') as watch:
            watch.next(self.deadline)
            guest.destroy()
            watch.next(self.deadline)
        self.assertEqual(self.hypervisor.domains, {})
        self.assertTrue(stub.gone)

    def test_crash_fires_release_domain_and_keeps_the_domain(self):
        stub = self.make_stubdomain(self.make_guest())
        with self.store.watch('@releaseDomain') as watch:
            watch.next(self.deadline)
            self.hypervisor.shut_down(stub.domid, CRASH)
            watch.next(self.deadline)
        self.assertIn(stub.domid, self.hypervisor.domains)
        self.assertEqual(self.store.read(f'/local/domain/{stub.domid}/name'), 'guest-dm')

    def test_leak_check_finds_leaks(self):
        guest = self.make_guest()
        before = Snapshot(self)
        self.store.write('/local/domain/0/device-model/1/left', '1')
        (self.directory / 'run' / 'left').touch()
        self.hypervisor.create(77)
        with self.assertRaisesRegex(AssertionError, '(?s)/local/domain/0/device-model/1/left.*run/left.*domain 77'):
            self.assert_nothing_left(before)
        self.hypervisor.destroy(77)
        (self.directory / 'run' / 'left').unlink()
        self.store.rm('/local/domain/0/device-model/1/left')
        self.assertEqual(guest.stubdomain_domid(), None)
