/*
 * The PCI guest's network card: an ARP request goes out through an Intel 82574L and the answer comes back
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Registers and descriptors are those of Intel's "82574 GbE Controller Family
 * Datasheet". The card is set up anew for every request, and stopped after it;
 * one descriptor to send, a ring of them to receive, no interrupt.
 */

#include "guest.h"

#include <stddef.h>

#define NIC_IDS 0x10d38086U

#define CTRL (0x0000 / 4)
#define CTRL_LINK_UP (1U << 6 | 1U << 5) /* link up, speed by negotiation */
#define CTRL_RESET (1U << 26)
#define STATUS (0x0008 / 4)
#define STATUS_LINK 2U
#define IMC (0x00d8 / 4)
#define RCTL (0x0100 / 4)
#define RCTL_ON (1U << 1 | 1U << 3 | 1U << 4 | 1U << 15 | 1U << 26) /* enabled, all frames, without checksum */
#define TCTL (0x0400 / 4)
#define TCTL_ON (1U << 1 | 1U << 3 | 0x10U << 4 | 0x40U << 12) /* enabled, short frames padded, collisions */
#define RING_RECEIVE (0x2800 / 4)
#define RING_SEND (0x3800 / 4)
#define RING_LENGTH 2 /* from the ring's registers on */
#define RING_HEAD 4
#define RING_TAIL 6
#define RING_CONTROL 10
#define RING_CONTROL_ON (1U << 25 | 1U << 24)
#define ADDRESS_LOW (0x5400 / 4)
#define ADDRESS_HIGH (0x5404 / 4)

#define SEND_WHOLE 0x0b000000U /* end of packet, checksum by the card, report */
#define DONE 1U

#define RECEIVE_COUNT 16U
#define SEND_COUNT 8U
#define BUFFER_BYTES 2048U
#define FRAME_BYTES 60U
#define RESET_MILLISECONDS 1000
#define LINK_MILLISECONDS 10000
#define ANSWER_MILLISECONDS 10000
#define ARP_REQUEST 1
#define ARP_REPLY 2

typedef struct {
    uint32_t address, addressHigh, lengthAndCommand, status;
} Descriptor;

static Descriptor receiveRing[RECEIVE_COUNT] __attribute__((aligned(128)));
static Descriptor sendRing[SEND_COUNT] __attribute__((aligned(128)));
static uint8_t buffers[RECEIVE_COUNT][BUFFER_BYTES] __attribute__((aligned(16)));
static uint8_t frame[FRAME_BYTES] __attribute__((aligned(16)));

static void
startRing(volatile uint32_t *ring, const Descriptor *descriptors, uint32_t bytes, uint32_t tail)
{
    ring[0] = (uint32_t)descriptors;
    ring[1] = 0;
    ring[RING_LENGTH] = bytes;
    ring[RING_HEAD] = 0;
    ring[RING_CONTROL] |= RING_CONTROL_ON;
    guestBarrier();
    ring[RING_TAIL] = tail;
}

/* Resets the card and makes it ready: what is wrong, or NULL. */
static const char *
startNic(volatile uint32_t *nic)
{
    uint32_t start = guestClock();

    nic[IMC] = GUEST_ANY;
    nic[CTRL] |= CTRL_RESET;
    while (nic[CTRL] & CTRL_RESET) {
        if (!guestWithin(start, RESET_MILLISECONDS)) {
            return "the card does not end its reset";
        }
    }
    nic[IMC] = GUEST_ANY;
    nic[CTRL] |= CTRL_LINK_UP;
    start = guestClock();
    while (!(nic[STATUS] & STATUS_LINK)) {
        if (!guestWithin(start, LINK_MILLISECONDS)) {
            return "the card has no link";
        }
    }
    for (uint32_t i = 0; i < RECEIVE_COUNT; i++) {
        receiveRing[i] = (Descriptor){.address = (uint32_t)buffers[i]};
    }
    startRing(nic + RING_RECEIVE, receiveRing, sizeof(receiveRing), RECEIVE_COUNT - 1);
    startRing(nic + RING_SEND, sendRing, sizeof(sendRing), 0);
    nic[RCTL] = RCTL_ON;
    nic[TCTL] = TCTL_ON;
    return NULL;
}

