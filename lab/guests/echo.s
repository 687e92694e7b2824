# SPDX-License-Identifier: LGPL-2.1-or-later
#
# A boot sector that talks: reads lines on COM1 and answers each with
# "echo: [LINE]".  The line "off" powers off, "reset" resets, after the answer.
# Proves that the serial port works both ways and that the guest can end itself.
.include "serial.inc"
.include "power.inc"
.code16
.set LINE, 0x1000
.set LINE_MAX, 256
.globl start
start:
    serialStart
    listen
    print up
nextLine:
    movw $LINE, %di
nextByte:
    call serialGet
    cmpb $'\r', %al
    je answer
    cmpb $'\n', %al
    je answer
    cmpw $LINE + LINE_MAX, %di
    jae nextByte
    stosb
    jmp nextByte
answer:
    cmpw $LINE, %di             # nothing between CR and LF
    je nextByte
    movb $0, (%di)
    print before
    print LINE
    print after
    movw $LINE, %si
    movw $wordOff, %di
    movw $4, %cx
    repe cmpsb
    je off
    movw $LINE, %si
    movw $wordReset, %di
    movw $6, %cx
    repe cmpsb
    jne nextLine
    reset
    jmp halt
off:
    powerOff
halt:
    haltForever
definePrint
defineGet
up:
    .asciz "echo guest: up\r\n"
before:
    .asciz "echo: ["
after:
    .asciz "]\r\n"
wordOff:
    .asciz "off"
wordReset:
    .asciz "reset"
bootSignature
