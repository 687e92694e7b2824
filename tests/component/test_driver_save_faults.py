# SPDX-License-Identifier: LGPL-2.1-or-later
"""A save or a restore that something comes between: afterwards the guest runs as before, or its image is complete."""

import random
import shutil
import signal

from harness import libxl_save, scripts
from harness.driver import DriverError
from harness.driver_case import PAUSED, RUNNING, SHUTOFF
from harness.hypervisor import CRASH
from harness.save_case import OPERATION_FAILED, OPERATION_INVALID, SaveTest
from harness.scripts import STATE
from harness.toolstack import ERROR_FAIL

DAMAGED_PLACES = 200
LIST_MANAGEDSAVE = 256
SHUTOFF_UNKNOWN, SHUTOFF_SAVED = 0, 5
STEPS_MAX = 60  # more than a save or a restore has


class RefusedTest(SaveTest):
    """What can be known before is said before: the guest does not notice."""

    def assert_refused(self, *words, code=None):
        del self.toolstack.calls[:]
        self.assert_fails('managedSave', 0, code=code, words=words)
        self.assertEqual([name for name in self.toolstack.names() if name != 'libxl_get_stubdom_id'], [])
        self.assertEqual((self.state(), list(self.saved.iterdir())), (RUNNING, []))

    def test_space(self):
        """For memory and the limit of the device state."""
        self.start_guest()
        (self.directory / 'xen' / 'space').write_text(str((64 + 64) << 20))
        self.assert_refused('bytes left', str(self.saved), code=OPERATION_FAILED)
        (self.directory / 'xen' / 'space').write_text(str((64 + 64 + 32) << 20))
        self.driver.on('guest', 'managedSave', 0)

    def test_image_without_the_capability(self):
        self.make_image('plain', 'linux', capabilities=[])
        self.start_guest(more='<stubdom:stubdomain xmlns:stubdom="http://libvirt.org/schemas/domain/stubdom/1.0">'
                         '<stubdom:image name="plain"/></stubdom:stubdomain>')
        self.assert_refused("'plain' cannot save")

    def test_device_model_is_gone(self):
        self.start_guest()
        self.models[0].signal(signal.SIGSTOP)  # it does not answer, and nobody waits for long
        try:
            pending = self.driver.send('guest', 'managedSave', 0)
            self.driver.on('guest', 'XMLDesc', 0)
        finally:
            self.models[0].signal(signal.SIGCONT)
        pending.wait()

    def test_ended_and_kept(self):
        guest = self.start_guest(more='<on_poweroff>preserve</on_poweroff>')
        guest.power_off()
        self.driver.wait_event(('guest', 'lifecycle', 6, 0))
        self.assert_fails('managedSave', 0, code=OPERATION_INVALID, words=['has ended'])
        self.driver.on('guest', 'destroy')

    def test_not_running(self):
        self.define()
        self.assert_fails('managedSave', 0, code=OPERATION_INVALID, words=['not running'])

    def test_during_hotplug(self):
        """One after the other."""
        guest = self.start_guest()
        other = self.directory / 'images' / 'other.img'
        other.write_bytes(bytes(512))
        disk = (f"<disk type='file'><driver name='file' type='raw'/><source file='{other}'/>"
                "<target dev='xvde' bus='xen'/></disk>")
        reached, go = self.hold('libxl_device_disk_add', guest.domid)
        plugging = self.driver.send('guest', 'attachDevice', disk)
        reached.wait(self.deadline.remaining('the disk'))
        saving_it = self.driver.send('guest', 'managedSave', 0)
        self.driver.on('guest', 'XMLDesc', 0)
        self.assertEqual(self.toolstack.find('libxl_domain_suspend'), [])
        go.set()
        plugging.wait()
        saving_it.wait()
        self.assertIn('xvde', self.driver.on('guest', 'managedSaveGetXMLDesc', 0))


