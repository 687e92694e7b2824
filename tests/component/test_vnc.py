# SPDX-License-Identifier: LGPL-2.1-or-later
"""The display: a scripted frontend draws, a small VNC viewer looks, and both may be hostile."""

import threading

from harness.case import ComponentTest
from harness.display import Framebuffer, Keyboard
from harness.scripts import connect_consoles, serve
from harness.viewer import Viewer


class DisplayTest(ComponentTest):
    """A guest with VNC, whose stubdomain has connected its framebuffer and keyboard."""

    vnc = '127.0.0.1:100,to=199'

    def setUp(self):
        super().setUp()
        self.make_image('graphics', 'linux', capabilities=['display', 'pci-hotplug', 'save'])
        self.viewers = []

    def tearDown(self):
        for viewer in self.viewers:
            viewer.close()
        super().tearDown()

    def start_display(self, make=None, options=None, **config):
        """Returns the device model, framebuffer and keyboard; @make(stub) connects others than the usual ones."""
        ready = threading.Event()
        devices = []

        def script(stub):
            consoles = connect_consoles(stub)
            devices.extend(make(stub) if make else (Framebuffer(stub).connect(), Keyboard(stub).connect()))
            ready.set()
            stub.state('running')
            serve(stub, consoles)

        _, model, self.stub = self.start_running(script, {'image': 'graphics', **(options or {})},
                                                 **{'vnc': self.vnc, **config})
        self.assertTrue(ready.is_set())
        self.driver = model.driver_qmp()
        return model, *devices

    def address(self):
        vnc = self.driver.call('query-vnc')
        return vnc['host'], int(vnc['service'])

    def view(self, **options):
        viewer = Viewer(options.pop('address', None) or self.address(),
                        timeout=self.deadline.remaining('the VNC server'), **options)
        self.viewers.append(viewer)
        return viewer


class PictureTest(DisplayTest):
    def test_picture(self):
        _, framebuffer, _ = self.start_display()
        framebuffer.pattern()
        framebuffer.update()
        viewer = self.view()
        self.assertEqual((viewer.width, viewer.height), (64, 48))
        self.assertEqual(viewer.look(), framebuffer.picture())
