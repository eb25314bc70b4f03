#include "base/cleanup.h"
#include "services/catalog_publish.h"
#include "services/intent_resolver.h"
#include "services/payment_accounts.h"
#include "services/subscription_change.h"
#include "services/subscription_mirror.h"
#include "services/subscription_schedule.h"
#include "services/subscriptions.h"

/* Every method that reaches the payment side under an intent. */
const struct intent_driver INTENT_DRIVERS[] = {
    {CATALOG_PUBLISH_METHOD, catalog_publish_drive},
    {PAYMENT_ACCOUNT_CONNECT_METHOD, payment_accounts_connect_drive},
    {SUBSCRIPTION_CREATE_METHOD, subscriptions_create_drive},
    {SUBSCRIPTION_CANCEL_METHOD, subscriptions_cancel_drive},
    {SUBSCRIPTION_UNDO_CANCEL_METHOD, subscriptions_cancel_drive},
    {SUBSCRIPTION_CHANGE_METHOD, subscriptions_change_drive},
    {SCHEDULED_CHANGE_CANCEL_METHOD, scheduled_changes_cancel_drive},
};

const size_t INTENT_DRIVER_COUNT = ARRAY_LEN(INTENT_DRIVERS);
