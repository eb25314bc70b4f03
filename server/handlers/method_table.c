#include "handlers/method_table.h"

#include <billingos/v1/catalog_service.pb-c.h>
#include <billingos/v1/customer_service.pb-c.h>
#include <billingos/v1/entitlement_service.pb-c.h>
#include <billingos/v1/insights_service.pb-c.h>
#include <billingos/v1/invoice_service.pb-c.h>
#include <billingos/v1/organization_service.pb-c.h>
#include <billingos/v1/subscription_service.pb-c.h>
#include <billingos/v1/usage_service.pb-c.h>

#include "domain/scope.h"
#include "handlers/catalog_handler.h"
#include "handlers/coupon_handler.h"
#include "handlers/customer_handler.h"
#include "handlers/entitlement_handler.h"
#include "handlers/insights_handler.h"
#include "handlers/invoice_handler.h"
#include "handlers/organization_handler.h"
#include "handlers/payment_account_handler.h"
#include "handlers/payment_method_handler.h"
#include "handlers/scheduled_change_handler.h"
#include "handlers/subscription_change_handler.h"
#include "handlers/subscription_handler.h"
#include "handlers/subscription_verb_handler.h"
#include "handlers/tax_id_handler.h"
#include "handlers/usage_handler.h"
#include "services/auth.h"

extern const uint8_t api_descriptor_set[];
extern const size_t api_descriptor_set_len;

/* clang-format off: a table is read by its columns. */
#define MESSAGES(snake)                                     \
    .input = &billingos__v1__##snake##_request__descriptor, \
    .output = &billingos__v1__##snake##_response__descriptor

/* Never waits, and is run again on a worker when it would have to. */
#define CHECK(service, method, snake, function, scope_bit)                                   \
    {                                                                                        \
        .path = "/billingos.v1." #service "/" #method, MESSAGES(snake), .unary = (function), \
        .lane = RPC_LANE_INLINE, .scope = (scope_bit), .repeat = RPC_REPEAT_READ             \
    }

/* Reads the database. */
#define READ(service, method, snake, function, scope_bit)                                    \
    {                                                                                        \
        .path = "/billingos.v1." #service "/" #method, MESSAGES(snake), .unary = (function), \
        .lane = RPC_LANE_DATABASE, .scope = (scope_bit), .repeat = RPC_REPEAT_READ           \
    }

/* Changes the database and nothing else. */
#define WRITE(service, method, snake, function, scope_bit)                                   \
    {                                                                                        \
        .path = "/billingos.v1." #service "/" #method, MESSAGES(snake), .unary = (function), \
        .lane = RPC_LANE_DATABASE, .scope = (scope_bit), .repeat = RPC_REPEAT_KEYED          \
    }

/* Calls the payment side. */
#define PAYMENT(service, method, snake, function, scope_bit)                                 \
    {                                                                                        \
        .path = "/billingos.v1." #service "/" #method, MESSAGES(snake), .unary = (function), \
        .lane = RPC_LANE_PAYMENT, .scope = (scope_bit), .repeat = RPC_REPEAT_KEYED,          \
        .deadline_ms_max = 80000                                                             \
    }

/* Asks the payment side, and changes nothing there. */
#define ASK_PAYMENT(service, method, snake, function, scope_bit)                             \
    {                                                                                        \
        .path = "/billingos.v1." #service "/" #method, MESSAGES(snake), .unary = (function), \
        .lane = RPC_LANE_PAYMENT, .scope = (scope_bit), .repeat = RPC_REPEAT_READ,           \
        .deadline_ms_max = 30000                                                             \
    }

#define WATCH(service, method, snake, function, scope_bit)                                  \
    {                                                                                       \
        .path = "/billingos.v1." #service "/" #method, MESSAGES(snake), .open = (function), \
        .lane = RPC_LANE_DATABASE, .scope = (scope_bit), .repeat = RPC_REPEAT_READ          \
    }

#define USAGE_REQUEST_BYTES_MAX (1024 * 1024)
#define USAGE_REQUEST_FIELDS_MAX 100000

