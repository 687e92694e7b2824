/*
 * How domains are read
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "stubdom_conf.h"

/**
 * stubdomDomainXMLOptionNew: the defaults, checks and own elements the driver adds to libvirt's parser.
 * @driver: must outlive the result, and have its caps already
 *
 * Returns a reference, or NULL with an error reported.
 */
virDomainXMLOption *stubdomDomainXMLOptionNew(StubdomDriver *driver);
