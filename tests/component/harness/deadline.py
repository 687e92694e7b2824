# SPDX-License-Identifier: LGPL-2.1-or-later
"""One deadline for a whole test: everything that waits takes what is left of it."""

import time


class DeadlineExceeded(AssertionError):
    """The awaited thing did not happen in time."""


class Deadline:
    def __init__(self, seconds):
        self.end = time.monotonic() + seconds

    def remaining(self, what):
        """Seconds left; raises when none are, naming @what was awaited."""
        left = self.end - time.monotonic()
        if left <= 0:
            raise DeadlineExceeded(f'deadline passed while waiting for {what}')
        return left

    def sooner(self, seconds):
        """A deadline @seconds from now that is not later than this one."""
        return Deadline(min(seconds, max(self.end - time.monotonic(), 0)))
