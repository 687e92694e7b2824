/*
 * Unit tests of the argument list's encodings
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include <glib.h>
#include <string.h>

#include "protocol/stubdom_args.h"

static void
assertRoundTrip(const char *const *argv, const char *expected)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *encoded = stubdomArgsEncodeDmargs(argv, &error);
    g_auto(GStrv) decoded = NULL;

    g_assert_no_error(error);
    g_assert_cmpstr(encoded, ==, expected);
    decoded = stubdomArgsDecodeDmargs(encoded, strlen(encoded));
    g_assert_cmpstrv(decoded, argv);
}

static void
testRoundTrip(void)
{
    assertRoundTrip((const char *const[]){NULL}, "");
    assertRoundTrip((const char *const[]){"-d", "1", NULL}, "-d 1");
    assertRoundTrip((const char *const[]){"-domain-name", "my guest", NULL}, "-domain-name \"my guest\"");
    assertRoundTrip((const char *const[]){"it's", NULL}, "\"it's\"");
    assertRoundTrip((const char *const[]){"a\"b", NULL}, "\"a\"'\"b'");
    assertRoundTrip((const char *const[]){"'\"'", " ", NULL}, "\"'\"'\"'\"'\" \" \"");
    assertRoundTrip((const char *const[]){"back\\slash", "x\\ y", NULL}, "back\\slash \"x\\ y\"");
    assertRoundTrip((const char *const[]){"\xc3\xa4", NULL}, "\xc3\xa4");
}

/* The rules of MiniOS, from its side: what libxl writes and what a person might. */
static void
testDecode(void)
{
    static const struct {
        const char *value;
        const char *argv[5];
    } cases[] = {
        {"", {NULL}},
        {"   ", {NULL}},
        {" -d 1", {"-d", "1", NULL}},
        {"a  b   c ", {"a", "b", "c", NULL}},
        {"'a b'c d", {"a bc", "d", NULL}},
        {"a'b\"c'\"d'e\"", {"ab\"cd'e", NULL}},
        {"'open end", {"open end", NULL}},
        {"\\' x'", {"\\ x", NULL}},
        {"'' \"\" x", {"x", NULL}},
        {"tab\tis\tno\tspace", {"tab\tis\tno\tspace", NULL}},
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_auto(GStrv) argv = stubdomArgsDecodeDmargs(cases[i].value, strlen(cases[i].value));

        g_assert_cmpstrv(argv, cases[i].argv);
    }
}

static void
testDecodeBytes(void)
{
    g_auto(GStrv) argv = stubdomArgsDecodeDmargs("a b\0c d", 7);
    g_auto(GStrv) cut = stubdomArgsDecodeDmargs("abc def", 5);

    g_assert_cmpstrv(argv, ((const char *const[]){"a", "b", NULL}));
    g_assert_cmpstrv(cut, ((const char *const[]){"abc", "d", NULL}));
}

static void
testCannotCarry(void)
{
    static const char *const bad[] = {"", "a\nb", "a\tb", "\x7f"};

    for (gsize i = 0; i < G_N_ELEMENTS(bad); i++) {
        const char *argv[] = {"-x", bad[i], NULL};
        g_autoptr(GError) error = NULL;
        g_autofree char *encoded = stubdomArgsEncodeDmargs(argv, &error);

        g_assert_null(encoded);
        g_assert_error(error, STUBDOM_ARGS_ERROR, STUBDOM_ARGS_ERROR_VALUE);
    }
}

static void
testSize(void)
{
    g_autofree char *fits = g_strnfill(STUBDOM_DMARGS_MAX, 'x');
    g_autofree char *tooLong = g_strnfill(STUBDOM_DMARGS_MAX + 1, 'x');
    g_autofree char *argvFits = g_strnfill(STUBDOM_DM_ARGV_VALUE_MAX, 'x');
    g_autofree const char **many = g_new0(const char *, STUBDOM_DM_ARGV_COUNT_MAX + 2);
    g_autoptr(GError) error = NULL;
    g_autofree char *encoded = stubdomArgsEncodeDmargs((const char *const[]){fits, NULL}, &error);

    g_assert_no_error(error);
    g_assert_nonnull(encoded);
    g_assert_null(stubdomArgsEncodeDmargs((const char *const[]){tooLong, NULL}, &error));
    g_assert_error(error, STUBDOM_ARGS_ERROR, STUBDOM_ARGS_ERROR_SIZE);
    g_clear_error(&error);

    g_assert_true(stubdomArgsCheckDmArgv((const char *const[]){argvFits, "", NULL}, &error));
    g_assert_false(stubdomArgsCheckDmArgv((const char *const[]){tooLong, NULL}, &error));
    g_assert_error(error, STUBDOM_ARGS_ERROR, STUBDOM_ARGS_ERROR_SIZE);
    g_clear_error(&error);

    for (guint i = 0; i < STUBDOM_DM_ARGV_COUNT_MAX; i++) {
        many[i] = "x";
    }
    g_assert_true(stubdomArgsCheckDmArgv(many, &error));
    many[STUBDOM_DM_ARGV_COUNT_MAX] = "x";
    g_assert_false(stubdomArgsCheckDmArgv(many, &error));
    g_assert_error(error, STUBDOM_ARGS_ERROR, STUBDOM_ARGS_ERROR_SIZE);
}

static void
testNames(void)
{
    char name[4];

    stubdomArgsDmArgvName(1, name);
    g_assert_cmpstr(name, ==, "001");
    stubdomArgsDmArgvName(STUBDOM_DM_ARGV_COUNT_MAX, name);
    g_assert_cmpstr(name, ==, "999");
    g_assert_cmpuint(stubdomArgsDmArgvIndex("042"), ==, 42);
    g_assert_cmpuint(stubdomArgsDmArgvIndex("42"), ==, 0);
    g_assert_cmpuint(stubdomArgsDmArgvIndex("0042"), ==, 0);
    g_assert_cmpuint(stubdomArgsDmArgvIndex("-01"), ==, 0);
    g_assert_cmpuint(stubdomArgsDmArgvIndex(""), ==, 0);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/protocol/args/round-trip", testRoundTrip);
    g_test_add_func("/protocol/args/decode", testDecode);
    g_test_add_func("/protocol/args/decode-bytes", testDecodeBytes);
    g_test_add_func("/protocol/args/cannot-carry", testCannotCarry);
    g_test_add_func("/protocol/args/size", testSize);
    g_test_add_func("/protocol/args/names", testNames);
    return g_test_run();
}
