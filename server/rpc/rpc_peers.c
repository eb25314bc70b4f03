#include "rpc/rpc_peers.h"

#include <arpa/inet.h>
#include <limits.h>
#include <netinet/in.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <grpc/support/alloc.h>

#include "base/ctx.h"
#include "base/deadline.h"
#include "base/heap.h"
#include "rpc/rpc_goaway.h"

#define SLOTS_SPARE \
    4096 /* descriptors that are not connections: files, the database, the core's own */
#define CONNECTIONS_MAX ((size_t)65536)
#define LOOK_EVERY_US 20000

/* An address in three words, which other threads read while this one writes: family and port, and
 * the 16 bytes of an IPv6 or mapped IPv4 address. */
struct slot {
    ino_t inode;               /* 0: not a connection of ours */
    bool told_to_go;           /* GOAWAY was sent, because its time was over */
    int64_t since_us;          /* when it was accepted */
    _Atomic uint64_t calls;    /* generation << 32 | open calls */
    _Atomic int64_t active_us; /* when the last call began */
    _Atomic uint64_t kind;
    _Atomic uint64_t high;
    _Atomic uint64_t low;
};

struct address {
    uint64_t kind; /* family << 16 | port */
    uint64_t high;
    uint64_t low;
    bool trusted; /* loopback, unix */
};

struct rpc_peers {
    size_t total_max;
    size_t per_peer_max;
    size_t count;    /* of slots with an inode; some of them may be closed already */
    size_t slot_max; /* in use: the highest descriptor so far, plus one */
    int64_t looked_us;
    size_t slot_count;
    struct slot slots[];
};

struct status
rpc_peers_new(struct ctx *cx, size_t total_max, size_t per_peer_max, struct rpc_peers **ret_peers)
{
    struct rlimit files = {.rlim_cur = 1024};
    struct rpc_peers *peers = NULL;
    size_t slot_count = 0;

    if (total_max == 0 || total_max > CONNECTIONS_MAX) {
        total_max = CONNECTIONS_MAX;
    }
    if (getrlimit(RLIMIT_NOFILE, &files) == 0 && total_max > files.rlim_cur / 5 * 4) {
        total_max = files.rlim_cur / 5 * 4; /* the rest is for the database and for files */
    }
    slot_count = total_max + SLOTS_SPARE;
    peers = heap_new(sizeof *peers + slot_count * sizeof peers->slots[0]);
    if (peers == NULL) {
        return status_fail(cx, REASON_INTERNAL, "no memory for %zu connections", total_max);
    }
    peers->total_max = total_max;
    peers->per_peer_max = per_peer_max;
    peers->slot_count = slot_count;
    *ret_peers = peers;
    return STATUS_OK;
}

void rpc_peers_free(struct rpc_peers *peers)
{
    heap_free(peers);
}

static struct address address_of(const struct sockaddr_storage *from)
{
    struct address address = {.kind = (uint64_t)from->ss_family << 16, .trusted = true};
    struct in6_addr bytes = IN6ADDR_ANY_INIT;
    in_port_t port = 0;

    if (from->ss_family == AF_INET) {
        const struct sockaddr_in *in = (const struct sockaddr_in *)from;

        bytes.s6_addr[10] = 0xff;
        bytes.s6_addr[11] = 0xff;
        memcpy(bytes.s6_addr + 12, &in->sin_addr, sizeof in->sin_addr);
        port = in->sin_port;
        address.trusted = bytes.s6_addr[12] == 127;
    } else if (from->ss_family == AF_INET6) {
        const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)from;

        bytes = in6->sin6_addr;
        port = in6->sin6_port;
        address.trusted = IN6_IS_ADDR_LOOPBACK(&bytes) ||
                          (IN6_IS_ADDR_V4MAPPED(&bytes) && bytes.s6_addr[12] == 127);
    }
    address.kind |= ntohs(port);
    memcpy(&address.high, bytes.s6_addr, sizeof address.high);
    memcpy(&address.low, bytes.s6_addr + 8, sizeof address.low);
    return address;
}

