#pragma once

/* What the kernel knows about this process, and which program it is, as Prometheus text: part of
 * metrics_write(). Thread-safe. */

struct buf;

/* Appends process_* and billingos_build_info; what /proc does not tell is left out. */
void process_metrics_write(struct buf *buf);
