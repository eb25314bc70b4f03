#pragma once

/* What is done with an invoice at the payment side: finalize, pay, send, void, write off. */

#include <stdbool.h>

#include "base/status.h"
#include "domain/invoice.h"
#include "services/intents.h"

struct ctx;
struct keyed;
struct services;

#define INVOICE_FINALIZE_METHOD "billingos.v1.InvoiceService/FinalizeInvoice"
#define INVOICE_PAY_METHOD "billingos.v1.InvoiceService/PayInvoice"
#define INVOICE_SEND_METHOD "billingos.v1.InvoiceService/SendInvoice"
#define INVOICE_VOID_METHOD "billingos.v1.InvoiceService/VoidInvoice"
#define INVOICE_WRITE_OFF_METHOD "billingos.v1.InvoiceService/MarkInvoiceUncollectible"

struct invoice_order {
    struct id invoice_id;
    enum invoice_act act;
    const char *payment_method_id; /* "" = what the payment side would charge */
    bool paid_elsewhere;
    const char *note; /* for the audit log */
};

/* Fails with INVOICE_NOT_FOUND, INVOICE_STATE_INVALID, PAYMENT_METHOD_MISSING,
 * PAYMENT_METHOD_NOT_FOUND, PAYMENT_DECLINED, PAYMENT_ACTION_REQUIRED. */
struct status invoices_act(
    struct ctx *cx,
    struct services *services,
    const struct keyed *keyed,
    const struct invoice_order *order,
    struct invoice *ret_invoice) MUST_CHECK;

/* intent_drive of all of them. */
struct status invoices_act_drive(
    struct ctx *cx,
    struct services *services,
    struct intent *intent,
    struct intent_result *ret_result) MUST_CHECK;

/* Fails with INVOICE_STATE_INVALID, naming the invoice and its status. */
struct status invoices_state_invalid(struct ctx *cx, const struct invoice *invoice) MUST_CHECK;

/* The invoice is to be read again. */
struct tx;
struct status
invoices_mark_dirty(struct ctx *cx, struct tx *tx, const char *stripe_invoice_id) MUST_CHECK;
