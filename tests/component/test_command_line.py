# SPDX-License-Identifier: LGPL-2.1-or-later
"""What xen-stubdom-dm says and takes on its command line."""

import json
import os
import pathlib
import re
import socket
import subprocess

from harness.case import PROGRAMS, ComponentTest
from harness.qmp import Qmp

MANUAL = pathlib.Path(__file__).resolve().parents[2] / 'docs' / 'xen-stubdom-dm.8'


class CommandLineTest(ComponentTest):
    def run_dm(self, *arguments, **options):
        """Runs it to its end; nothing of Xen is asked, so nothing is preloaded."""
        return subprocess.run([PROGRAMS.device_model, *arguments], capture_output=True, text=True, check=False,
                              timeout=self.deadline.remaining('xen-stubdom-dm'), stdin=subprocess.DEVNULL, **options)

    def test_help(self):
        result = self.run_dm('--help')
        self.assertEqual(result.returncode, 0)
        self.assertIn('-stubdom', result.stdout)

    def test_own_options_are_documented(self):
        """All that a misspelt one is answered with are in the help and in the manual."""
        known = re.findall(r'([a-z-]+)=(?=[,\s])', self.run_dm('-stubdom', 'colour=red').stderr.partition('it takes')[2])
        self.assertEqual((known[0], known[-1]), ('image', 'pci-reset'))
        said, manual = self.run_dm('--help').stdout, MANUAL.read_text(encoding='utf-8')
        self.assertEqual([key for key in known if f'      {key}=' not in said], [])
        self.assertEqual([key for key in known if f'.It Cm {key}= ' not in manual], [])

    def test_version(self):
        result = self.run_dm('--version')
        self.assertEqual(result.returncode, 0)
        self.assertRegex(result.stdout, r'xen-stubdom-dm [0-9]+\.[0-9]+')

    def test_no_arguments(self):
        result = self.run_dm()
        self.assertEqual(result.returncode, 1)
        self.assertIn('-xen-domid', result.stderr)

    def test_options_that_are_none(self):
        for text, words in (('colour=red', 'colour'), ('start-timeout=soon', 'soon'), ('start-timeout=0', '0'),
                            ('log-limit=99999999999', '99999999999'), ('image=../../etc', '../../etc')):
            with self.subTest(text):
                guest = self.make_guest(name=f'guest-{len(self.guests)}')
                key, _, value = text.partition('=')
                self.assert_start_fails(guest, words, **{key: value})
                guest.destroy()

    def test_probe_of_newer_libxl(self):
        """Xen 4.20 asks its device model for its options before there is a guest (libxl__spawn_local_dm)."""
        listener = socket.socket(socket.AF_UNIX)
        path = str(self.directory / 'libxl' / 'probe')
        listener.bind(path)
        listener.listen(1)
        os.set_inheritable(listener.fileno(), True)
        process = subprocess.Popen(
            [PROGRAMS.device_model, '-S', '-no-user-config', '-nodefaults', '-nographic', '-machine', 'none,accel=xen',
             '-chardev', f'socket,id=libxl-cmd,fd={listener.fileno()},server=on,wait=off',
             '-mon', 'chardev=libxl-cmd,mode=control'],
            pass_fds=[listener.fileno()], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        listener.close()
        client = Qmp(path, self.deadline)
        self.assertIsInstance(json.dumps(client.call('query-command-line-options')), str)
        client.call('quit')
        client.close()
        self.assertEqual(process.wait(self.deadline.remaining('the probe')), 0)
        os.unlink(path)

    def test_socket_as_a_descriptor(self):
        """libxl passes one with dm_restrict, adds -S, and takes an answer to query-status for readiness."""
        guest = self.make_guest()
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(str(guest.qmp_path))
        listener.listen(8)
        guest.qmp_descriptor = listener.fileno()
        model = self.start(guest)
        listener.close()
        client = model.qmp()
        status = client.call('query-status')
        self.assertEqual((status['status'], status['running']), ('prelaunch', False))
        self.assertEqual(self.store.read(guest.state_path), 'running')
        client.call('cont')
        self.assertTrue(client.call('query-status')['running'])
        guest.destroy()
        self.assertEqual(model.wait_end(), 0, model.errors())
        guest.qmp_path.unlink(missing_ok=True)
