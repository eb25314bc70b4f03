#pragma once

/* The certificate and key of the listener, read again without a restart. */

#include <grpc/grpc_security.h>

#include "base/status.h"

struct ctx;
struct rpc_tls;

/* Reads the files. Fails with FIELD_INVALID ("tls_cert_file", "tls_key_file") when they cannot be
 * read, or do not belong together. Owned by the caller, free with rpc_tls_free(). */
struct status
rpc_tls_new(struct ctx *cx, const char *cert_file, const char *key_file, struct rpc_tls **ret_tls)
    MUST_CHECK;

/* After the server that uses the credentials is destroyed. Takes NULL. */
void rpc_tls_free(struct rpc_tls *tls);

/* Borrowed. */
grpc_server_credentials *rpc_tls_credentials(struct rpc_tls *tls);

/* Handshakes from now on use what is in the files. Fails like rpc_tls_new(), and then keeps the old
 * ones. Thread-safe. */
struct status rpc_tls_reload(struct ctx *cx, struct rpc_tls *tls) MUST_CHECK;
