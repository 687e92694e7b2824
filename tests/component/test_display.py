# SPDX-License-Identifier: LGPL-2.1-or-later
"""The PV framebuffer and the PV keyboard of a stubdomain: their nodes, and that nothing of them remains."""

import signal

from harness.case import ComponentTest

DISPLAY = {'vnc': '127.0.0.1:0,to=99'}


class NodesTest(ComponentTest):
    def setUp(self):
        super().setUp()
        self.make_image('graphics', 'linux', capabilities=['display'])

    def backends(self):
        return [kind for kind in ('vfb', 'vkbd') if self.store.ls(f'/local/domain/0/backend/{kind}')]

    def frontends(self, domid):
        return [kind for kind in self.store.ls(f'/local/domain/{domid}/device') if kind in ('vfb', 'vkbd')]

    def start_graphics(self, **config):
        return self.start_running(options={'image': 'graphics'}, **{**DISPLAY, **config})

    def test_values_and_permissions(self):
        _, _, stub = self.start_graphics()
        s = stub.domid
        for kind in ('vfb', 'vkbd'):
            front, back = f'/local/domain/{s}/device/{kind}/0', f'/local/domain/0/backend/{kind}/{s}/0'
            with self.subTest(kind):
                self.assertEqual({name: self.store.read(f'{front}/{name}') for name in self.store.ls(front)},
                                 {'backend': back, 'backend-id': '0', 'state': '1'})
                self.assertEqual({name: self.store.read(f'{back}/{name}') for name in self.store.ls(back)},
                                 {'frontend': front, 'frontend-id': str(s), 'online': '1', 'state': '1'})
                self.assertEqual(self.store.permissions(f'{front}/state'), [f'n{s}', 'r0'])
                self.assertEqual(self.store.permissions(f'{back}/state'), ['n0', f'r{s}'])

    def test_they_are_there_before_unpause(self):
        seen = []

        def look(call):
            seen.extend(self.frontends(call.numbers[0]))

        self.toolstack.failures['libxl_domain_unpause'] = look
        self.start_graphics()
        self.assertEqual(seen, ['vfb', 'vkbd'])

    def test_none_without_graphics(self):
        _, _, stub = self.start_running(options={'image': 'graphics'})
        self.assertEqual(self.frontends(stub.domid), [])
        self.assertEqual(self.backends(), [])

    def test_no_qemu_of_dom0_is_told(self):
        self.start_graphics()
        config = self.toolstack.find('libxl_domain_create_new')[0].argument
        self.assertFalse(config.get('vfbs') or config.get('vkbs'))
        self.assertNotIn('libxl_device_vfb_add', self.toolstack.names())

    def test_kernel_is_told_the_size(self):
        self.start_graphics()
        config = self.toolstack.find('libxl_domain_create_new')[0].argument
        self.assertIn(' xen_fbfront.video=9,1920,1200 ', config['b_info']['cmdline'])

    def test_an_image_without_display_is_refused(self):
        self.assert_start_fails(self.make_guest(**DISPLAY), "the stubdomain image 'linux' cannot show")

    def test_gone_with_the_guest(self):
        guest, model, _ = self.start_graphics()
        self.assertEqual(self.backends(), ['vfb', 'vkbd'])
        guest.destroy()
        model.wait_end()
        self.assertEqual(self.backends(), [])

    def test_gone_after_sigkill(self):
        """The guardian removes them when the guest ends."""
        guest, model, _ = self.start_graphics()
        model.signal(signal.SIGKILL)
        model.wait_end()
        guest.destroy()
        self.assert_nothing_left(self.clean)
