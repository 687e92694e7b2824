# SPDX-License-Identifier: LGPL-2.1-or-later
"""`xl save` as libxl 4.17 does it, a step at a time, so that a test can take something away at each.

libxl_domain_suspend(), libxl__qmp_suspend_save() and save_domain() of xl: after a failure at any step xl asks for the
guest to be resumed, and then ends, whether that worked or not; nobody looks after the guest from then on.
"""

import threading

from .hypervisor import SUSPEND
from .qmp import QmpError
from .scripts import STATE, connect_consoles

# What libxl does, and what the stubdomain does meanwhile.
LIBXL_STEPS = ('dirty log on', 'suspend', 'stop', 'memory', 'dirty log off', 'state read')
STUBDOMAIN_STEPS = ('asked', 'half', 'written', 'paused')
STEPS = (*LIBXL_STEPS[:3], *STUBDOMAIN_STEPS, *LIBXL_STEPS[3:])


class Full(Exception):
    """There is no more space for the image."""


class XlSave:
    """One save. at[step](save) is called when that step is about to be done; what it raises ends the save."""

    def __init__(self, test):
        self.test = test
        self.at = {}
        self.guest = self.model = self.stub = None
        self.outcome = None
        self.error = None
        self.image = None
        self.thread = threading.Thread(target=self._run, name='xl save', daemon=True)

    def step(self, name):
        if name in self.at:
            self.at.pop(name)(self)

    def script(self, stub):
        """What the stubdomain does."""
        consoles = connect_consoles(stub)
        stub.state('running')
        seen = None
        with stub.store.watch(stub.dm) as watch:
            while True:
                word = stub.store.read(f'{stub.dm}/logdirty/cmd')
                if word and word != seen:
                    seen = word
                    stub.store.write(f'{stub.dm}/logdirty/ret', word)
                command = stub.store.read(f'{stub.dm}/command')
                if command:
                    stub.store.rm(f'{stub.dm}/command')
                    self._obey(stub, consoles[1], command)
                else:
                    watch.next(stub.deadline)

    def _obey(self, stub, console, command):
        if command == 'save':
            self.step('asked')
            console.write(STATE[:5000])
            self.step('half')
            console.write(STATE[5000:])
            self.step('written')
            stub.state('paused')
            self.step('paused')
        elif command == 'continue':
            self.step('continue')
            stub.state('running')

    def start(self, guest, model, stub):
        """Begins, in a thread of its own."""
        self.guest, self.model, self.stub = guest, model, stub
        self.thread.start()

    def join(self):
        self.thread.join(self.test.deadline.remaining('xl save'))
        assert not self.thread.is_alive(), 'xl save does not end'

    def _ask(self, command, arguments=None):
        return self.model.ask(command, arguments)

    def _save(self):
        hypervisor = self.test.hypervisor
        self.step('dirty log on')
        self._ask('xen-set-global-dirty-log', {'enable': True})
        self.step('suspend')
        hypervisor.shut_down(self.guest.domid, SUSPEND)
        if hypervisor.domains[self.guest.domid].reason != SUSPEND:
            raise ConnectionError('the guest did not suspend')
        self.step('stop')
        client = self.model.qmp()
        client.call('stop')
        client.call('xen-save-devices-state', {'live': False, 'filename': '/dev/fdset/1'})
        client.close()
        self.step('memory')
        self.step('dirty log off')
        self._ask('xen-set-global-dirty-log', {'enable': False})
        self.step('state read')
        self.image = self.guest.save_path.read_bytes()

    def _run(self):
        try:
            self._save()
            self.outcome = 'saved'
        except (QmpError, OSError, KeyError, Full) as error:
            self.error = error
            self.outcome = self._resume()
        if self.outcome == 'saved':
            self.guest.destroy()

    def _resume(self):
        """libxl_domain_resume()."""
        try:
            self._ask('cont')
        except (QmpError, OSError) as error:
            self.error = error
            return 'not resumed'
        self.test.hypervisor.resume(self.guest.domid)
        self.test.store.resume(self.guest.domid)
        return 'resumed'
