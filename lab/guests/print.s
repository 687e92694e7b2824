# SPDX-License-Identifier: LGPL-2.1-or-later
#
# The smallest guest: a boot sector that prints one line on COM1 and halts.
# Proves that the emulated machine boots from its disk.
.include "serial.inc"
.code16
.globl start
start:
    serialStart
    print text
    haltForever
definePrint
text:
    .asciz "print guest: up\r\n"
bootSignature