static const struct rpc_method rows[] = {
    WRITE(
        OrganizationService,
        CreateOrganization,
        create_organization,
        organization_create,
        SCOPE_BOOTSTRAP),
    READ(
        OrganizationService,
        GetOrganization,
        get_organization,
        organization_get,
        SCOPE_ORGANIZATION_READ),
    READ(OrganizationService, GetCaller, get_caller, organization_get_caller, 0),
    WRITE(
        OrganizationService,
        UpdateOrganization,
        update_organization,
        organization_update,
        SCOPE_ORGANIZATION_WRITE),
    PAYMENT(
        OrganizationService,
        ConnectPaymentAccount,
        connect_payment_account,
        payment_account_connect,
        SCOPE_ORGANIZATION_WRITE),
    READ(
        OrganizationService,
        GetPaymentAccount,
        get_payment_account,
        payment_account_get,
        SCOPE_ORGANIZATION_READ),
    PAYMENT(
        OrganizationService,
        RefreshPaymentAccount,
        refresh_payment_account,
        payment_account_refresh,
        SCOPE_ORGANIZATION_WRITE),
    PAYMENT(
        OrganizationService,
        CreateOnboardingLink,
        create_onboarding_link,
        payment_account_onboarding_link,
        SCOPE_ORGANIZATION_WRITE),
    PAYMENT(
        OrganizationService,
        CreateDashboardLink,
        create_dashboard_link,
        payment_account_dashboard_link,
        SCOPE_ORGANIZATION_WRITE),
    WRITE(
        OrganizationService,
        DisconnectPaymentAccount,
        disconnect_payment_account,
        payment_account_disconnect,
        SCOPE_ORGANIZATION_WRITE),
    WRITE(
        OrganizationService,
        CreateApiKey,
        create_api_key,
        api_key_create,
        SCOPE_ORGANIZATION_WRITE),
    READ(OrganizationService, ListApiKeys, list_api_keys, api_key_list, SCOPE_ORGANIZATION_READ),
    WRITE(
        OrganizationService,
        RotateApiKey,
        rotate_api_key,
        api_key_rotate,
        SCOPE_ORGANIZATION_WRITE),
    WRITE(
        OrganizationService,
        RevokeApiKey,
        revoke_api_key,
        api_key_revoke,
        SCOPE_ORGANIZATION_WRITE),
    READ(OrganizationService, ListMembers, list_members, member_list, SCOPE_ORGANIZATION_READ),
    WRITE(
        OrganizationService, UpdateMember, update_member, member_update, SCOPE_ORGANIZATION_WRITE),
    WRITE(
        OrganizationService, RemoveMember, remove_member, member_remove, SCOPE_ORGANIZATION_WRITE),
    WRITE(
        OrganizationService,
        CreateInvitation,
        create_invitation,
        invitation_create,
        SCOPE_ORGANIZATION_WRITE),
    WRITE(
        OrganizationService,
        AcceptInvitation,
        accept_invitation,
        invitation_accept,
        RPC_SCOPE_PUBLIC),
    READ(
        OrganizationService,
        ListInvitations,
        list_invitations,
        invitation_list,
        SCOPE_ORGANIZATION_READ),
    WRITE(
        OrganizationService,
        RevokeInvitation,
        revoke_invitation,
        invitation_revoke,
        SCOPE_ORGANIZATION_WRITE),
    READ(
        OrganizationService, ListAuditLog, list_audit_log, audit_log_list, SCOPE_ORGANIZATION_READ),
    READ(OrganizationService, GetOperation, get_operation, operation_get, 0),

    WRITE(CatalogService, CreateFeature, create_feature, feature_create, SCOPE_CATALOG_WRITE),
    READ(CatalogService, GetFeature, get_feature, feature_get, SCOPE_CATALOG_READ),
    READ(CatalogService, ListFeatures, list_features, feature_list, SCOPE_CATALOG_READ),
    WRITE(CatalogService, UpdateFeature, update_feature, feature_update, SCOPE_CATALOG_WRITE),
    WRITE(CatalogService, ArchiveFeature, archive_feature, feature_archive, SCOPE_CATALOG_WRITE),
    WRITE(CatalogService, CreateMeter, create_meter, meter_create, SCOPE_CATALOG_WRITE),
    READ(CatalogService, GetMeter, get_meter, meter_get, SCOPE_CATALOG_READ),
    READ(CatalogService, ListMeters, list_meters, meter_list, SCOPE_CATALOG_READ),
    WRITE(CatalogService, UpdateMeter, update_meter, meter_update, SCOPE_CATALOG_WRITE),
    WRITE(CatalogService, ArchiveMeter, archive_meter, meter_archive, SCOPE_CATALOG_WRITE),
    WRITE(CatalogService, CreatePrice, create_price, price_create, SCOPE_CATALOG_WRITE),
    READ(CatalogService, GetPrice, get_price, price_get, SCOPE_CATALOG_READ),
    READ(CatalogService, ListPrices, list_prices, price_list, SCOPE_CATALOG_READ),
    WRITE(CatalogService, UpdatePrice, update_price, price_update, SCOPE_CATALOG_WRITE),
    WRITE(CatalogService, ArchivePrice, archive_price, price_archive, SCOPE_CATALOG_WRITE),
    PAYMENT(CatalogService, CreateCoupon, create_coupon, coupon_create, SCOPE_CATALOG_WRITE),
    READ(CatalogService, GetCoupon, get_coupon, coupon_get, SCOPE_CATALOG_READ),
    READ(CatalogService, ListCoupons, list_coupons, coupon_list, SCOPE_CATALOG_READ),
    PAYMENT(CatalogService, UpdateCoupon, update_coupon, coupon_update, SCOPE_CATALOG_WRITE),
    PAYMENT(CatalogService, ArchiveCoupon, archive_coupon, coupon_archive, SCOPE_CATALOG_WRITE),
    WRITE(CatalogService, CreatePlan, create_plan, plan_create, SCOPE_CATALOG_WRITE),
    READ(CatalogService, GetPlan, get_plan, plan_get, SCOPE_CATALOG_READ),
    READ(CatalogService, ListPlans, list_plans, plan_list, SCOPE_CATALOG_READ),
    WRITE(CatalogService, UpdatePlan, update_plan, plan_update, SCOPE_CATALOG_WRITE),
    WRITE(CatalogService, ArchivePlan, archive_plan, plan_archive, SCOPE_CATALOG_WRITE),
    WRITE(
        CatalogService,
        CreatePlanVersion,
        create_plan_version,
        plan_version_create,
        SCOPE_CATALOG_WRITE),
    READ(
        CatalogService,
        ListPlanVersions,
        list_plan_versions,
        plan_version_list,
        SCOPE_CATALOG_READ),
    WRITE(
        CatalogService,
        UpdatePlanVersion,
        update_plan_version,
        plan_version_update,
        SCOPE_CATALOG_WRITE),
    WRITE(
        CatalogService,
        DeletePlanVersion,
        delete_plan_version,
        plan_version_delete,
        SCOPE_CATALOG_WRITE),
    PAYMENT(CatalogService, PublishPlan, publish_plan, plan_publish, SCOPE_CATALOG_WRITE),
    WRITE(CatalogService, SetPlanFeature, set_plan_feature, plan_feature_set, SCOPE_CATALOG_WRITE),
    WRITE(
        CatalogService,
        RemovePlanFeature,
        remove_plan_feature,
        plan_feature_remove,
        SCOPE_CATALOG_WRITE),

    WRITE(CustomerService, CreateCustomer, create_customer, customer_create, SCOPE_CUSTOMERS_WRITE),
    READ(CustomerService, GetCustomer, get_customer, customer_get, SCOPE_CUSTOMERS_READ),
    WRITE(CustomerService, UpdateCustomer, update_customer, customer_update, SCOPE_CUSTOMERS_WRITE),
    READ(CustomerService, ListCustomers, list_customers, customer_list, SCOPE_CUSTOMERS_READ),
    WRITE(
        CustomerService,
        ArchiveCustomer,
        archive_customer,
        customer_archive,
        SCOPE_CUSTOMERS_WRITE),
    WRITE(
        CustomerService,
        RestoreCustomer,
        restore_customer,
        customer_restore,
        SCOPE_CUSTOMERS_WRITE),
    READ(
        CustomerService,
        ListPaymentMethods,
        list_payment_methods,
        payment_method_list,
        SCOPE_CUSTOMERS_READ),
    PAYMENT(
        CustomerService,
        AttachPaymentMethod,
        attach_payment_method,
        payment_method_attach,
        SCOPE_CUSTOMERS_WRITE),
    PAYMENT(
        CustomerService,
        SetDefaultPaymentMethod,
        set_default_payment_method,
        payment_method_set_default,
        SCOPE_CUSTOMERS_WRITE),
    PAYMENT(
        CustomerService,
        DetachPaymentMethod,
        detach_payment_method,
        payment_method_detach,
        SCOPE_CUSTOMERS_WRITE),
    PAYMENT(CustomerService, CreateTaxId, create_tax_id, tax_id_create, SCOPE_CUSTOMERS_WRITE),
    READ(CustomerService, ListTaxIds, list_tax_ids, tax_id_list, SCOPE_CUSTOMERS_READ),
    PAYMENT(CustomerService, DeleteTaxId, delete_tax_id, tax_id_delete, SCOPE_CUSTOMERS_WRITE),

    PAYMENT(
        SubscriptionService,
        CreateSubscription,
        create_subscription,
        subscription_create,
        SCOPE_SUBSCRIPTIONS_WRITE),
    READ(
        SubscriptionService,
        GetSubscription,
        get_subscription,
        subscription_get,
        SCOPE_SUBSCRIPTIONS_READ),
    READ(
        SubscriptionService,
        ListSubscriptions,
        list_subscriptions,
        subscription_list,
        SCOPE_SUBSCRIPTIONS_READ),
    PAYMENT(
        SubscriptionService,
        CancelSubscription,
        cancel_subscription,
        subscription_cancel,
        SCOPE_SUBSCRIPTIONS_WRITE),
    PAYMENT(
        SubscriptionService,
        UndoCancelSubscription,
        undo_cancel_subscription,
        subscription_undo_cancel,
        SCOPE_SUBSCRIPTIONS_WRITE),
    PAYMENT(
        SubscriptionService,
        ChangeSubscription,
        change_subscription,
        subscription_change,
        SCOPE_SUBSCRIPTIONS_WRITE),
    ASK_PAYMENT(
        SubscriptionService,
        PreviewSubscriptionChange,
        preview_subscription_change,
        subscription_preview_change,
        SCOPE_SUBSCRIPTIONS_READ),
    READ(
        SubscriptionService,
        ListScheduledChanges,
        list_scheduled_changes,
        scheduled_change_list,
        SCOPE_SUBSCRIPTIONS_READ),
    PAYMENT(
        SubscriptionService,
        CancelScheduledChange,
        cancel_scheduled_change,
        scheduled_change_cancel,
        SCOPE_SUBSCRIPTIONS_WRITE),
    PAYMENT(
        SubscriptionService,
        PauseCollection,
        pause_collection,
        subscription_pause_collection,
        SCOPE_SUBSCRIPTIONS_WRITE),
    PAYMENT(
        SubscriptionService,
        ResumeCollection,
        resume_collection,
        subscription_resume_collection,
        SCOPE_SUBSCRIPTIONS_WRITE),
    PAYMENT(
        SubscriptionService,
        PauseSubscription,
        pause_subscription,
        subscription_pause_access,
        SCOPE_SUBSCRIPTIONS_WRITE),
    PAYMENT(
        SubscriptionService,
        ResumeSubscription,
        resume_subscription,
        subscription_resume_access,
        SCOPE_SUBSCRIPTIONS_WRITE),
    PAYMENT(
        SubscriptionService,
        ExtendTrial,
        extend_trial,
        subscription_extend_trial,
        SCOPE_SUBSCRIPTIONS_WRITE),
    PAYMENT(
        SubscriptionService,
        EndTrial,
        end_trial,
        subscription_end_trial,
        SCOPE_SUBSCRIPTIONS_WRITE),
    PAYMENT(
        SubscriptionService,
        RenewSubscription,
        renew_subscription,
        subscription_renew,
        SCOPE_SUBSCRIPTIONS_WRITE),

    READ(InvoiceService, GetInvoice, get_invoice, invoice_get, SCOPE_INVOICES_READ),
    READ(InvoiceService, ListInvoices, list_invoices, invoice_list, SCOPE_INVOICES_READ),
    PAYMENT(
        InvoiceService, FinalizeInvoice, finalize_invoice, invoice_finalize, SCOPE_INVOICES_WRITE),
    PAYMENT(InvoiceService, PayInvoice, pay_invoice, invoice_pay, SCOPE_INVOICES_WRITE),
    PAYMENT(InvoiceService, SendInvoice, send_invoice, invoice_send, SCOPE_INVOICES_WRITE),
    PAYMENT(InvoiceService, VoidInvoice, void_invoice, invoice_void, SCOPE_INVOICES_WRITE),
    PAYMENT(
        InvoiceService,
        MarkInvoiceUncollectible,
        mark_invoice_uncollectible,
        invoice_mark_uncollectible,
        SCOPE_INVOICES_WRITE),
    READ(
        InvoiceService,
        ListPaymentAttempts,
        list_payment_attempts,
        payment_attempt_list,
        SCOPE_INVOICES_READ),
    PAYMENT(InvoiceService, CreateRefund, create_refund, refund_create, SCOPE_INVOICES_WRITE),
    READ(InvoiceService, GetRefund, get_refund, refund_get, SCOPE_INVOICES_READ),
    READ(InvoiceService, ListRefunds, list_refunds, refund_list, SCOPE_INVOICES_READ),

    CHECK(
        EntitlementService,
        CheckEntitlement,
        check_entitlement,
        entitlement_check,
        SCOPE_ENTITLEMENTS_READ),
    CHECK(
        EntitlementService,
        ListEntitlements,
        list_entitlements,
        entitlement_list,
        SCOPE_ENTITLEMENTS_READ),

    {.path = "/billingos.v1.UsageService/ReportUsage",
     MESSAGES(report_usage),
     .unary = usage_report_events,
     .lane = RPC_LANE_DATABASE,
     .scope = SCOPE_USAGE_WRITE,
     .repeat = RPC_REPEAT_KEYED,
     .request_bytes_max = USAGE_REQUEST_BYTES_MAX,
     .request_fields_max = USAGE_REQUEST_FIELDS_MAX},
    READ(UsageService, GetUsage, get_usage, usage_get_windows, SCOPE_USAGE_READ),

    WATCH(InsightsService, WatchInsights, watch_insights, insights_watch, SCOPE_INSIGHTS_READ),
    READ(
        InsightsService,
        GetMirrorHealth,
        get_mirror_health,
        mirror_health_get,
        SCOPE_INSIGHTS_READ),
    WRITE(
        InsightsService,
        StartReconciliation,
        start_reconciliation,
        reconciliation_start,
        SCOPE_INSIGHTS_WRITE),
    READ(
        InsightsService,
        GetReconciliation,
        get_reconciliation,
        reconciliation_get,
        SCOPE_INSIGHTS_READ),
    READ(
        InsightsService,
        ListReconciliations,
        list_reconciliations,
        reconciliation_list,
        SCOPE_INSIGHTS_READ),
    READ(InsightsService, ListDrifts, list_drifts, drift_list, SCOPE_INSIGHTS_READ),
};

/* clang-format on */

static struct status authorize(
    struct ctx *cx, void *services, const struct rpc_method *method, const char *authorization)
{
    if (method->scope == RPC_SCOPE_PUBLIC) {
        return STATUS_OK; /* the request itself carries what is needed */
    }
    return auth_authorize(cx, services, method->scope, authorization);
}

struct rpc_method_table method_table(struct services *services)
{
    return (struct rpc_method_table){
        .methods = rows,
        .count = ARRAY_LEN(rows),
        .services = services,
        .authorize = authorize,
        .descriptor_set = api_descriptor_set,
        .descriptor_set_len = api_descriptor_set_len,
    };
}

const struct rpc_method *method_table_rows(size_t *ret_count)
{
    *ret_count = ARRAY_LEN(rows);
    return rows;
}
