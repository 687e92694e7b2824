# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the component tests stand on: a toolstack domain without Xen (docs/testing.md)."""
