#include "rpc/rpc_tls.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

#include <grpc/grpc.h>

#include "base/ctx.h"
#include "base/heap.h"

#define FILE_BYTES_MAX ((size_t)256 * 1024)

struct rpc_tls {
    char *cert_file;
    char *key_file;
    grpc_server_credentials *credentials;
    /* Read, and waiting for the next handshake to take it. */
    grpc_ssl_server_certificate_config *_Atomic fresh;
};

static struct status
read_file(struct ctx *cx, const char *field, const char *path, const char **ret_text)
{
    char *text = arena_try_alloc(cx->arena, FILE_BYTES_MAX);
    const int fd = open(path, O_RDONLY | O_CLOEXEC);
    size_t len = 0;
    ssize_t got = 1;

    while (fd >= 0 && text != NULL && got > 0 && len < FILE_BYTES_MAX - 1) {
        got = read(fd, text + len, FILE_BYTES_MAX - 1 - len);
        len += got > 0 ? (size_t)got : 0;
    }
    if (fd < 0 || text == NULL || got < 0) {
        const int reason = text == NULL ? ENOMEM : errno;

        if (fd >= 0) {
            close(fd);
        }
        return status_field(
            cx, field, "could not read file \"%s\": %s", path, strerrordesc_np(reason));
    }
    close(fd);
    if (len == 0 || len == FILE_BYTES_MAX - 1) {
        return status_field(cx, field, "file \"%s\" is empty or too large", path);
    }
    *ret_text = text;
    return STATUS_OK;
}

/* The core insists on roots for the certificates of clients, also when it asks for none: ours
 * serve. */
static grpc_ssl_server_certificate_config *config_of(const grpc_ssl_pem_key_cert_pair *pair)
{
    return grpc_ssl_server_certificate_config_create(pair->cert_chain, pair, 1);
}

/* The core reads certificates only when it opens a port; so a server that never starts tries them.
 */
static bool usable(const grpc_ssl_pem_key_cert_pair *pair)
{
    grpc_server_credentials *credentials = grpc_ssl_server_credentials_create_with_options(
        grpc_ssl_server_credentials_create_options_using_config(
            GRPC_SSL_DONT_REQUEST_CLIENT_CERTIFICATE, config_of(pair)));
    grpc_completion_queue *queue = grpc_completion_queue_create_for_pluck(NULL);
    grpc_server *server = grpc_server_create(NULL, NULL);
    bool opened = false;

    grpc_server_register_completion_queue(server, queue, NULL);
    opened = grpc_server_add_http2_port(server, "127.0.0.1:0", credentials) != 0;
    grpc_server_shutdown_and_notify(server, queue, NULL);
    grpc_completion_queue_pluck(queue, NULL, gpr_inf_future(GPR_CLOCK_MONOTONIC), NULL);
    grpc_server_destroy(server);
    grpc_completion_queue_shutdown(queue);
    grpc_completion_queue_destroy(queue);
    grpc_server_credentials_release(credentials);
    return opened;
}

static struct status
load(struct ctx *cx, const struct rpc_tls *tls, grpc_ssl_server_certificate_config **ret_config)
{
    grpc_ssl_pem_key_cert_pair pair = {"", ""};
    bool good = false;

    TRY(read_file(cx, "tls_cert_file", tls->cert_file, &pair.cert_chain));
    TRY(read_file(cx, "tls_key_file", tls->key_file, &pair.private_key));
    good = usable(&pair);
    if (good) {
        *ret_config = config_of(&pair);
    }
    explicit_bzero((char *)pair.private_key, strlen(pair.private_key));
    if (!good) {
        return status_field(
            cx,
            "tls_cert_file",
            "file \"%s\" is not a certificate in PEM form, or \"%s\" is not its key",
            tls->cert_file,
            tls->key_file);
    }
    return STATUS_OK;
}

/* Called by the core at each handshake, on a thread of its own. */
static grpc_ssl_certificate_config_reload_status
fetch(void *data, grpc_ssl_server_certificate_config **ret_config)
{
    struct rpc_tls *tls = data;
    grpc_ssl_server_certificate_config *fresh = atomic_exchange(&tls->fresh, NULL);

    if (fresh == NULL) {
        return GRPC_SSL_CERTIFICATE_CONFIG_RELOAD_UNCHANGED;
    }
    *ret_config = fresh;
    return GRPC_SSL_CERTIFICATE_CONFIG_RELOAD_NEW;
}

struct status
rpc_tls_new(struct ctx *cx, const char *cert_file, const char *key_file, struct rpc_tls **ret_tls)
{
    struct rpc_tls *tls = heap_new(sizeof *tls);
    struct status status;

    if (tls != NULL) {
        tls->cert_file = heap_text(cert_file);
        tls->key_file = heap_text(key_file);
    }
    if (tls == NULL || tls->cert_file == NULL || tls->key_file == NULL) {
        rpc_tls_free(tls);
        return status_fail(cx, REASON_INTERNAL, "no memory for the certificate");
    }
    status = rpc_tls_reload(cx, tls);
    if (status.code != CODE_OK) {
        rpc_tls_free(tls);
        return status;
    }
    tls->credentials = grpc_ssl_server_credentials_create_with_options(
        grpc_ssl_server_credentials_create_options_using_config_fetcher(
            GRPC_SSL_DONT_REQUEST_CLIENT_CERTIFICATE, fetch, tls));
    *ret_tls = tls;
    return STATUS_OK;
}

void rpc_tls_free(struct rpc_tls *tls)
{
    grpc_ssl_server_certificate_config *fresh = NULL;

    if (tls == NULL) {
        return;
    }
    if (tls->credentials != NULL) {
        grpc_server_credentials_release(tls->credentials);
    }
    fresh = atomic_exchange(&tls->fresh, NULL);
    if (fresh != NULL) {
        grpc_ssl_server_certificate_config_destroy(fresh);
    }
    heap_free(tls->cert_file);
    heap_free(tls->key_file);
    heap_free(tls);
}

grpc_server_credentials *rpc_tls_credentials(struct rpc_tls *tls)
{
    return tls->credentials;
}

struct status rpc_tls_reload(struct ctx *cx, struct rpc_tls *tls)
{
    grpc_ssl_server_certificate_config *config = NULL;
    grpc_ssl_server_certificate_config *unused = NULL;

    TRY(load(cx, tls, &config));
    unused = atomic_exchange(&tls->fresh, config);
    if (unused != NULL) { /* no handshake since the last time */
        grpc_ssl_server_certificate_config_destroy(unused);
    }
    return STATUS_OK;
}
