/*
 * Test: the QMP parser, on what clients send and on what nobody should
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include <string.h>

#include "device_model/dm_error.h"
#include "device_model/dm_qmp_server.h"

typedef struct {
    GString *text;
    guint stopAfter; /* 0: never */
    guint count;
} Collected;

static gboolean
collect(JsonObject *object, gpointer opaque)
{
    Collected *collected = opaque;
    g_autoptr(JsonNode) node = json_node_init_object(json_node_alloc(), object);
    g_autofree char *text = json_to_string(node, FALSE);

    g_string_append_printf(collected->text, "%s;", text);
    return ++collected->count != collected->stopAfter;
}

/* Feeds @input in pieces of @piece bytes; what came out, then "!" if it was refused. */
static char *
parse(const char *input, gsize length, gsize piece)
{
    g_autoptr(DmQmpParser) parser = dmQmpParserNew();
    Collected collected = {g_string_new(NULL), 0, 0};
    g_autoptr(GError) error = NULL;

    while (length > 0) {
        gsize n = MIN(piece, length);

        if (!dmQmpParserFeed(parser, input, n, collect, &collected, &error)) {
            g_assert_error(error, DM_ERROR, DM_ERROR_ARGUMENT);
            g_string_append_c(collected.text, '!');
            break;
        }
        input += n;
        length -= n;
    }
    return g_string_free(collected.text, FALSE);
}

static void
testObjects(void)
{
    static const struct {
        const char *input;
        const char *output;
    } cases[] = {
        {"{}", "{};"},
        {"\r\n {} \t{\"a\":1}\n{}", "{};{\"a\":1};{};"},
        {"{\"execute\":\"qmp_capabilities\",\"id\":1}\r\n", "{\"execute\":\"qmp_capabilities\",\"id\":1};"},
        {"{\"a\":\"}{][\"}{\"b\":\"\\\"}\"}", "{\"a\":\"}{][\"};{\"b\":\"\\\"}\"};"},
        {"{\"a\":\"\\\\\"}{}", "{\"a\":\"\\\\\"};{};"},
        {"{\"a\":[true,false,null,-1,2.5,0]}", "{\"a\":[true,false,null,-1,2.5,0]};"},
        {"{\"a\":\"\xc3\xa9\\u00e9\\ud83d\\ude00\"}", "{\"a\":\"\xc3\xa9\xc3\xa9\xf0\x9f\x98\x80\"};"},
        {"{\"a\":9223372036854775807}", "{\"a\":9223372036854775807};"},
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        for (gsize piece = 1; piece <= strlen(cases[i].input); piece++) {
            g_autofree char *output = parse(cases[i].input, strlen(cases[i].input), piece);

            g_assert_cmpstr(output, ==, cases[i].output);
        }
    }
}

static void
testRefused(void)
{
    static const char *const inputs[] = {
        "[]",                          /* no object */
        "1",                           /* nor this */
        "\"{}\"",                      /* nor this */
        "}",                           /* closes nothing */
        "{]",                          /* closes another */
        "{\"a\":[}",                   /* closes another */
        "{\"a\"}",                     /* no value */
        "{\"a\":1,}",                  /* comma too many */
        "{\"a\":tru}",                 /* no word */
        "{\"a\":01}",                  /* numbers that are none */
        "{\"a\":.1}",                  /* … */
        "{\"a\":1.}",                  /* … */
        "{\"a\":1e}",                  /* … */
        "{\"a\":0x10}",                /* … */
        "{\"a\":--1}",                 /* … */
        "{\"a\":1e999}",               /* no double */
        "{\"a\":1e98}",                /* json-glib could not write it */
        "{\"a\":9223372036854775808}", /* no 64-bit integer */
        "{/* } */}",                   /* comments are not JSON */
        "{//\n}",                      /* … */
        "{'a':1}",                     /* other quotes */
        "{\"a\":\"\n\"}",              /* control character in a string */
        "{\"a\":\"\\x\"}",             /* no escape */
        "{\"a\":\"\\u12g4\"}",         /* no escape */
        "{\"a\":\"\\u0000\"}",         /* would end a C string */
        "{\"a\":\"\\ud800\"}",         /* half a pair */
        "{\"a\":\"\\ud800x\"}",        /* … */
        "{\"a\":\"\\ud800\\n\"}",      /* … */
        "{\"a\":\"\\ud800\\u0041\"}",  /* … */
        "{\"a\":\"\\udc00\\ud800\"}",  /* the wrong way round */
        "{\"a\":\"\xff\"}",            /* no UTF-8 */
        "{\"a\":\"\xc0\x80\"}",        /* overlong */
        "{\"a\":\"\xed\xa0\x80\"}",    /* a surrogate in UTF-8 */
        "\x01{}",                      /* no white space */
        "\xef\xbb\xbf{}",              /* byte order mark */
    };

    for (gsize i = 0; i < G_N_ELEMENTS(inputs); i++) {
        g_autofree char *whole = parse(inputs[i], strlen(inputs[i]), strlen(inputs[i]));
        g_autofree char *bytes = parse(inputs[i], strlen(inputs[i]), 1);

        g_test_message("input %" G_GSIZE_FORMAT, i);
        g_assert_cmpstr(whole, ==, "!");
        g_assert_cmpstr(bytes, ==, "!");
    }
}

