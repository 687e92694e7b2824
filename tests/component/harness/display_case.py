# SPDX-License-Identifier: LGPL-2.1-or-later
"""Base class of the display's tests: a guest with VNC whose stubdomain has connected framebuffer and keyboard."""

import json
import os
import socket

from . import processes
from .case import ComponentTest
from .display import Framebuffer, Keyboard
from .scripts import connect_consoles, serve
from .viewer import Viewer


def usual(stub):
    return Framebuffer(stub).connect(), Keyboard(stub).connect()


class DisplayTest(ComponentTest):
    seconds = 60
    vnc = '127.0.0.1:100,to=199'

    def setUp(self):
        super().setUp()
        self.make_image('graphics', 'linux', capabilities=['display', 'pci-hotplug', 'save'])
        self.sockets = []

    def tearDown(self):
        for viewer in self.sockets:
            viewer.close()
        super().tearDown()

    def start_display(self, make=usual, options=None, **config):
        """Returns the device model and what @make(stub) made."""
        devices, failed = [], []

        def script(stub):
            consoles = connect_consoles(stub)
            try:
                devices.extend(make(stub))
            except Exception as error:
                failed.append(error)
                raise
            stub.state('running')
            serve(stub, consoles)

        _, model, self.stub = self.start_running(script, {'image': 'graphics', **(options or {})},
                                                 **{'vnc': self.vnc, **config})
        self.driver = model.driver_qmp()
        return model, *devices

    def start_described(self, make=usual, **members):
        """The same, with a file as the driver writes it; it listens on a unix socket unless said otherwise."""
        members.setdefault('listen', [{'socket': str(self.socket_path)}])
        path = self.directory / 'images' / 'display.json'
        path.write_text(json.dumps(members))
        return self.start_display(make, {'display': path})

    @property
    def socket_path(self):
        return self.directory / 'images' / 'vnc.sock'

    @staticmethod
    def free_port():
        with socket.socket() as probe:
            probe.bind(('127.0.0.1', 0))
            return probe.getsockname()[1]

    def address(self):
        vnc = self.driver.call('query-vnc')
        return (vnc['host'], int(vnc['service'])) if vnc['family'] == 'ipv4' else vnc['service']

    def connect(self):
        """A connection that says nothing yet."""
        address = self.address()
        if isinstance(address, tuple):
            connection = socket.create_connection(address)
        else:
            connection = socket.socket(socket.AF_UNIX)
            connection.connect(address)
        connection.settimeout(self.deadline.remaining('the VNC server'))
        self.sockets.append(connection)
        return connection

    def view(self, **options):
        options.setdefault('timeout', min(8, self.deadline.remaining('the VNC server')))
        viewer = Viewer(options.pop('address', None) or self.address(), **options)
        self.sockets.append(viewer)
        return viewer

    def assert_shows(self, viewer, picture):
        """Asks for changes until it sees @picture; one that never comes is found out by the viewer's deadline."""
        try:
            viewer.look()
            while viewer.picture() != picture:
                viewer.request(incremental=True)
                viewer.update()
        except TimeoutError:
            seen = viewer.picture()
            rows = [y for y, row in enumerate(picture) if y >= len(seen) or seen[y] != row]
            self.fail(f'{viewer.width}x{viewer.height}: {len(rows)} rows are wrong: {rows[:20]}')

    def display_pid(self, model):
        pids = [pid for pid, words in processes.descendants(model.pid).items() if 'xen-stubdom-display' in words]
        self.assertEqual(len(pids), 1)
        return pids[0]

    @staticmethod
    def own_memory(pid):
        """KiB of its own that are in use. What it maps of a file is none, also if nobody else has mapped it at the moment."""
        with open(f'/proc/{pid}/smaps_rollup', encoding='ascii') as file:
            sizes = dict(line.split(':') for line in file.read().splitlines()[1:])
        return int(sizes['Anonymous'].split()[0])

    @staticmethod
    def cpu_time(pid):
        """Seconds."""
        with open(f'/proc/{pid}/stat', encoding='ascii') as file:
            fields = file.read().rpartition(')')[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf('SC_CLK_TCK')

    def wait_event(self, name):
        """The next event of that name; its data."""
        event = self.driver.event(name)
        self.driver.events.remove(event)
        return event['data']
