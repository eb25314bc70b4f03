#include "services/invoice_snapshot.h"

#include "services/snapshot.h"

#define TEXT(member) SNAPSHOT_MEMBER(struct invoice, member, SNAPSHOT_TEXT)
#define NUMBER(member) SNAPSHOT_MEMBER(struct invoice, member, SNAPSHOT_NUMBER)

static const struct snapshot_member members[] = {
    SNAPSHOT_MEMBER_ID(struct invoice, invoice_id, ID_INVOICE),
    SNAPSHOT_MEMBER_ID(struct invoice, customer_id, ID_CUSTOMER),
    SNAPSHOT_MEMBER_ID(struct invoice, subscription_id, ID_SUBSCRIPTION),
    SNAPSHOT_MEMBER(struct invoice, status, SNAPSHOT_WORD),
    SNAPSHOT_MEMBER(struct invoice, more_lines, SNAPSHOT_FLAG),
    TEXT(stripe_invoice_id),
    TEXT(number),
    TEXT(billing_reason),
    TEXT(currency),
    TEXT(hosted_url),
    TEXT(pdf_url),
    TEXT(decline_code),
    TEXT(payment_intent),
    TEXT(metadata),
    NUMBER(subtotal_minor),
    NUMBER(discount_minor),
    NUMBER(tax_minor),
    NUMBER(total_minor),
    NUMBER(due_minor),
    NUMBER(paid_minor),
    NUMBER(remaining_minor),
    NUMBER(refunded_minor),
    NUMBER(attempt_count),
    NUMBER(next_attempt_us),
    NUMBER(period_start_us),
    NUMBER(period_end_us),
    NUMBER(due_us),
    NUMBER(finalized_us),
    NUMBER(paid_us),
    NUMBER(voided_us),
    NUMBER(failed_us),
    NUMBER(fetch_number),
    NUMBER(created_us),
    NUMBER(updated_us),
};

struct str invoice_snapshot_write(struct ctx *cx, const struct invoice *invoice)
{
    return snapshot_write(cx, members, ARRAY_LEN(members), invoice);
}

struct status invoice_snapshot_read(struct ctx *cx, struct str text, struct invoice *ret_invoice)
{
    *ret_invoice = (struct invoice){.status = INVOICE_DRAFT};
    return snapshot_read(cx, text, members, ARRAY_LEN(members), ret_invoice);
}
