# SPDX-License-Identifier: LGPL-2.1-or-later
#
# A network boot program, loaded at 0000:7c00 by the PXE firmware of the emulated
# card.  Prints one line on COM1 and halts: proves that the card sends and receives.
.include "serial.inc"
.code16
.globl start
start:
    serialStart
    print text
    haltForever
definePrint
text:
    .asciz "net guest: up\r\n"
