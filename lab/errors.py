# SPDX-License-Identifier: LGPL-2.1-or-later
"""The errors of the lab: what a user can be told in one line."""


class LabError(Exception):
    """The lab could not be built, started or talked to; the text says why."""


class LabTimeout(LabError):
    """A deadline passed; what ran until then has been killed."""
