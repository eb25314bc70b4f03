#include "rpc/rpc_request_id.h"

#include <string.h>

#include "base/id.h"

/* "req_", milliseconds, a number of the process, the count. */
#define TIME_AT 4
#define TIME_LEN 9
#define PROCESS_AT (TIME_AT + TIME_LEN)
#define PROCESS_LEN 3
#define COUNT_AT (PROCESS_AT + PROCESS_LEN)

/* Crockford's: without I, L, O and U. */
static const char letters[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

static void write_number(char *to, int len, uint64_t number)
{
    for (int i = len - 1; i >= 0; i--) {
        to[i] = letters[number & 31];
        number >>= 5;
    }
}

void rpc_request_ids_init(struct rpc_request_ids *ids, int64_t now_us)
{
    uint64_t process = 0;

    random_bytes(&process, sizeof process);
    memcpy(ids->next, "req_", TIME_AT);
    write_number(ids->next + PROCESS_AT, PROCESS_LEN, process);
    write_number(ids->next + COUNT_AT, RPC_REQUEST_ID_LEN - COUNT_AT, 0);
    ids->next[RPC_REQUEST_ID_LEN] = '\0';
    rpc_request_ids_refresh(ids, now_us);
}

void rpc_request_ids_refresh(struct rpc_request_ids *ids, int64_t now_us)
{
    write_number(ids->next + TIME_AT, TIME_LEN, (uint64_t)now_us / 1000);
}

static char following(char letter)
{
    switch (letter) {
    case '9':
        return 'A';
    case 'H':
    case 'K':
    case 'N':
    case 'T':
        return (char)(letter + 2);
    default:
        return (char)(letter + 1);
    }
}

void rpc_request_ids_next(struct rpc_request_ids *ids, char ret_text[RPC_REQUEST_ID_LEN + 1])
{
    int at = RPC_REQUEST_ID_LEN - 1;

    memcpy(ret_text, ids->next, sizeof ids->next);
    while (at >= COUNT_AT && ids->next[at] == 'Z') {
        ids->next[at--] = '0';
    }
    if (at >= COUNT_AT) {
        ids->next[at] = following(ids->next[at]);
    }
}
