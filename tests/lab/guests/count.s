# SPDX-License-Identifier: LGPL-2.1-or-later
#
# A boot sector that counts, for ever: "count HHHHHHHH" on COM1, one more with
# each line, a line every few ticks of the timer.  The number is kept in two
# places of memory and, if there is a second disk, in its second sector, which is
# read before it is written; "count guest: … lost" when they disagree.  Whoever
# reads the lines sees whether one was skipped or came twice.  Proves that a
# guest that is saved and restored never notices.
.include "serial.inc"
.code16
.set COUNT, 0x1000
.set TICK, 0x1004
.set DISK, 0x1008
.set SECTOR, 0x2000
.set OTHER_SEGMENT, 0x8000
.set BIOS_TICKS, 0x46c
.set TICKS_A_LINE, 4
.globl start
start:
    serialStart
    sti
    movw $OTHER_SEGMENT, %ax
    movw %ax, %fs
    xorl %eax, %eax
    movl %eax, COUNT
    movl %eax, %fs:0
    movl %eax, SECTOR
    movb $3, %ah
    call disk                   # carry: there is none
    setnc DISK
    print up
nextLine:
    sti
    hlt
    movl BIOS_TICKS, %eax
    movl %eax, %ebx
    subl TICK, %ebx
    cmpl $TICKS_A_LINE, %ebx
    jb nextLine
    movl %eax, TICK
    movl COUNT, %eax
    cmpl %fs:0, %eax
    jne memoryLost
    testb $1, DISK
    jz counted
    movl $-1, SECTOR
    movb $2, %ah
    call disk
    jc diskLost
    movl COUNT, %eax
    cmpl SECTOR, %eax
    jne diskLost
    incl SECTOR
    movb $3, %ah
    call disk
    jc diskLost
counted:
    incl COUNT
    incl %fs:0
    print before
    movl COUNT, %ebp
    movw $8, %cx
1:  roll $4, %ebp
    movw %bp, %bx
    andw $15, %bx
    movb digits(%bx), %al
    call serialPut
    loop 1b
    print after
    jmp nextLine

# Reads (AH = 2) or writes (AH = 3) the second sector of the second disk.
disk:
    movb $1, %al
    movw $2, %cx
    movw $0x81, %dx
    movw $SECTOR, %bx
    int $0x13
    ret

memoryLost:
    print memory
    haltForever
diskLost:
    print sector
    haltForever
definePrint
up:
    .asciz "count guest: up\r\n"
before:
    .asciz "count "
after:
    .asciz "\r\n"
memory:
    .asciz "count guest: memory lost\r\n"
sector:
    .asciz "count guest: disk lost\r\n"
digits:
    .ascii "0123456789abcdef"
bootSignature
