# SPDX-License-Identifier: LGPL-2.1-or-later
"""Something ends at each step of `xl save`: the guest runs as before, or its image is complete, or it is gone and said so.

Never is it left suspended: nobody would look after it.
"""

import signal

from harness.case import ComponentTest
from harness.hypervisor import CRASH, SUSPEND
from harness.qmp import QmpError
from harness.saving import STEPS, Full, XlSave
from harness.scripts import STATE

# From here on the state is in dom0. At `paused` itself it is a matter of who is faster.
AFTER_STATE = STEPS[STEPS.index('memory'):]


def kill(save):
    """xen-stubdom-dm is killed."""
    save.model.signal(signal.SIGKILL)
    save.model.wait_end()


def terminate(save):
    """xen-stubdom-dm is asked to end, and has heard it."""
    save.model.signal(signal.SIGTERM)
    save.model.wait_said('SIGTERM')


def crash(save):
    save.stub.domain.hypervisor.shut_down(save.stub.domid, CRASH)


def destroy(save):
    """Somebody runs `xl destroy guest-dm`."""
    save.test.toolstack.destroy(save.stub.domid)


def full(_):
    raise Full


class SaveStepsTest(ComponentTest):
    seconds = 60

    def setUp(self):
        super().setUp()
        self.make_image('live', 'linux', capabilities=['save', 'logdirty', 'save-failed'])
        (self.directory / 'xen' / 'space').write_text(str(1 << 40))

    def walk(self, steps, action, *, space=True):
        """Saves one guest a step, all at the same time; yields each step with its save, whose guest's fate is known."""
        saves = {}
        for step in steps:
            save = saves[step] = XlSave(self)
            save.at[step] = action
            if not space:
                save.at['dirty log off'] = full
            save.running = self.start_running(save.script, name='guest-' + step.replace(' ', '-'),
                                              options={'image': 'live', 'command_timeout': int(5 * self.patience / self.slowness)})
        for save in saves.values():
            save.start(*save.running)
        for step, save in saves.items():
            save.join()
            with self.subTest(step):
                yield step, save

    def assert_complete(self, save):
        self.assertEqual(save.outcome, 'saved', save.error)
        self.assertEqual(save.image, STATE)
        self.assertNotIn(save.guest.domid, self.hypervisor.domains)

    def assert_runs(self, save):
        """The guest and its stubdomain run."""
        self.assertEqual(save.outcome, 'resumed', save.error)
        self.assertIsNone(self.hypervisor.domains[save.guest.domid].reason)
        self.store.wait(f'{save.stub.dm}/state', 'running', self.deadline)
        self.assertFalse(save.stub.gone)

    def assert_gone(self, save, *words):
        """The guest ends, and the log says why: destroyed, if it was suspended, else crashed."""
        domains = self.hypervisor.domains
        with self.store.watch('@releaseDomain') as watch:
            while save.guest.domid in domains and domains[save.guest.domid].reason in (None, SUSPEND):
                watch.next(self.deadline)
        if save.guest.domid not in domains:
            save.guest.alive = False
            save.guest.save_path.unlink(missing_ok=True)
        else:
            self.assertEqual(domains[save.guest.domid].reason, CRASH)
        for word in words:
            self.assertIn(word, save.model.errors())

    def assert_complete_or_gone(self, step, save, reason):
        """When the stubdomain died."""
        if step in AFTER_STATE or (step == 'paused' and save.outcome == 'saved'):
            self.assert_complete(save)
        else:
            self.assert_gone(save, reason, 'cannot go on')

    def test_undisturbed(self):
        for _, save in self.walk(['none'], None):
            self.assert_complete(save)

    def test_no_space(self):
        for _, save in self.walk(['none'], None, space=False):
            self.assert_runs(save)
            self.assertEqual(save.model.ask('query-status')['status'], 'running')

    # --- the stubdomain

    def test_stubdomain_crashes(self):
        for step, save in self.walk(STEPS, crash):
            self.assert_complete_or_gone(step, save, 'it crashed')

    def test_stubdomain_is_destroyed(self):
        for step, save in self.walk(STEPS, destroy):
            self.assert_complete_or_gone(step, save, 'it was destroyed')

    def test_stubdomain_crashes_and_there_is_no_space(self):
        """The state was complete, but the image is not."""
        for _, save in self.walk(['memory'], crash, space=False):
            self.assertEqual(save.outcome, 'not resumed')
            self.assert_gone(save, 'it crashed', 'suspended', 'is destroyed')

    def test_stubdomain_does_not_go_on(self):
        """It never answers `continue`: libxl does not ask twice."""
        def stuck(save):
            save.stub.store.transport.close()
            raise Full

        for _, save in self.walk(['memory'], stuck):
            self.assertEqual(save.outcome, 'not resumed')
            self.assert_gone(save, "to 'continue'", 'is destroyed')
            self.assertEqual(save.model.wait_end(), 0)

    # --- xen-stubdom-dm

    def test_killed(self):
        """The guardian takes care of the guest: a save that has the state goes on, others fail and the guest runs."""
        for step, save in self.walk(STEPS, kill):
            if step in AFTER_STATE or (step == 'paused' and save.outcome == 'saved'):
                self.assert_complete(save)
            else:
                self.assert_runs(save)
                self.assert_cared_for(save)

    def assert_cared_for(self, save):
        """What can be said of a guest without xen-stubdom-dm."""
        self.assertIn('its stubdomain goes on', save.model.errors())
        self.assertEqual(save.model.ask('cont'), {})
        for command, arguments in (('stop', None), ('xen-set-global-dirty-log', {'enable': True}),
                                   ('device_add', {'id': 'x'})):
            with self.assertRaises(QmpError) as caught:
                save.model.ask(command, arguments)
            self.assertIn('has died', caught.exception.description)

    def test_killed_and_there_is_no_space(self):
        for _, save in self.walk(['memory'], kill, space=False):
            self.assert_runs(save)

    def test_killed_while_the_guest_is_told_to_go_on(self):
        """libxl gets no answer and does not ask again."""
        for _, save in self.walk(['continue'], kill, space=False):
            self.assertEqual(save.outcome, 'not resumed')
            save.model.wait_said('is resumed')
            self.toolstack.settle(self.deadline)
            save.outcome = 'resumed'
            self.assert_runs(save)

    def test_killed_and_the_stubdomain_crashes(self):
        def both(save):
            kill(save)
            crash(save)

        for step, save in self.walk(['asked', 'half', 'memory'], both):
            if step == 'memory':
                self.assert_complete(save)
            else:
                self.assert_gone(save, 'it crashed', 'is destroyed')

    def test_killed_and_the_stubdomain_hangs(self):
        def both(save):
            kill(save)
            save.stub.store.transport.close()

        for _, save in self.walk(['half'], both):
            self.assertEqual(save.outcome, 'not resumed')
            self.assert_gone(save, 'does not answer', 'is destroyed')

    def test_terminated(self):
        """A save that has begun is finished first."""
        for step, save in self.walk(STEPS, terminate):
            if step in ('dirty log on', 'suspend', 'stop'):
                self.assert_gone(save, 'ending on SIGTERM')
            else:
                self.assert_complete(save)

    def test_terminated_and_there_is_no_space(self):
        """The guest goes on for a moment, and then crashes as it would without a save."""
        for _, save in self.walk(['asked', 'memory'], terminate, space=False):
            self.assert_gone(save, 'ending on SIGTERM when that is over', 'ending on SIGTERM\n')

    def test_terminated_twice(self):
        def twice(save):
            terminate(save)
            save.model.signal(signal.SIGTERM)

        for _, save in self.walk(['asked', 'memory'], twice):
            self.assert_gone(save, 'ending on SIGTERM\n', 'is destroyed')
