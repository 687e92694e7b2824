# SPDX-License-Identifier: LGPL-2.1-or-later
"""Which failures on Xen are lateness: python3 -m unittest discover -s tests/lab."""

import os
import signal
import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent / "dom0"))

# pylint: disable=wrong-import-position
import host  # noqa: E402
from guest import Serial  # noqa: E402


def _fail():
    raise host.Failure("a wrong answer")


class Late(unittest.TestCase):
    """late() of what a test raised."""

    def setUp(self):
        host.setDeadline(0)

    def raised(self, function, takeBack=lambda: None):
        """What comes out of a test that does the first thing and then, in any case, the second."""
        with self.assertRaises(Exception) as caught:
            try:
                function()
            finally:
                takeBack()
        return caught.exception

    def testTheDeadlineOfTheTestIs(self):
        for wait in (lambda: host.waitFor("nothing", lambda: False), lambda: host.run("true"), host.remaining):
            host.setDeadline(0)
            self.assertTrue(host.late(self.raised(wait)))

    def testAProgramThatIsNotDoneByItIs(self):
        host.setDeadline(0.01)
        self.assertTrue(host.late(self.raised(lambda: host.run("tail", "-f", "/dev/null"))))

    def testAWrongAnswerIsNot(self):
        host.setDeadline(60)
        self.assertFalse(host.late(self.raised(_fail)))

    def testALimitOfTheProductsIsNot(self):
        host.setDeadline(60)
        error = self.raised(lambda: host.waitFor("nothing", lambda: False, 0.01))
        self.assertIsInstance(error, host.Deadline)
        self.assertFalse(host.late(error))

    def testWhatWasFoundFirstCounts(self):
        error = self.raised(host.remaining, _fail)
        self.assertIsInstance(error, host.Failure)
        self.assertTrue(host.late(error))
        for wrong in (_fail, lambda: self.fail("what another library raises")):
            host.setDeadline(0)
            error = self.raised(wrong, host.remaining)
            self.assertIsInstance(error, host.Deadline)
            self.assertFalse(host.late(error))
        host.setDeadline(0.01)
        error = self.raised(lambda: host.run("tail", "-f", "/dev/null"), _fail)
        self.assertIsInstance(error, host.Failure)
        self.assertTrue(host.late(error))

    def testADeadlineThatTellsMoreIsTheSame(self):
        reader, writer = os.pipe()
        self.addCleanup(os.close, writer)
        serial = Serial(reader)
        self.addCleanup(serial.close)
        error = self.raised(lambda: serial.expect("a line"))
        self.assertIn("never said", str(error))
        self.assertTrue(host.late(error))

    def testMoreTimeDoesNotHideIt(self):
        error = self.raised(host.remaining, lambda: host.moreTime(60))
        self.assertTrue(host.late(error))

    def testTheAlarmIs(self):
        def alarm(*unused):
            raise host.deadlinePassed()

        before = signal.signal(signal.SIGALRM, alarm)
        try:
            signal.setitimer(signal.ITIMER_REAL, 0.01)
            self.assertTrue(host.late(self.raised(signal.pause)))
        finally:
            signal.signal(signal.SIGALRM, before)

    def testAfterItThereIsTimeOnce(self):
        self.raised(host.remaining)
        self.assertGreater(host.remaining(), 0)
        self.assertLessEqual(host.remaining(), host.GRACE)


if __name__ == "__main__":
    unittest.main()
