#include "sandbox/call.h"

#include <stdarg.h>
#include <string.h>

#include "base/arena.h"
#include "base/ctx.h"
#include "base/str.h"
#include "sandbox/render.h"
#include "sandbox/sim.h"

static const char *type_of(int status)
{
    if (status == 402) {
        return "card_error";
    }
    return status >= 500 ? "api_error" : "invalid_request_error";
}

bool call_fail(
    struct call *call, int status, const char *code, const char *param, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    call->failure = (struct failure){
        .status = status,
        .type = type_of(status),
        .code = code,
        .param = param,
        .message = arena_vprintf(call->cx->arena, format, args),
    };
    va_end(args);
    return false;
}

bool call_fail_missing(struct call *call, enum object_kind kind, const char *id, const char *param)
{
    return call_fail(
        call,
        strcmp(param, "id") == 0 ? 404 : 400,
        "resource_missing",
        param,
        "No such %s: '%s'",
        object_word(kind),
        id);
}

bool call_fail_not_implemented(struct call *call, const char *what)
{
    call->not_implemented = what;
    return call_fail(
        call,
        501,
        NULL,
        NULL,
        "The simulator does not implement %s. It never makes up an answer.",
        what);
}

const char *call_text(const struct call *call, const char *key)
{
    return form_get(&call->form, key);
}

bool call_bool(const struct call *call, const char *key, bool otherwise)
{
    const char *text = form_get(&call->form, key);

    return text == NULL ? otherwise : strcmp(text, "true") == 0;
}

int64_t call_i64(const struct call *call, const char *key, int64_t otherwise)
{
    const char *text = form_get(&call->form, key);
    long long value = 0;

    return text != NULL && str_to_i64(str_of(text), &value) ? value : otherwise;
}

void call_update_text(const struct call *call, const char *key, const char **text)
{
    const char *sent = form_get(&call->form, key);

    if (sent != NULL) {
        *text = sent[0] == '\0' ? NULL : sim_text(call->sim, sent);
    }
}

bool call_find(struct call *call, enum object_kind kind, const char *param, void *ret_object)
{
    const char *id = form_get(&call->form, param);
    struct object *object = NULL;

    if (id == NULL) {
        return true;
    }
    object = object_find(call->sim, call->account, kind, id);
    if (object == NULL || object->deleted) {
        return call_fail_missing(call, kind, id, param);
    }
    *(struct object **)ret_object = object;
    return true;
}

bool call_find_path(struct call *call, enum object_kind kind, void *ret_object)
{
    struct object *object = object_find(call->sim, call->account, kind, call->ids[0]);

    if (object == NULL) {
        return call_fail_missing(call, kind, call->ids[0], "id");
    }
    *(struct object **)ret_object = object;
    return true;
}

bool call_reply(struct call *call, const void *object)
{
    struct render render;

    buf_clear(&call->body);
    render_begin(&render, call->sim, &call->body, &call->expand);
    render_object(&render, NULL, object);
    call->answer_id = ((const struct object *)object)->id;
    call->status = 200;
    return true;
}

void call_render_failure(struct call *call)
{
    const struct failure *failure = &call->failure;
    struct render render;
    struct json_writer *w = &render.writer;

    buf_clear(&call->body);
    render_begin(&render, call->sim, &call->body, NULL);
    json_open_object(w, NULL);
    json_open_object(w, "error");
    render_text_if(&render, "advice_code", failure->advice_code);
    render_text_if(&render, "charge", failure->charge_id);
    if (failure->code != NULL) {
        json_put_text(w, "code", failure->code);
        json_put_text(
            w,
            "doc_url",
            arena_printf(call->cx->arena, "https://stripe.com/docs/error-codes/%s", failure->code));
    }
    render_text_if(&render, "decline_code", failure->decline_code);
    json_put_text(w, "message", failure->message);
    render_text_if(&render, "param", failure->param);
    if (failure->payment_intent != NULL) {
        render_object(&render, "payment_intent", failure->payment_intent);
    }
    if (failure->payment_method != NULL) {
        render_object(&render, "payment_method", failure->payment_method);
    }
    json_put_text(w, "type", failure->type);
    json_close_object(w);
    json_close_object(w);
    call->status = failure->status;
}
