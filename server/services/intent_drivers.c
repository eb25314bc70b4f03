#include "base/cleanup.h"
#include "services/catalog_publish.h"
#include "services/coupons.h"
#include "services/intent_resolver.h"
#include "services/invoice_acts.h"
#include "services/payment_accounts.h"
#include "services/payment_methods.h"
#include "services/refunds.h"
#include "services/subscription_change.h"
#include "services/subscription_mirror.h"
#include "services/subscription_pause.h"
#include "services/subscription_renew.h"
#include "services/subscription_schedule.h"
#include "services/subscription_trial.h"
#include "services/subscriptions.h"
#include "services/tax_ids.h"

/* Every method that reaches the payment side under an intent. */
const struct intent_driver INTENT_DRIVERS[] = {
    {CATALOG_PUBLISH_METHOD, catalog_publish_drive},
    {COUPON_CREATE_METHOD, coupons_drive},
    {COUPON_UPDATE_METHOD, coupons_drive},
    {COUPON_ARCHIVE_METHOD, coupons_drive},
    {PAYMENT_ACCOUNT_CONNECT_METHOD, payment_accounts_connect_drive},
    {PAYMENT_METHOD_ATTACH_METHOD, payment_methods_drive},
    {PAYMENT_METHOD_SET_DEFAULT_METHOD, payment_methods_drive},
    {PAYMENT_METHOD_DETACH_METHOD, payment_methods_drive},
    {SUBSCRIPTION_CREATE_METHOD, subscriptions_create_drive},
    {SUBSCRIPTION_CANCEL_METHOD, subscriptions_cancel_drive},
    {SUBSCRIPTION_UNDO_CANCEL_METHOD, subscriptions_cancel_drive},
    {SUBSCRIPTION_CHANGE_METHOD, subscriptions_change_drive},
    {SCHEDULED_CHANGE_CANCEL_METHOD, scheduled_changes_cancel_drive},
    {SUBSCRIPTION_PAUSE_COLLECTION_METHOD, subscriptions_pause_collection_drive},
    {SUBSCRIPTION_RESUME_COLLECTION_METHOD, subscriptions_resume_collection_drive},
    {SUBSCRIPTION_PAUSE_METHOD, subscriptions_pause_drive},
    {SUBSCRIPTION_RESUME_METHOD, subscriptions_resume_drive},
    {SUBSCRIPTION_EXTEND_TRIAL_METHOD, subscriptions_trial_drive},
    {SUBSCRIPTION_END_TRIAL_METHOD, subscriptions_trial_drive},
    {SUBSCRIPTION_RENEW_METHOD, subscriptions_renew_drive},
    {INVOICE_FINALIZE_METHOD, invoices_act_drive},
    {INVOICE_PAY_METHOD, invoices_act_drive},
    {INVOICE_SEND_METHOD, invoices_act_drive},
    {INVOICE_VOID_METHOD, invoices_act_drive},
    {INVOICE_WRITE_OFF_METHOD, invoices_act_drive},
    {REFUND_CREATE_METHOD, refunds_create_drive},
    {TAX_ID_CREATE_METHOD, tax_ids_drive},
    {TAX_ID_DELETE_METHOD, tax_ids_drive},
};

const size_t INTENT_DRIVER_COUNT = ARRAY_LEN(INTENT_DRIVERS);
