#pragma once

/* What the kernel knows about this process, and which program it is, as Prometheus text: part of
 * metrics_write(). Thread-safe. */

#include <stdint.h>

struct buf;

/* Appends process_* and billingos_build_info; what /proc does not tell is left out. */
void process_metrics_write(struct buf *buf);

/* Descriptors of this process: how many are open, -1 when that cannot be told; and how many may be,
 * INT64_MAX without a limit. */
int64_t process_open_fds(void);
int64_t process_max_fds(void);