class FailedTest(SaveTest):
    def saves(self, on_save):
        """A stubdomain that does on_save(stub, console) once, and then all as it should be."""
        def script(stub):
            consoles = scripts.connect_consoles(stub)
            stub.state('running')
            while True:
                command, _ = stub.next_command()
                if command == 'save':
                    on_save(stub, consoles[1])
                    break
            command, _ = stub.next_command()
            if command == 'continue':
                stub.state('running')
            scripts.serve(stub, consoles)
        return script

    def assert_failed(self, *words):
        self.assert_fails('managedSave', 0, code=OPERATION_FAILED, words=words)
        self.expect_goes_on()
        self.assertEqual(list(self.saved.iterdir()), [])
        self.driver.on('guest', 'managedSave', 0)  # nothing is left of it
        self.expect_saved()

    def test_no_state(self):
        def nothing(stub, _console):
            stub.state('paused')

        self.script = self.saves(nothing)
        self.start_guest()
        self.assert_failed('sent none')

    def test_half_a_state(self):
        def half(stub, console):
            console.write(STATE[:-100] + b'x')
            stub.state('paused')

        self.script = self.saves(half)
        self.start_guest()
        self.assert_failed('no end mark')

    def test_libxl_fails(self):
        self.start_guest()
        for step in ('header', 'stop', 'memory', 'end', 'saved'):
            def fail(now, wanted=step):
                if now == wanted:
                    raise self.toolstack.error(ERROR_FAIL, f'no {wanted} today')

            self.toolstack.at = fail
            self.assert_fails('managedSave', 0, code=OPERATION_FAILED, words=[f'libxl says: no {step} today'])
            self.expect_goes_on()
        self.toolstack.at = lambda step: None
        self.assert_alive()

    def test_paused_guest_stays_paused(self):
        guest = self.start_guest()
        self.driver.on('guest', 'suspend')

        def fail(step):
            if step == 'memory':
                raise self.toolstack.error(ERROR_FAIL, 'no memory today')

        self.toolstack.at = fail
        self.assert_fails('managedSave', 0, words=['no memory today'])
        self.assertEqual(self.state(), PAUSED)
        for domid in (guest.domid, guest.stubdomain_domid()):
            self.assertTrue(self.hypervisor.domains[domid].paused)
        self.driver.on('guest', 'resume')
        self.assert_restored_to_life(guest)

    def assert_restored_to_life(self, guest):
        self.assertEqual(self.state(), RUNNING)
        self.assertFalse(self.hypervisor.domains[guest.domid].paused)

    def test_guest_cannot_be_removed(self):
        """The image does not stay beside a guest that does."""
        guest = self.start_guest()
        self.toolstack.failures['libxl_domain_destroy'] = (ERROR_FAIL, ['not today'])
        self.assert_fails('managedSave', 0, words=['not today'])
        self.expect_goes_on()
        self.assertEqual(list(self.saved.iterdir()), [])
        del self.toolstack.failures['libxl_domain_destroy']
        self.assertIn(guest.domid, self.hypervisor.domains)
        self.assert_alive()


class OtherImageTest(SaveTest):
    def replace_image(self, name='linux', **members):
        shutil.rmtree(self.directory / 'images' / name)
        self.make_image(name, 'linux', **members)

    def setUp(self):
        super().setUp()
        self.replace_image(versions={'qemu': '7.2'})
        self.start_guest()

    def test_same_qemu(self):
        """Built anew."""
        self.driver.on('guest', 'managedSave', 0)
        self.replace_image(versions={'qemu': '7.2'}, inputs='other')
        self.driver.on('guest', 'create')

    def test_other_qemu(self):
        self.driver.on('guest', 'managedSave', 0)
        self.replace_image(versions={'qemu': '10.0'})
        self.assert_fails('create', code=OPERATION_INVALID, words=['7.2', '10.0', 'restore_other_image'])
        self.assertEqual((self.state(), self.driver.on('guest', 'hasManagedSaveImage', 0)), (SHUTOFF, 1))
        self.assertEqual(len(self.guests), 1)
        self.driver.stop()
        (self.directory / 'driver' / 'etc' / 'stubdom.conf').write_text('restore_other_image = 1\n')
        self.driver = self.start_driver()
        self.driver.on('guest', 'create')
        self.assertEqual(self.read[-1], STATE)

    def test_replaced_while_it_runs(self):
        """What counts is the image the guest was started from."""
        self.replace_image(versions={'qemu': '10.0'})
        self.driver.kill()
        self.toolstack.settle(self.deadline)
        self.driver = self.start_driver()
        self.driver.on('guest', 'managedSave', 0)
        self.assert_fails('create', words=['7.2', '10.0'])
        self.replace_image(versions={'qemu': '7.2'})
        self.driver.on('guest', 'create')


