/*
 * QMP parser: from bytes as they come to JSON objects
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Finds where an object ends, and bounds its length and nesting, before a JSON
 * library sees a byte of it: json-glib recurses without a bound, takes
 * comments, hexadecimal numbers and half surrogate pairs, and cannot be fed
 * piecemeal. Each byte is looked at once here and once in json-glib, so work is
 * linear in the input. Tokens and brackets are judged here, the order of
 * members, colons and commas is json-glib's to judge. No I/O.
 */

#include "dm_qmp_server.h"

#include <glib/gi18n.h>
#include <math.h>
#include <string.h>

#include "dm_error.h"

/* Longest number or word, in bytes. */
#define WORD_MAX 40U

typedef enum {
    STATE_BETWEEN,   /* no object begun */
    STATE_STRUCTURE, /* in an object, outside strings */
    STATE_STRING,
    STATE_ESCAPE,  /* after a backslash */
    STATE_UNICODE, /* in the four digits after \u */
} ParserState;

typedef enum {
    STEP_MORE,     /* belongs to the object, which goes on */
    STEP_SKIP,     /* white space between objects */
    STEP_COMPLETE, /* the object's last byte */
    STEP_BAD,
} ParserStep;

struct _DmQmpParser {
    JsonParser *json;
    GByteArray *object; /* the object so far; at most DM_QMP_INPUT_MAX */
    ParserState state;
    char closers[DM_QMP_DEPTH_MAX]; /* what must close each open level */
    guint depth;
    char word[WORD_MAX + 1]; /* number or word so far */
    guint wordLength;
    guint digits;     /* of \uXXXX still to come */
    guint32 unit;     /* of \uXXXX so far */
    gboolean needLow; /* a high surrogate came, a low one must follow */
    gboolean broken;  /* nothing more is taken */
};

DmQmpParser *
dmQmpParserNew(void)
{
    DmQmpParser *parser = g_new0(DmQmpParser, 1);

    parser->json = json_parser_new();
    parser->object = g_byte_array_new();
    return parser;
}

void
dmQmpParserFree(DmQmpParser *parser)
{
    if (!parser)
        return;
    g_object_unref(parser->json);
    g_byte_array_unref(parser->object);
    g_free(parser);
}

gboolean
dmQmpParserIsIdle(const DmQmpParser *parser)
{
    return parser->state == STATE_BETWEEN;
}

static ParserStep
parserOpen(DmQmpParser *parser, char closer, GError **error)
{
    if (parser->depth == DM_QMP_DEPTH_MAX) {
        g_set_error(error, DM_ERROR, DM_ERROR_ARGUMENT, _("JSON nested deeper than %u levels"), DM_QMP_DEPTH_MAX);
        return STEP_BAD;
    }
    parser->closers[parser->depth++] = closer;
    return STEP_MORE;
}

static const char *
skipDigits(const char *text)
{
    while (g_ascii_isdigit(*text))
        text++;
    return text;
}

/* Whether @text is a JSON number, and one that json-glib can read and write again. */
static gboolean
isNumber(const char *text)
{
    const char *start = *text == '-' ? text + 1 : text;
    const char *end = skipDigits(start);
    char written[G_ASCII_DTOSTR_BUF_SIZE];
    double value;

    if (end == start || (*start == '0' && end - start > 1))
        return FALSE;
    if (*end == '\0')
        return g_ascii_string_to_signed(text, 10, G_MININT64, G_MAXINT64, NULL, NULL);
    if (*end == '.') {
        start = end + 1;
        end = skipDigits(start);
        if (end == start)
            return FALSE;
    }
    if (*end == 'e' || *end == 'E') {
        start = end[1] == '+' || end[1] == '-' ? end + 2 : end + 1;
        end = skipDigits(start);
        if (end == start)
            return FALSE;
    }
    value = g_ascii_strtod(text, NULL);
    if (*end != '\0' || !isfinite(value))
        return FALSE;
    /* json-glib 1.6 appends ".0" to whatever has no point: 1e98 becomes "1e+98.0". */
    g_ascii_dtostr(written, sizeof(written), value);
    return strchr(written, '.') || !strchr(written, 'e');
}

