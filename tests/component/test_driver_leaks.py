# SPDX-License-Identifier: LGPL-2.1-or-later
"""The leak check of the driver's tests (harness/leaks.py) finds a leak of the driver, and none where there is none."""

import unittest

from harness import leaks
from harness.driver_case import PROGRAMS, DriverTest


@unittest.skipUnless(PROGRAMS.driver_leaks, 'the driver is built without AddressSanitizer')
class LeakTest(DriverTest):
    LOST = 8

    def test_found(self):
        """Definitions are formatted by libvirt, in a method of the driver's, and nobody keeps where they are."""
        self.define()
        self.driver.call('waste', 'guest', self.LOST)
        self.driver.stop()
        found = self.driver.leaks()
        self.driver.forget_leaks()
        self.assertEqual([leak.splitlines()[0].split()[:2] for leak in found], [['Direct', 'leak']], found)
        self.assertIn(f'in {self.LOST} object(s)', found[0])
        self.assertIn('stubdomDomainGetXMLDesc', found[0])

    def test_none(self):
        self.define()
        self.driver.stop()
        self.assertEqual(self.driver.leaks(), [])


class ReportTest(unittest.TestCase):
    """Which leaks of a report are the driver's."""

    HEAD = '==1==ERROR: LeakSanitizer: detected memory leaks\n'

    @staticmethod
    def leak(size, *libraries):
        frames = [f'    #{number} (/none/{library}+0x1{number})' for number, library in enumerate(('libasan.so.8', *libraries))]
        return '\n'.join([f'\nIndirect leak of {2 * size} byte(s) in 2 object(s) allocated from:', *frames, ''])

    def found(self, *blocks):
        return [leak.splitlines()[0] for leak in leaks.of_driver(''.join([self.HEAD, *blocks, '\nSUMMARY: some leaks\n']))]

    def test_whose(self):
        ours = self.leak(16, 'libglib-2.0.so.0', leaks.MODULE, 'libvirt.so.0')
        self.assertEqual(self.found(self.leak(16, 'libvirt.so.0', 'libglib-2.0.so.0'), ours), [ours.splitlines()[1]])

    def test_of_libxl(self):
        """What libxl allocates of this size, itself and whoever called it."""
        self.assertEqual(self.found(self.leak(leaks.NEXUS, 'libxenlight.so.4.17', leaks.MODULE)), [])
        for size, libraries in ((leaks.NEXUS, ['libglib-2.0.so.0', 'libxenlight.so.4.17']), (32, ['libxenlight.so.4.17'])):
            self.assertEqual(len(self.found(self.leak(size, *libraries, leaks.MODULE))), 1, libraries)