/* An IPv6 peer has a whole /64 at its disposal. */
static bool same_peer(const struct slot *slot, const struct address *address)
{
    const uint64_t kind = atomic_load_explicit(&slot->kind, memory_order_relaxed);
    const bool is_v4 = address->high == 0; /* also IPv4 on a socket for both */

    if (slot->inode == 0 ||
        atomic_load_explicit(&slot->high, memory_order_relaxed) != address->high) {
        return false;
    }
    return kind >> 16 == address->kind >> 16 &&
           (!is_v4 || atomic_load_explicit(&slot->low, memory_order_relaxed) == address->low);
}

static size_t count_of_peer(const struct rpc_peers *peers, const struct address *address)
{
    size_t count = 0;

    for (size_t i = 0; i < peers->slot_max; i++) {
        count += same_peer(&peers->slots[i], address);
    }
    return count;
}

static bool is_open(const struct slot *slot, int fd)
{
    struct stat now;

    return fstat(fd, &now) == 0 && now.st_ino == slot->inode && S_ISSOCK(now.st_mode);
}

static bool has_calls(const struct slot *slot)
{
    return (uint32_t)atomic_load(&slot->calls) != 0;
}

static bool is_over(const struct slot *slot, int64_t now_us, struct rpc_peers_life life)
{
    const int64_t active_us = atomic_load_explicit(&slot->active_us, memory_order_relaxed);
    const int64_t earlier_us = life.age_us_max / 100 * (int64_t)(slot->inode % 21);

    return (!has_calls(slot) && now_us - active_us > life.idle_us_max) ||
           now_us - slot->since_us > life.age_us_max - earlier_us;
}

static void end_if_over(struct slot *slot, int fd, int64_t now_us, struct rpc_peers_life life)
{
    if (!is_over(slot, now_us, life)) {
        slot->told_to_go = false;
    } else if (!slot->told_to_go) {
        slot->told_to_go = rpc_goaway_send(fd);
    } else if (!has_calls(slot)) {
        shutdown(fd, SHUT_RDWR);
    }
}

size_t rpc_peers_sweep(struct rpc_peers *peers, int64_t now_us, struct rpc_peers_life life)
{
    for (size_t i = 0; i < peers->slot_max; i++) {
        struct slot *slot = &peers->slots[i];

        if (slot->inode == 0) {
            continue;
        }
        if (!is_open(slot, (int)i)) {
            rpc_peers_remove(peers, (int)i);
        } else {
            end_if_over(slot, (int)i, now_us, life);
        }
    }
    peers->looked_us = now_us;
    return peers->count;
}

bool rpc_peers_go_away(struct rpc_peers *peers)
{
    bool all = true;

    for (size_t i = 0; i < peers->slot_max; i++) {
        struct slot *slot = &peers->slots[i];

        if (slot->inode != 0 && !slot->told_to_go && is_open(slot, (int)i)) {
            slot->told_to_go = rpc_goaway_send((int)i);
            all = all && slot->told_to_go;
        }
    }
    return all;
}

static enum rpc_peers_verdict judge(const struct rpc_peers *peers, const struct address *address)
{
    if (peers->count >= peers->total_max) {
        return RPC_PEERS_TOTAL_MAX;
    }
    if (peers->per_peer_max != 0 && !address->trusted &&
        count_of_peer(peers, address) >= peers->per_peer_max) {
        return RPC_PEERS_PEER_MAX;
    }
    return RPC_PEERS_OK;
}

enum rpc_peers_verdict
rpc_peers_add(struct rpc_peers *peers, int fd, const struct sockaddr_storage *from)
{
    const struct address address = address_of(from);
    enum rpc_peers_verdict verdict = RPC_PEERS_OK;
    struct slot *slot = NULL;
    struct stat now;

    if ((size_t)fd >= peers->slot_count || fstat(fd, &now) != 0) {
        return RPC_PEERS_TOTAL_MAX;
    }
    rpc_peers_remove(peers, fd); /* who had this descriptor before is gone */
    verdict = judge(peers, &address);
    if (verdict != RPC_PEERS_OK && monotonic_us() - peers->looked_us > LOOK_EVERY_US) {
        rpc_peers_sweep(peers, monotonic_us(), (struct rpc_peers_life){INT64_MAX, INT64_MAX});
        verdict = judge(peers, &address);
    }
    if (verdict != RPC_PEERS_OK) {
        return verdict;
    }
    slot = &peers->slots[fd];
    slot->inode = now.st_ino;
    slot->told_to_go = false;
    atomic_store(&slot->calls, ((atomic_load(&slot->calls) >> 32) + 1) << 32);
    slot->since_us = monotonic_us();
    atomic_store(&slot->active_us, slot->since_us);
    atomic_store_explicit(&slot->kind, address.kind, memory_order_relaxed);
    atomic_store_explicit(&slot->high, address.high, memory_order_relaxed);
    atomic_store_explicit(&slot->low, address.low, memory_order_relaxed);
    peers->count++;
    if (peers->slot_max <= (size_t)fd) {
        peers->slot_max = (size_t)fd + 1;
    }
    return RPC_PEERS_OK;
}