class DamagedTest(SaveTest):
    seconds = 240

    def test_anywhere(self):
        """One byte of the file is another one, at 200 random places: it is refused, and the guest never runs."""
        chance = random.Random(200)
        self.start_guest()
        self.driver.on('guest', 'save', str(self.file))
        good = self.file.read_bytes()
        ran = []
        self.toolstack.failures['libxl_domain_unpause'] = lambda call: ran.append(call.numbers[0])
        for number in range(DAMAGED_PLACES):
            place = chance.randrange(len(good)) if number % 4 else chance.randrange(4096)
            data = bytearray(good)
            data[place] ^= 1 << chance.randrange(8)
            self.file.write_bytes(data)
            with self.assertRaises(DriverError, msg=f'byte {place}') as caught:
                self.driver.call('restore', str(self.file))
            self.assertNotEqual(caught.exception.code, -1, str(caught.exception))
            self.assertEqual(self.state(), SHUTOFF)
        self.assertEqual([domid for domid in ran if domid in {guest.domid for guest in self.guests}], [])
        self.file.write_bytes(good)
        self.driver.call('restore', str(self.file))
        self.assertEqual(self.state(), RUNNING)

    def test_cut_off_and_longer(self):
        self.start_guest()
        self.driver.on('guest', 'save', str(self.file))
        good = self.file.read_bytes()
        for data in (b'', good[:100], good[:4095], good[:4096], good[:-1], good + b'x', bytes(4096) + good[4096:]):
            self.file.write_bytes(data)
            with self.assertRaises(DriverError) as caught:
                self.driver.call('restore', str(self.file))
            self.assertIn(str(self.file), str(caught.exception))
        self.assertEqual(len(self.guests), 1)

    def test_no_file(self):
        self.define()
        for place in (self.directory / 'log', self.directory / 'nowhere', '/dev/zero'):
            with self.assertRaises(DriverError):
                self.driver.call('restore', str(place))
            with self.assertRaises(DriverError):
                self.driver.call('saveImageGetXMLDesc', str(place), 0)

    def test_managed(self):
        """It stays for whoever wants to look at it, and can be passed by."""
        self.start_guest()
        self.driver.on('guest', 'managedSave', 0)
        path = self.saved / 'guest.save'
        data = bytearray(path.read_bytes())
        data[-3] ^= 1
        path.write_bytes(data)
        self.assert_fails('create')
        self.assertEqual(path.read_bytes(), data)
        self.driver.on('guest', 'createWithFlags', 8)
        self.assertEqual(self.state(), RUNNING)


