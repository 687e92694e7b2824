# SPDX-License-Identifier: LGPL-2.1-or-later
"""Parts of build-image: packages in, kernel, initramfs and descriptor out."""


class ImageError(Exception):
    """Something a user has to know, as one sentence."""
