#include "handlers/payment_method_pb.h"

#include "handlers/pb.h"

Billingos__V1__PaymentMethod *
payment_method_pb(struct ctx *cx, const struct payment_method *method, int64_t now_us)
{
    Billingos__V1__PaymentMethod *message =
        PB_NEW(cx, Billingos__V1__PaymentMethod, billingos__v1__payment_method__init);

    message->payment_method_id = pb_text(method->payment_method_id);
    message->customer_id = pb_id(cx, ID_CUSTOMER, &method->customer_id);
    message->kind = (Billingos__V1__PaymentMethodKind)method->kind;
    message->brand = pb_text(method->brand);
    message->last4 = pb_text(method->last4);
    message->expire_month = method->expire_month;
    message->expire_year = method->expire_year;
    message->is_default = method->is_default;
    message->expiring = payment_method_expiring(method, now_us);
    message->create_time = pb_time(cx, method->created_us);
    return message;
}
