#pragma once

/* What operators ask: /metrics, /healthz (the process lives), /readyz (it follows the database). */

#include <stddef.h>

#include "http/http_server.h"

struct services;

#define OPS_ROUTES 3

/* services must outlive the routes. */
void ops_routes(struct services *services, struct http_route ret_routes[OPS_ROUTES]);