class CrashTest(SaveTest):
    """Walks every step of a save and of a restore, and takes something away at each."""

    seconds = 200

    def setUp(self):
        super().setUp()
        self.start_guest()
        self.wanted = self.content()

    def fault(self, number, action):
        (self.directory / 'xen' / 'file-fault').write_text(f'{number} {action}')

    def past_the_end(self):
        """Whether the fault did not come, as there were fewer steps."""
        path = self.directory / 'xen' / 'file-fault'
        there = path.exists()
        path.unlink(missing_ok=True)
        return there

    def restart(self):
        """The driver was killed: the next one has done all it has to when it has ended in order."""
        self.driver.kill()
        self.toolstack.settle(self.deadline)
        self.toolstack.at = lambda step: None
        self.toolstack.failures.clear()
        self.driver = self.start_driver()
        self.driver.stop()
        self.driver = self.start_driver()

    def try_call(self, name):
        try:
            self.driver.on('guest', name, *([0] if name == 'managedSave' else []))
        except DriverError:
            return False
        return True

    def check(self, where):
        """Never neither, never both."""
        saved = self.driver.on('guest', 'hasManagedSaveImage', 0)
        state = self.state()
        self.assertIn((state, saved), ((RUNNING, 0), (SHUTOFF, 1)), where)
        self.assertEqual(sorted(path.name for path in self.saved.iterdir()), ['guest.save'] if saved else [], where)
        if saved:
            self.assertEqual([guest.domid for guest in self.guests if guest.domid in self.hypervisor.domains], [], where)
            self.driver.on('guest', 'create')
        self.assert_whole(where)

    def assert_whole(self, where):
        domain = self.hypervisor.domains[self.guest().domid]
        self.assertEqual((domain.content, domain.reason, domain.paused), (self.wanted, None, False), where)
        self.assertEqual(self.models[-1].ask('query-status')['status'], 'running', where)
        self.assertEqual(self.state(), RUNNING, where)

    def walk_files(self, action, name, prepare=lambda: None):
        """Each call on files of one method."""
        for number in range(1, STEPS_MAX):
            prepare()
            self.fault(number, action)
            done = self.try_call(name)
            if self.past_the_end():
                self.assertTrue(done)
                self.assertGreater(number, 5 if name == 'managedSave' else 2)
                self.check('the end')
                return
            if action == 'kill':
                self.restart()
            self.check(f'{name}: call {number} on files, {action}')
        self.fail('there is no end to it')

    def test_no_space_while_it_is_saved(self):
        self.walk_files('full', 'managedSave')

    def test_killed_while_it_is_saved(self):
        self.walk_files('kill', 'managedSave')

    def save(self):
        self.driver.on('guest', 'managedSave', 0)

    def test_no_space_while_it_is_restored(self):
        self.walk_files('full', 'create', self.save)

    def test_killed_while_it_is_restored(self):
        self.walk_files('kill', 'create', self.save)

    def kill_at(self, wanted):
        def at(step):
            if step == wanted:
                self.driver.process.send_signal(signal.SIGKILL)
                self.driver.process.wait()
        self.toolstack.at = at

    def test_killed_at_steps_of_libxl(self):
        for step in libxl_save.SAVE_STEPS:
            self.kill_at(step)
            self.assertFalse(self.try_call('managedSave'))
            self.restart()
            self.check(f'save: {step}')
        for step in libxl_save.RESTORE_STEPS:
            self.save()
            self.kill_at(step)
            self.assertFalse(self.try_call('create'))
            self.restart()
            self.check(f'restore: {step}')

    def test_killed_at_calls_of_libxl(self):
        """Before each of the calls around them."""
        for method, call in (('managedSave', 'libxl_domain_destroy'), ('create', 'libxl_domain_unpause')):
            if method == 'create':
                self.save()

            self.kill_before(call)
            self.assertFalse(self.try_call(method))
            self.restart()
            self.check(f'{method}: {call}')

    def kill_before(self, name):
        """Kills the driver before it makes a call of libxl about the guest; the call is not made."""
        def kill(request):
            if request.numbers[0] == self.guest().domid:
                self.driver.process.send_signal(signal.SIGKILL)
                self.driver.process.wait()
                return (ERROR_FAIL, ['killed'])
            return None

        self.toolstack.failures[name] = kill

    def come_back(self):
        """The driver was killed: what the next one says of the domain."""
        self.driver.close()
        self.toolstack.settle(self.deadline)
        self.toolstack.failures.clear()
        self.toolstack.at = lambda step: None
        self.driver = self.start_driver()
        return (self.driver.on('guest', 'state'), self.driver.on('guest', 'hasManagedSaveImage', 0),
                self.driver.call('listAllDomains', LIST_MANAGEDSAVE), self.driver.on('guest', 'messages', 0))

    def test_guest_is_gone_and_was_saved(self):
        """It was removed, but the driver did not live to say so."""
        guest = self.guest()
        self.kill_before('libxl_domain_destroy')
        self.assertFalse(self.try_call('managedSave'))
        guest.destroy()
        self.assertEqual(self.come_back(), ([SHUTOFF, SHUTOFF_SAVED], 1, ['guest'], []))
        self.check('started')

    def test_guest_is_gone_and_was_not_saved(self):
        """Nobody takes what there is for an image, and the domain says what happened."""
        for step in libxl_save.SAVE_STEPS:
            guest = self.guest()
            self.kill_at(step)
            self.assertFalse(self.try_call('managedSave'))
            self.toolstack.settle(self.deadline)
            guest.destroy()
            state, saved, listed, messages = self.come_back()
            self.assertEqual((state, saved, listed), ([SHUTOFF, SHUTOFF_UNKNOWN], 0, []), step)
            self.assertIn(str(self.saved / 'guest.save'), ''.join(messages), step)
            self.assertEqual(list(self.saved.iterdir()), [], step)
            self.driver.on('guest', 'create')
            self.assertEqual(self.driver.on('guest', 'messages', 0), [])

    def fail_and_kill(self, former):
        """A save over a former file fails, and the driver is killed when the new file is gone already."""
        self.file.write_bytes(former)

        def fail(step):
            if step == 'end':
                raise self.toolstack.error(ERROR_FAIL, 'no end today')

        self.toolstack.at = fail
        self.kill_before('libxl_domain_resume')
        with self.assertRaises(DriverError):
            self.driver.on('guest', 'save', str(self.file))

    def test_former_file_is_no_image_of_this_save(self):
        self.driver.on('guest', 'save', str(self.file))
        self.driver.call('restore', str(self.file))
        former = self.file.read_bytes()
        self.fail_and_kill(former)
        self.restart()
        self.assert_whole('it goes on')
        self.fail_and_kill(former)
        self.guest().destroy()
        state, _, _, messages = self.come_back()
        self.assertEqual((state, self.file.read_bytes()), ([SHUTOFF, SHUTOFF_UNKNOWN], former))
        self.assertIn(str(self.file), ''.join(messages))

    def take_away(self, what):
        if what == 'device model':
            self.models[-1].process.send_signal(signal.SIGKILL)
        else:
            self.hypervisor.shut_down(self.guest().stubdomain_domid(), CRASH)

    def lose(self, what, step):
        """Saves, and takes the other half away at a step; returns whether there is an image."""
        def at(now):
            if now == step:
                self.take_away(what)

        self.toolstack.at = at
        saved = self.try_call('managedSave')
        self.toolstack.at = lambda step: None
        where = f'{what}: {step}'
        self.assertEqual(self.driver.on('guest', 'hasManagedSaveImage', 0), int(saved), where)
        self.assertEqual(sorted(path.name for path in self.saved.iterdir()), ['guest.save'] if saved else [], where)
        return saved

    def test_device_model_ends(self):
        """The guest is saved, or goes on with what the guardian can do for it."""
        for step in libxl_save.SAVE_STEPS:
            if not self.lose('device model', step):
                domain = self.hypervisor.domains[self.guest().domid]
                self.assertEqual((self.state(), domain.content, domain.reason), (RUNNING, self.wanted, None), step)
                self.driver.on('guest', 'destroy')
                self.driver.on('guest', 'create')
                self.wanted = self.content()
            else:
                self.driver.on('guest', 'create')
            self.assert_whole(step)

    def test_stubdomain_ends(self):
        """The guest cannot go on without it: it is saved whole, or it has crashed and there is no image of it."""
        for step in libxl_save.SAVE_STEPS:
            saved = self.lose('stubdomain', step)
            self.wait_off()
            self.driver.on('guest', 'create')
            if not saved:
                self.wanted = self.content()
            self.assert_whole(step)

    def wait_off(self):
        while self.state() != SHUTOFF:
            self.driver.on('guest', 'setLifecycleAction', 0, 0, 2)
            self.deadline.remaining('the end of the guest')
