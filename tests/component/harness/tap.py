# SPDX-License-Identifier: LGPL-2.1-or-later
"""Runs unittest tests and prints TAP, one line a test, so that meson and ./run can count them."""

import sys
import time
import traceback
import unittest


class TapResult(unittest.TestResult):
    def __init__(self, stream):
        super().__init__()
        self.stream = stream
        self.number = 0
        self.started = 0
        self.outcomes = {}

    def say(self, text):
        print(text, file=self.stream, flush=True)

    def comment(self, text):
        for line in text.rstrip('\n').split('\n'):
            self.say(f'# {line}')

    def startTest(self, test):
        super().startTest(test)
        self.started = time.monotonic()
        self.outcomes[test] = 'ok'

    def stopTest(self, test):
        super().stopTest(test)
        self.number += 1
        outcome = self.outcomes[test]
        word = 'not ok' if outcome == 'not ok' else 'ok'
        skip = f' # SKIP {outcome[5:]}' if outcome.startswith('skip ') else ''
        name = test.id().split('.', 1)[-1]
        self.say(f'{word} {self.number} - {name}{skip}')
        self.comment(f'{time.monotonic() - self.started:.2f} s')

    def _failed(self, test, error):
        self.outcomes[test] = 'not ok'
        self.comment(''.join(line[:2000] for line in traceback.format_exception(*error)))

    def addError(self, test, err):
        super().addError(test, err)
        self._failed(test, err)

    def addFailure(self, test, err):
        super().addFailure(test, err)
        self._failed(test, err)

    def addSubTest(self, test, subtest, err):
        super().addSubTest(test, subtest, err)
        if err:
            self._failed(test, err)

    def addSkip(self, test, reason):
        super().addSkip(test, reason)
        self.outcomes[test] = f'skip {reason}'

    def diagnose(self, test, text):
        """What the programs of a failed test said."""
        self.comment(text)


def main(names):
    """Runs the tests of modules, classes or single tests named as unittest names them."""
    suite = unittest.defaultTestLoader.loadTestsFromNames(names)
    result = TapResult(sys.stdout)
    result.say(f'TAP version 13\n1..{suite.countTestCases()}')
    suite.run(result)
    return 0 if result.wasSuccessful() else 1