void rpc_peers_remove(struct rpc_peers *peers, int fd)
{
    if ((size_t)fd < peers->slot_count && peers->slots[fd].inode != 0) {
        peers->slots[fd].inode = 0;
        peers->count--;
    }
}

static void name_slot(const struct slot *slot, char ret_text[RPC_PEER_SIZE])
{
    const uint64_t kind = atomic_load_explicit(&slot->kind, memory_order_relaxed);
    const uint64_t words[] = {
        atomic_load_explicit(&slot->high, memory_order_relaxed),
        atomic_load_explicit(&slot->low, memory_order_relaxed),
    };
    const unsigned port = (unsigned)(kind & 0xffff);
    char text[INET6_ADDRSTRLEN] = "";
    struct in6_addr bytes;

    memcpy(bytes.s6_addr, words, sizeof words);
    if (kind >> 16 == AF_INET) {
        inet_ntop(AF_INET, bytes.s6_addr + 12, text, sizeof text);
        snprintf(ret_text, RPC_PEER_SIZE, "%s:%u", text, port);
    } else if (kind >> 16 == AF_INET6) {
        inet_ntop(AF_INET6, &bytes, text, sizeof text);
        snprintf(ret_text, RPC_PEER_SIZE, "[%s]:%u", text, port);
    } else {
        snprintf(ret_text, RPC_PEER_SIZE, "%s", kind >> 16 == AF_UNIX ? "unix" : "unknown");
    }
}

/* The core's name of a connection that it was given: "fd:9". */
static int fd_of(const char *name)
{
    int fd = 0;

    if (strncmp(name, "fd:", 3) != 0 || name[3] == '\0') {
        return -1;
    }
    for (const char *at = name + 3; *at != '\0'; at++) {
        if (*at < '0' || *at > '9' || fd > INT_MAX / 10 - 1) {
            return -1;
        }
        fd = fd * 10 + (*at - '0');
    }
    return fd;
}

struct rpc_peer rpc_peers_call_begins(struct rpc_peers *peers, grpc_call *call, int64_t now_us)
{
    struct rpc_peer peer = {.fd = -1};
    char *name = NULL;
    struct slot *slot = NULL;

    if (peers == NULL) {
        return peer;
    }
    name = grpc_call_get_peer(call);
    peer.fd = fd_of(name);
    gpr_free(name);
    if (peer.fd < 0 || (size_t)peer.fd >= peers->slot_count) {
        return (struct rpc_peer){.fd = -1};
    }
    slot = &peers->slots[peer.fd];
    atomic_store_explicit(&slot->active_us, now_us, memory_order_relaxed);
    peer.generation = (uint32_t)(atomic_fetch_add(&slot->calls, 1) >> 32);
    return peer;
}

/* The descriptor may belong to another connection by now: then there is nothing to count down. */
void rpc_peers_call_ends(struct rpc_peers *peers, struct rpc_peer peer)
{
    uint64_t calls = 0;

    if (peer.fd < 0) {
        return;
    }
    calls = atomic_load(&peers->slots[peer.fd].calls);
    while (calls >> 32 == peer.generation && (uint32_t)calls > 0 &&
           !atomic_compare_exchange_weak(&peers->slots[peer.fd].calls, &calls, calls - 1)) {
    }
}

void rpc_peers_name(
    const struct rpc_peers *peers,
    struct rpc_peer peer,
    grpc_call *call,
    char ret_text[RPC_PEER_SIZE])
{
    char *name = NULL;

    if (peer.fd >= 0) {
        name_slot(&peers->slots[peer.fd], ret_text);
        return;
    }
    name = grpc_call_get_peer(call);
    snprintf(ret_text, RPC_PEER_SIZE, "%s", name);
    gpr_free(name);
}
