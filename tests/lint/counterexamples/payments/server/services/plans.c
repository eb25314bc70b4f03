static const char path[] = "/v1/subscriptions";
static const char header[] = "Stripe-Account: ";
