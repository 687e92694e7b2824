/*
 * A domain's clock as libxl wants it
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Xen keeps the guest's clock by the host's, with an offset. How it makes up
 * for missed ticks of a timer cannot be set timer by timer, so that is refused.
 */

#include "stubdom_compat.h"

#include "stubdom_libxl_clock.h"

#include "stubdom_refusal.h"

static int
buildTimer(libxl_domain_build_info *info, const virDomainTimerDef *timer)
{
    static const int modes[VIR_DOMAIN_TIMER_MODE_LAST] = {
        [VIR_DOMAIN_TIMER_MODE_NONE] = LIBXL_TSC_MODE_DEFAULT,
        [VIR_DOMAIN_TIMER_MODE_AUTO] = LIBXL_TSC_MODE_DEFAULT,
        [VIR_DOMAIN_TIMER_MODE_NATIVE] = LIBXL_TSC_MODE_NATIVE,
        [VIR_DOMAIN_TIMER_MODE_EMULATE] = LIBXL_TSC_MODE_ALWAYS_EMULATE,
        [VIR_DOMAIN_TIMER_MODE_PARAVIRT] = LIBXL_TSC_MODE_NATIVE_PARAVIRT,
        [VIR_DOMAIN_TIMER_MODE_SMPSAFE] = -1,
    };

    if (timer->name == VIR_DOMAIN_TIMER_NAME_HYPERVCLOCK && timer->present != VIR_TRISTATE_BOOL_ABSENT) {
        return 0; /* stubdom_libxl_features.c */
    }
    if (timer->name == VIR_DOMAIN_TIMER_NAME_HPET && timer->present != VIR_TRISTATE_BOOL_ABSENT) {
        libxl_defbool_set(&info->u.hvm.hpet, timer->present == VIR_TRISTATE_BOOL_YES);
        return 0;
    }
    if (timer->name == VIR_DOMAIN_TIMER_NAME_TSC && timer->present != VIR_TRISTATE_BOOL_NO && modes[timer->mode] >= 0) {
        info->tsc_mode = (libxl_tsc_mode)modes[timer->mode];
        return 0;
    }
    return stubdomRefuse("timer", virDomainTimerNameTypeToString(timer->name),
                         _("hpet and hypervclock with 'present', and tsc with the mode auto, native, emulate or "
                           "paravirt are what libxl can be "
                           "told"));
}

int
stubdomLibxlClockBuild(StubdomLibxlConfig *config, const virDomainDef *def)
{
    libxl_domain_build_info *info = &config->b_info;
    const virDomainClockDef *clock = &def->clock;

    if (clock->offset == VIR_DOMAIN_CLOCK_OFFSET_LOCALTIME) {
        libxl_defbool_set(&info->localtime, true);
    } else if (clock->offset == VIR_DOMAIN_CLOCK_OFFSET_VARIABLE) {
        long long adjustment = clock->data.variable.adjustment;

        if (adjustment < G_MININT32 || adjustment > G_MAXINT32) {
            g_autofree char *text = g_strdup_printf("%lld", adjustment);

            return stubdomRefuse("clock adjustment", text, _("libxl takes 32 bits of seconds"));
        }
        if (clock->data.variable.basis == VIR_DOMAIN_CLOCK_BASIS_LOCALTIME) {
            libxl_defbool_set(&info->localtime, true);
        }
        info->rtc_timeoffset = (uint32_t)(int32_t)adjustment;
    } else if (clock->offset != VIR_DOMAIN_CLOCK_OFFSET_UTC) {
        return stubdomRefuse("clock offset", virDomainClockOffsetTypeToString(clock->offset),
                             _("utc, localtime and variable are what libxl can be told"));
    }
    for (size_t i = 0; i < clock->ntimers; i++) {
        if (buildTimer(info, clock->timers[i]) < 0) {
            return -1;
        }
    }
    return 0;
}
