#pragma once

/* How a call can end: the codes of gRPC, and what never became a gRPC status. */

enum outcome {
    OUTCOME_OK = 0,
    OUTCOME_GRPC_LAST = 16,
    OUTCOME_HTTP_STATUS,     /* :status was not 200. */
    OUTCOME_NO_STATUS,       /* The stream ended without grpc-status. */
    OUTCOME_UNKNOWN_STATUS,  /* grpc-status is not a number from 0 to 16. */
    OUTCOME_BAD_BODY,        /* OK, but the body is not one whole message. */
    OUTCOME_RESET,           /* RST_STREAM before the status. */
    OUTCOME_CONNECTION_LOST, /* The connection went away under the call. */
    OUTCOME_UNANSWERED,      /* Still open when the run had to end. */
    OUTCOME_COUNT,
};

/* "OK", "UNAVAILABLE", ..., "UNANSWERED". */
const char *outcome_name(enum outcome outcome);

/* What the call's response said; the first thing that is wrong decides. */
struct answer {
    int http_status;          /* 0 = none was seen. */
    int grpc_status;          /* -1 = none was seen. */
    unsigned long messages;   /* Whole messages. */
    unsigned char body_whole; /* The body ends where a message ends. */
    unsigned char streaming;  /* Any number of messages is right. */
};

enum outcome outcome_of(const struct answer *answer);