/* Ends a number or word, if there is one. */
static gboolean
parserEndWord(DmQmpParser *parser, GError **error)
{
    gboolean valid;

    if (parser->wordLength == 0)
        return TRUE;
    parser->word[parser->wordLength] = '\0';
    parser->wordLength = 0;
    valid = g_str_equal(parser->word, "true") || g_str_equal(parser->word, "false") ||
            g_str_equal(parser->word, "null") || isNumber(parser->word);
    if (!valid)
        g_set_error(error, DM_ERROR, DM_ERROR_ARGUMENT, _("invalid JSON: %s is no value that can be used"),
                    parser->word);
    return valid;
}

static gboolean
isWordByte(char c)
{
    return g_ascii_isalnum(c) || c == '+' || c == '-' || c == '.';
}

static ParserStep
parserWord(DmQmpParser *parser, char c, GError **error)
{
    if (parser->wordLength == WORD_MAX) {
        g_set_error(error, DM_ERROR, DM_ERROR_ARGUMENT, _("invalid JSON: a number or word of more than %u bytes"),
                    WORD_MAX);
        return STEP_BAD;
    }
    parser->word[parser->wordLength++] = c;
    return STEP_MORE;
}

static ParserStep
parserStructure(DmQmpParser *parser, char c, GError **error)
{
    if (isWordByte(c))
        return parserWord(parser, c, error);
    if (!parserEndWord(parser, error))
        return STEP_BAD;
    switch (c) {
    case '{':
        return parserOpen(parser, '}', error);
    case '[':
        return parserOpen(parser, ']', error);
    case '}':
    case ']':
        if (parser->closers[parser->depth - 1] != c)
            break;
        if (--parser->depth > 0)
            return STEP_MORE;
        parser->state = STATE_BETWEEN;
        return STEP_COMPLETE;
    case '"':
        parser->state = STATE_STRING;
        return STEP_MORE;
    default:
        /* No comments and no other quotes, which json-glib would take and this code would misread. */
        if (c != '\0' && strchr(" \t\r\n:,", c))
            return STEP_MORE;
        break;
    }
    g_set_error(error, DM_ERROR, DM_ERROR_ARGUMENT, _("invalid JSON: unexpected byte 0x%02x"), (guint)(guchar)c);
    return STEP_BAD;
}

/* Ends a \uXXXX: json-glib ends the string at U+0000, and makes invalid UTF-8 of some unpaired surrogates. */
static ParserStep
parserUnit(DmQmpParser *parser, GError **error)
{
    gboolean high = parser->unit >= 0xd800 && parser->unit <= 0xdbff;
    gboolean low = parser->unit >= 0xdc00 && parser->unit <= 0xdfff;

    if (parser->unit == 0 || low != parser->needLow) {
        g_set_error(error, DM_ERROR, DM_ERROR_ARGUMENT, _("invalid JSON: \\u%04x cannot stand here"), parser->unit);
        return STEP_BAD;
    }
    parser->needLow = high;
    parser->state = STATE_STRING;
    return STEP_MORE;
}

static ParserStep
parserString(DmQmpParser *parser, char c, GError **error)
{
    switch (parser->state) {
    case STATE_STRING:
        if ((guchar)c < 0x20 || (parser->needLow && c != '\\'))
            break;
        if (c == '\\')
            parser->state = STATE_ESCAPE;
        else if (c == '"')
            parser->state = STATE_STRUCTURE;
        return STEP_MORE;
    case STATE_ESCAPE:
        if (c == 'u') {
            parser->state = STATE_UNICODE;
            parser->digits = 4;
            parser->unit = 0;
            return STEP_MORE;
        }
        if (parser->needLow || c == '\0' || !strchr("\"\\/bfnrt", c))
            break;
        parser->state = STATE_STRING;
        return STEP_MORE;
    case STATE_UNICODE:
        if (!g_ascii_isxdigit(c))
            break;
        parser->unit = parser->unit * 16 + (guint32)g_ascii_xdigit_value(c);
        return --parser->digits > 0 ? STEP_MORE : parserUnit(parser, error);
    case STATE_BETWEEN:
    case STATE_STRUCTURE:
    default:
        g_assert_not_reached();
    }
    g_set_error(error, DM_ERROR, DM_ERROR_ARGUMENT, _("invalid JSON string: unexpected byte 0x%02x"), (guint)(guchar)c);
    return STEP_BAD;
}