static void
testNul(void)
{
    static const char between[] = "{}\0{}";
    static const char inString[] = "{\"a\0\":1}";
    g_autofree char *a = parse(between, sizeof(between) - 1, 64);
    g_autofree char *b = parse(inString, sizeof(inString) - 1, 64);

    g_assert_cmpstr(a, ==, "{};!");
    g_assert_cmpstr(b, ==, "!");
}

/* {"a":[[[…]]]} of @depth levels in all */
static char *
nested(guint depth)
{
    GString *text = g_string_new("{\"a\":");

    for (guint i = 1; i < depth; i++)
        g_string_append_c(text, '[');
    for (guint i = 1; i < depth; i++)
        g_string_append_c(text, ']');
    g_string_append_c(text, '}');
    return g_string_free(text, FALSE);
}

static void
testDepth(void)
{
    g_autofree char *most = nested(DM_QMP_DEPTH_MAX);
    g_autofree char *more = nested(DM_QMP_DEPTH_MAX + 1);
    g_autofree char *taken = parse(most, strlen(most), 7);
    g_autofree char *refused = parse(more, strlen(more), 7);

    g_assert_true(g_str_has_suffix(taken, "};"));
    g_assert_cmpstr(refused, ==, "!");
}

/* {"a":"xxx…"} of @length bytes in all */
static char *
sized(gsize length)
{
    const gsize frame = strlen("{\"a\":\"\"}");
    g_autofree char *filling = g_strnfill(length - frame, 'x');

    return g_strdup_printf("{\"a\":\"%s\"}", filling);
}

static void
testLength(void)
{
    g_autofree char *most = sized(DM_QMP_INPUT_MAX);
    g_autofree char *more = sized(DM_QMP_INPUT_MAX + 1);

    for (gsize piece = 1; piece <= (gsize)2 * DM_QMP_INPUT_MAX; piece = piece * 3 + 1) {
        g_autofree char *taken = parse(most, strlen(most), piece);
        g_autofree char *refused = parse(more, strlen(more), piece);

        g_assert_cmpuint(strlen(taken), ==, DM_QMP_INPUT_MAX + 1);
        g_assert_cmpstr(refused, ==, "!");
    }
}

/* White space between objects is no part of one, however much there is. */
static void
testBlanks(void)
{
    g_autofree char *blanks = g_strnfill((gsize)4 * DM_QMP_INPUT_MAX, '\n');
    g_autofree char *input = g_strconcat(blanks, "{}", blanks, "{}", NULL);
    g_autofree char *output = parse(input, strlen(input), 1000);

    g_assert_cmpstr(output, ==, "{};{};");
}

/* Time grows with the input, not with its square: 4 MiB a byte at a time would else outlast the time limit of a test.
 */
static void
testLinear(void)
{
    g_autofree char *object = sized(DM_QMP_INPUT_MAX);
    g_autoptr(DmQmpParser) parser = dmQmpParserNew();

    for (guint round = 0; round < 64; round++) {
        Collected collected = {g_string_new(NULL), 0, 0};

        for (gsize i = 0; i < DM_QMP_INPUT_MAX; i++)
            g_assert_true(dmQmpParserFeed(parser, object + i, 1, collect, &collected, NULL));
        g_assert_cmpuint(collected.count, ==, 1);
        g_string_free(collected.text, TRUE);
    }
}

static void
testStop(void)
{
    g_autoptr(DmQmpParser) parser = dmQmpParserNew();
    Collected collected = {g_string_new(NULL), 2, 0};

    g_assert_true(dmQmpParserIsIdle(parser));
    g_assert_true(dmQmpParserFeed(parser, "{}{}{}{", 7, collect, &collected, NULL));
    g_assert_cmpuint(collected.count, ==, 2);
    g_assert_true(dmQmpParserIsIdle(parser));
    g_assert_true(dmQmpParserFeed(parser, "{", 1, collect, &collected, NULL));
    g_assert_false(dmQmpParserIsIdle(parser));
    g_string_free(collected.text, TRUE);
}

/* After an error nothing is taken, not even what would be valid. */
static void
testBroken(void)
{
    g_autoptr(DmQmpParser) parser = dmQmpParserNew();
    Collected collected = {g_string_new(NULL), 0, 0};

    g_assert_false(dmQmpParserFeed(parser, "{}]", 3, collect, &collected, NULL));
    g_assert_false(dmQmpParserFeed(parser, "{}", 2, collect, &collected, NULL));
    g_assert_cmpuint(collected.count, ==, 1);
    g_string_free(collected.text, TRUE);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/qmp/parser/objects", testObjects);
    g_test_add_func("/qmp/parser/refused", testRefused);
    g_test_add_func("/qmp/parser/nul", testNul);
    g_test_add_func("/qmp/parser/depth", testDepth);
    g_test_add_func("/qmp/parser/length", testLength);
    g_test_add_func("/qmp/parser/blanks", testBlanks);
    g_test_add_func("/qmp/parser/linear", testLinear);
    g_test_add_func("/qmp/parser/stop", testStop);
    g_test_add_func("/qmp/parser/broken", testBroken);
    return g_test_run();
}
