# SPDX-License-Identifier: LGPL-2.1-or-later
#
# A guest that counts, for ever: "count HHHHHHHH" on COM1, one more with each
# line, a line every few ticks of the timer.  The number is kept in two places of
# memory and, if there is a second disk, in its second sector, which is read
# before it is written.  From each line to the next, which is nearly all of the
# time, the emulated devices hold two things: a byte in the keyboard controller
# that nobody has read yet, and a request to write the second disk's third sector,
# of whose data the disk has half.  "count guest: … lost" when something is not as
# it was.  Whoever reads the lines sees whether one was skipped or came twice.
# After a byte on COM1 the next line is followed by "medium: [LABEL]", the first 16
# bytes of what is in the CD-ROM drive, or "medium: []".
# Proves that a guest that is saved and restored never notices.
.include "serial.inc"
.include "cdrom.inc"
.code16
.set COUNT, 0x1000
.set TICK, 0x1004
.set DISK, 0x1008
.set SECTOR, 0x2000
.set OTHER_SEGMENT, 0x8000
.set BIOS_TICKS, 0x46c
.set TICKS_A_LINE, 4
.set SECTORS, 2
.set REQUEST, 0x2200
.set MEDIUM, 0x3000
.set ATA, 0x1f0
.set KEYBOARD, 0x60
.set KEYBOARD_CONTROL, 0x64
.globl start
start:
    serialStart
    movw $0x200 + SECTORS, %ax
    movw $2, %cx
    movw $0x80, %dx
    movw $more, %bx
    int $0x13                   # the sectors of this file after the first
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
    inb $PIC_MASK, %al
    orb $2, %al
    outb %al, $PIC_MASK         # the BIOS would read the key
    call hold
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
    call takeBack
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
    call hold
    print after
    call medium
    jmp nextLine

# Reads (AH = 2) or writes (AH = 3) the second sector of the second disk.
disk:
    movb $1, %al
    movw $2, %cx
    movw $0x81, %dx
    movw $SECTOR, %bx
    int $0x13
    ret

definePrint
bootSignature

more:
# Has the devices hold what belongs to the number.
hold:
    movb $0xd2, %al
    outb %al, $KEYBOARD_CONTROL # the next byte is as if a key had sent it
    call keyboardWait
    call key
    outb %al, $KEYBOARD
    testb $1, DISK
    jz 1f
    movw $REQUEST, %di
    movl COUNT, %eax
    movw $128, %cx
    rep stosl
    movw $ATA + 2, %dx
    movb $1, %al
    outb %al, %dx               # one sector
    incw %dx
    movb $2, %al
    outb %al, %dx               # the third
    incw %dx
    xorb %al, %al
    outb %al, %dx
    incw %dx
    outb %al, %dx
    incw %dx
    movb $0xf0, %al
    outb %al, %dx               # of the slave, by its number
    incw %dx
    movb $0x30, %al
    outb %al, %dx               # WRITE SECTORS
    call diskWait
    movw $REQUEST, %si
    movw $ATA, %dx
    movw $128, %cx
    rep outsw
1:  ret

# Finishes what the devices hold, and sees whether they still did.
takeBack:
    inb $KEYBOARD_CONTROL, %al
    testb $1, %al
    jz keyLost
    inb $KEYBOARD, %al
    movb %al, %bl
    call key
    cmpb %al, %bl
    jne keyLost
    testb $1, DISK
    jz 1f
    movw $ATA + 7, %dx
    inb %dx, %al
    testb $0x08, %al            # it waits for data
    jz requestLost
    movw $REQUEST + 256, %si
    movw $ATA, %dx
    movw $128, %cx
    rep outsw
    call diskWait
    movw $0x201, %ax
    movw $3, %cx
    movw $0x81, %dx
    movw $REQUEST, %bx
    int $0x13
    jc requestLost
    movw $REQUEST, %di
    movl COUNT, %eax
    movw $128, %cx
    repe scasl
    jne requestLost
1:  ret

# The key that belongs to the number, in AL.
key:
    movb COUNT, %al
    andb $0x7f, %al
    ret

# Says which medium there is, if it was asked.
medium:
    movw $COM1 + 5, %dx
    inb %dx, %al                # LSR: a byte was received
    testb $1, %al
    jz 3f
    movw $COM1, %dx
    inb %dx, %al
    cdromRead
    movb $0, MEDIUM
    movb $CDROM_TRIES, %bl
1:  movw $packet, %si
    call sendPacket
    jnc 2f
    movw $sense, %si
    call sendPacket
    decb %bl
    jnz 1b
    movb $0, MEDIUM
2:  movb $0, MEDIUM + 16
    print mediumBefore
    print MEDIUM
    print mediumAfter
3:  ret

defineCdrom MEDIUM

# Waits until the keyboard controller takes a byte.
keyboardWait:
    inb $KEYBOARD_CONTROL, %al
    testb $2, %al
    jnz keyboardWait
    ret

# Waits until the disk is not busy.
diskWait:
    movw $ATA + 7, %dx
1:  inb %dx, %al
    testb $0x80, %al
    jnz 1b
    ret

memoryLost:
    print memory
    haltForever
diskLost:
    print sector
    haltForever
keyLost:
    print keyboard
    haltForever
requestLost:
    print request
    haltForever
up:
    .asciz "count guest: up\r\n"
before:
    .asciz "count "
after:
    .asciz "\r\n"
mediumBefore:
    .asciz "medium: ["
mediumAfter:
    .asciz "]\r\n"
memory:
    .asciz "count guest: memory lost\r\n"
sector:
    .asciz "count guest: disk lost\r\n"
keyboard:
    .asciz "count guest: key lost\r\n"
request:
    .asciz "count guest: disk request lost\r\n"
digits:
    .ascii "0123456789abcdef"
    .org 512 * (1 + SECTORS)