static ParserStep
parserStep(DmQmpParser *parser, char c, GError **error)
{
    if (parser->state == STATE_STRUCTURE)
        return parserStructure(parser, c, error);
    if (parser->state != STATE_BETWEEN)
        return parserString(parser, c, error);
    if (c == ' ' || c == '\t' || c == '\r' || c == '\n')
        return STEP_SKIP;
    if (c == '{') {
        parser->state = STATE_STRUCTURE;
        return parserOpen(parser, '}', error);
    }
    g_set_error(error, DM_ERROR, DM_ERROR_ARGUMENT, _("QMP input must be a JSON object, not byte 0x%02x"),
                (guint)(guchar)c);
    return STEP_BAD;
}

/* Reads the collected object. NULL: @error is set. */
static JsonNode *
parserRead(DmQmpParser *parser, GError **error)
{
    const char *text = (const char *)parser->object->data;
    gsize length = parser->object->len;
    g_autoptr(GError) local = NULL;
    g_autoptr(JsonNode) node = NULL;

    if (!g_utf8_validate_len(text, length, NULL)) {
        g_set_error(error, DM_ERROR, DM_ERROR_ARGUMENT, _("invalid JSON: not UTF-8"));
        return NULL;
    }
    if (!json_parser_load_from_data(parser->json, text, (gssize)length, &local)) {
        g_set_error(error, DM_ERROR, DM_ERROR_ARGUMENT, _("invalid JSON: %s"), local->message);
        return NULL;
    }
    node = json_parser_steal_root(parser->json);
    if (!node || !JSON_NODE_HOLDS_OBJECT(node)) {
        g_set_error(error, DM_ERROR, DM_ERROR_ARGUMENT, _("invalid JSON: no object"));
        return NULL;
    }
    return g_steal_pointer(&node);
}

/* Adds bytes to the object, within its bound. */
static gboolean
parserCollect(DmQmpParser *parser, const char *data, gsize length, GError **error)
{
    if (length > DM_QMP_INPUT_MAX - parser->object->len) {
        g_set_error(error, DM_ERROR, DM_ERROR_ARGUMENT, _("JSON object longer than %u bytes"), DM_QMP_INPUT_MAX);
        return FALSE;
    }
    g_byte_array_append(parser->object, (const guint8 *)data, (guint)length);
    return TRUE;
}

/*
 * Takes bytes up to the end of an object, of @data, or of what can be JSON.
 * Returns what the last of them was and how many were @used.
 */
static ParserStep
parserScan(DmQmpParser *parser, const char *data, gsize length, gsize *used, GError **error)
{
    ParserStep step = STEP_SKIP;
    gsize start = 0;
    gsize i = 0;

    while (i < length && step != STEP_COMPLETE) {
        step = parserStep(parser, data[i++], error);
        if (step == STEP_BAD)
            return STEP_BAD;
        if (step == STEP_SKIP)
            start = i;
    }
    *used = i;
    if (i > start && !parserCollect(parser, data + start, i - start, error))
        return STEP_BAD;
    return step;
}

gboolean
dmQmpParserFeed(DmQmpParser *parser, const char *data, gsize length, DmQmpParserFunc func, gpointer opaque,
                GError **error)
{
    if (parser->broken) {
        g_set_error(error, DM_ERROR, DM_ERROR_ARGUMENT, _("input after invalid JSON"));
        return FALSE;
    }
    while (length > 0) {
        g_autoptr(JsonNode) node = NULL;
        gsize used = 0;
        ParserStep step = parserScan(parser, data, length, &used, error);

        if (step == STEP_COMPLETE)
            node = parserRead(parser, error);
        if (step == STEP_BAD || (step == STEP_COMPLETE && !node)) {
            parser->broken = TRUE;
            return FALSE;
        }
        data += used;
        length -= used;
        if (!node)
            continue;
        g_byte_array_set_size(parser->object, 0);
        if (!func(json_node_get_object(node), opaque))
            return TRUE;
    }
    return TRUE;
}
