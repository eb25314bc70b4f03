#include "handlers/tax_id_handler.h"

#include <string.h>

#include "base/arena.h"
#include "base/ctx.h"
#include "domain/field_check.h"
#include "domain/payment_method.h"
#include "handlers/customer_pb.h"
#include "handlers/keyed_call.h"
#include "handlers/pb.h"
#include "services/tax_ids.h"

static Billingos__V1__TaxId *tax_id_pb(struct ctx *cx, const struct tax_id *tax_id)
{
    Billingos__V1__TaxId *message = PB_NEW(cx, Billingos__V1__TaxId, billingos__v1__tax_id__init);

    message->tax_id_id = pb_text(tax_id->tax_id_id);
    message->kind = pb_text(tax_id->kind);
    message->value = pb_text(tax_id->value);
    message->verification = (Billingos__V1__TaxIdVerification)tax_id->verification;
    message->create_time = pb_time(cx, tax_id->created_us);
    return message;
}

static struct status check_kind(struct ctx *cx, const char *kind)
{
    TRY(pb_check_text(cx, "kind", kind, 1, TAX_ID_KIND_BYTES_MAX));
    return kind[strspn(kind, "abcdefghijklmnopqrstuvwxyz_")] == '\0'
               ? STATUS_OK
               : status_field(cx, "kind", "is not a kind like \"eu_vat\"");
}

struct status tax_id_create(
    struct ctx *cx, void *services, const ProtobufCMessage *req, ProtobufCMessage **ret_response)
{
    Billingos__V1__CreateTaxIdRequest request = *PB_REQUEST(Billingos__V1__CreateTaxIdRequest, req);
    Billingos__V1__CreateTaxIdResponse *response =
        PB_NEW(cx, Billingos__V1__CreateTaxIdResponse, billingos__v1__create_tax_id_response__init);
    struct status result = STATUS_OK;
    struct customer_key key;
    struct tax_id tax_id;
    struct keyed keyed;
    struct id customer_id;

    field_note(cx, &result, CUSTOMER_PB_READ_KEY(cx, &request, &customer_id, &key));
    field_note(cx, &result, check_kind(cx, request.kind));
    field_note(
        cx, &result, field_check_text(cx, "value", request.value, 1, TAX_ID_VALUE_LETTERS_MAX));
    TRY(result);
    TRY(keyed_call_key(cx, &request.base, &request.request_id, &keyed));
    TRY(tax_ids_create(cx, services, &keyed, &key, request.kind, request.value, &tax_id));
    response->tax_id = tax_id_pb(cx, &tax_id);
    *ret_response = PB_ANSWER(response);
    return STATUS_OK;
}

struct status tax_id_list(
    struct ctx *cx, void *services, const ProtobufCMessage *req, ProtobufCMessage **ret_response)
{
    const Billingos__V1__ListTaxIdsRequest *request =
        PB_REQUEST(Billingos__V1__ListTaxIdsRequest, req);
    Billingos__V1__ListTaxIdsResponse *response =
        PB_NEW(cx, Billingos__V1__ListTaxIdsResponse, billingos__v1__list_tax_ids_response__init);
    struct tax_id *tax_ids = NULL;
    struct customer_key key;
    struct id customer_id;
    size_t count = 0;

    TRY(CUSTOMER_PB_READ_KEY(cx, request, &customer_id, &key));
    TRY(tax_ids_list(cx, services, &key, &tax_ids, &count));
    response->n_tax_ids = count;
    response->tax_ids = arena_alloc(cx->arena, (count + 1) * sizeof(Billingos__V1__TaxId *));
    for (size_t i = 0; i < count; i++) {
        response->tax_ids[i] = tax_id_pb(cx, &tax_ids[i]);
    }
    *ret_response = PB_ANSWER(response);
    return STATUS_OK;
}

struct status tax_id_delete(
    struct ctx *cx, void *services, const ProtobufCMessage *req, ProtobufCMessage **ret_response)
{
    Billingos__V1__DeleteTaxIdRequest request = *PB_REQUEST(Billingos__V1__DeleteTaxIdRequest, req);
    Billingos__V1__DeleteTaxIdResponse *response =
        PB_NEW(cx, Billingos__V1__DeleteTaxIdResponse, billingos__v1__delete_tax_id_response__init);
    struct status result = STATUS_OK;
    struct customer_key key;
    struct keyed keyed;
    struct id customer_id;

    field_note(cx, &result, CUSTOMER_PB_READ_KEY(cx, &request, &customer_id, &key));
    field_note(cx, &result, pb_check_text(cx, "tax_id_id", request.tax_id_id, 1, 255));
    if (request.tax_id_id[0] != '\0' && !payment_method_id_valid(request.tax_id_id)) {
        field_note(cx, &result, status_field(cx, "tax_id_id", "is no id of a tax number"));
    }
    TRY(result);
    TRY(keyed_call_key(cx, &request.base, &request.request_id, &keyed));
    TRY(tax_ids_delete(cx, services, &keyed, &key, request.tax_id_id));
    *ret_response = PB_ANSWER(response);
    return STATUS_OK;
}