static void
stopNic(volatile uint32_t *nic)
{
    nic[RCTL] = 0;
    nic[TCTL] = 0;
    nic[CTRL] |= CTRL_RESET;
}

static uint8_t *
putBytes(uint8_t *at, const uint8_t *bytes, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        *at++ = bytes[i];
    }
    return at;
}

/* Four numbers with dots between them. */
static bool
readAddress(const char *text, uint8_t *address)
{
    for (uint32_t i = 0; i < 4; i++) {
        address[i] = (uint8_t)guestNumber(&text);
        if (*text != (i < 3 ? '.' : '\0')) {
            return false;
        }
        text++;
    }
    return true;
}

static void
makeRequest(const uint8_t *own, const uint8_t *from, const uint8_t *to)
{
    static const uint8_t everybody[6] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
    static const uint8_t nobody[6];
    static const uint8_t kind[] = {0x08, 0x06, 0, 1, 0x08, 0, 6, 4, 0, ARP_REQUEST};
    uint8_t *at = frame;

    at = putBytes(at, everybody, 6);
    at = putBytes(at, own, 6);
    at = putBytes(at, kind, sizeof(kind));
    at = putBytes(at, own, 6);
    at = putBytes(at, from, 4);
    at = putBytes(at, nobody, 6);
    putBytes(at, to, 4);
}

/* Whether a frame that came answers the request; behind the kind are sender's and receiver's addresses. */
static bool
isAnswer(const uint8_t *came, const uint8_t *to)
{
    bool right = came[12] == 0x08 && came[13] == 0x06 && came[21] == ARP_REPLY;

    for (uint32_t i = 0; i < 4; i++) {
        right = right && came[28 + i] == to[i];
    }
    return right;
}

static void
sayHardware(const uint8_t *address)
{
    for (uint32_t i = 0; i < 6; i++) {
        guestSay(i ? ":" : "");
        guestSayNumber(address[i], 2);
    }
}

static const char *
exchange(volatile uint32_t *nic, const uint8_t *to)
{
    volatile Descriptor *sent = sendRing;
    uint32_t start = guestClock();
    uint32_t next = 0;

    sendRing[0] = (Descriptor){.address = (uint32_t)frame, .lengthAndCommand = SEND_WHOLE | FRAME_BYTES};
    guestBarrier();
    nic[RING_SEND + RING_TAIL] = 1;
    while (guestWithin(start, ANSWER_MILLISECONDS)) {
        volatile Descriptor *came = &receiveRing[next];

        if (!(came->status & DONE)) {
            continue;
        }
        guestBarrier();
        if (isAnswer(buffers[next], to)) {
            guestSay("arp answered by ");
            sayHardware(buffers[next] + 22);
            guestSay("\n");
            return NULL;
        }
        came->status = 0;
        nic[RING_RECEIVE + RING_TAIL] = next;
        next = (next + 1) % RECEIVE_COUNT;
    }
    return sent->status & DONE ? "nobody answered" : "the frame was not sent";
}

const char *
guestArp(char **words)
{
    volatile uint32_t *nic = guestPciUse(NIC_IDS);
    uint8_t own[6], from[4], to[4];
    const char *wrong;
    uint32_t low, high;

    if (!nic) {
        return "there is no e1000e";
    }
    if (!words[1] || !words[2] || !readAddress(words[1], from) || !readAddress(words[2], to)) {
        return "two addresses are needed: own, asked for";
    }
    wrong = startNic(nic);
    if (wrong) {
        return wrong;
    }
    low = nic[ADDRESS_LOW];
    high = nic[ADDRESS_HIGH];
    for (uint32_t i = 0; i < 6; i++) {
        own[i] = (uint8_t)(i < 4 ? low >> (8 * i) : high >> (8 * (i - 4)));
    }
    guestSay("arp mac ");
    sayHardware(own);
    guestSay("\n");
    makeRequest(own, from, to);
    wrong = exchange(nic, to);
    stopNic(nic);
    return wrong;
}
