/*
 * What GLib orders between threads, said to ThreadSanitizer
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * GLib is not instrumented and its locks are no pthread locks, so that whatever
 * one thread hands to another through it would be reported as a race. This
 * library is preloaded, after ThreadSanitizer's own, into the process of a
 * driver that is instrumented (harness/driver.py). It knows three ways: locks;
 * a reference given back comes after all that were given back before, as the
 * last one frees; a source's callback comes after it was set, and what is done
 * when a source goes after all calls of it.
 */

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif

#include <dlfcn.h>
#include <glib-object.h>
#include <glib-unix.h>

void __tsan_acquire(void *address);
void __tsan_release(void *address);

/* GLib locks before constructors of other libraries have run, so each is looked up when it is called first. This
 * library is linked to GLib: Python loads what needs it where the look-up would not find it. */
#define FIND(name) real_##name = real_##name ? real_##name : (__typeof__(real_##name))dlsym(RTLD_NEXT, #name)

static void (*real_g_mutex_lock)(GMutex *);
static void (*real_g_mutex_unlock)(GMutex *);
static void (*real_g_cond_wait)(GCond *, GMutex *);
static gboolean (*real_g_cond_wait_until)(GCond *, GMutex *, gint64);
static void (*real_g_source_set_callback)(GSource *, GSourceFunc, gpointer, GDestroyNotify);
static GSource *(*real_g_unix_fd_source_new)(gint, GIOCondition);
static void (*real_g_object_unref)(gpointer);
static gboolean (*real_g_atomic_ref_count_dec)(gatomicrefcount *);

void
g_mutex_lock(GMutex *mutex)
{
    FIND(g_mutex_lock);
    real_g_mutex_lock(mutex);
    __tsan_acquire(mutex);
}

void
g_mutex_unlock(GMutex *mutex)
{
    FIND(g_mutex_unlock);
    __tsan_release(mutex);
    real_g_mutex_unlock(mutex);
}

void
g_cond_wait(GCond *cond, GMutex *mutex)
{
    FIND(g_cond_wait);
    __tsan_release(mutex);
    real_g_cond_wait(cond, mutex);
    __tsan_acquire(mutex);
}

gboolean
g_cond_wait_until(GCond *cond, GMutex *mutex, gint64 end)
{
    gboolean signalled;

    FIND(g_cond_wait_until);
    __tsan_release(mutex);
    signalled = real_g_cond_wait_until(cond, mutex, end);
    __tsan_acquire(mutex);
    return signalled;
}

void
g_object_unref(gpointer object)
{
    FIND(g_object_unref);
    __tsan_release(object);
    __tsan_acquire(object);
    real_g_object_unref(object);
}

gboolean(g_atomic_ref_count_dec)(gatomicrefcount *count)
{
    FIND(g_atomic_ref_count_dec);
    __tsan_release(count);
    __tsan_acquire(count);
    return real_g_atomic_ref_count_dec(count);
}

/* --- sources ---------------------------------------------------------------------- */

typedef struct {
    GSourceFunc func;
    gpointer data;
    GDestroyNotify notify;
} Callback;

/* Those of the sources whose callbacks are GUnixFDSourceFunc. */
static GSourceFuncs *fdSourceFuncs;

static gboolean
call(gpointer opaque)
{
    Callback *callback = opaque;
    gboolean more;

    __tsan_acquire(callback);
    more = callback->func(callback->data);
    __tsan_release(callback);
    return more;
}

static gboolean
callFd(gint fd, GIOCondition condition, gpointer opaque)
{
    Callback *callback = opaque;
    gboolean more;

    __tsan_acquire(callback);
    more = ((GUnixFDSourceFunc)(void (*)(void))callback->func)(fd, condition, callback->data);
    __tsan_release(callback);
    return more;
}

static void
gone(gpointer opaque)
{
    Callback *callback = opaque;

    __tsan_acquire(callback);
    if (callback->notify) {
        callback->notify(callback->data);
    }
    g_free(callback);
}

GSource *
g_unix_fd_source_new(gint fd, GIOCondition condition)
{
    GSource *source;

    FIND(g_unix_fd_source_new);
    source = real_g_unix_fd_source_new(fd, condition);
    __atomic_store_n(&fdSourceFuncs, source->source_funcs, __ATOMIC_RELEASE);
    return source;
}

void
g_source_set_callback(GSource *source, GSourceFunc func, gpointer data, GDestroyNotify notify)
{
    Callback *callback = g_new0(Callback, 1);

    FIND(g_source_set_callback);
    callback->func = func;
    callback->data = data;
    callback->notify = notify;
    __tsan_release(callback);
    real_g_source_set_callback(
        source,
        source->source_funcs == __atomic_load_n(&fdSourceFuncs, __ATOMIC_ACQUIRE) ? G_SOURCE_FUNC(callFd) : call,
        callback, gone);
}
