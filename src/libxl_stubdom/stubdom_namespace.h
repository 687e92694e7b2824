/*
 * The driver's own elements in domain XML
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "virxml.h"

/* http://libvirt.org/schemas/domain/stubdom/1.0; the data is a StubdomSettings. */
extern virXMLNamespace stubdomNamespace;
