#pragma once

/* Where the payment side sends its events: POST /webhooks/stripe/connect and /platform, at most
 * 512 KiB. The answer is 200 only when the event is stored. */

#include "http/http_server.h"

struct services;

#define STRIPE_WEBHOOK_ROUTES 2

/* services must outlive the routes. */
void stripe_webhook_routes(
    struct services *services, struct http_route ret_routes[STRIPE_WEBHOOK_ROUTES]);
