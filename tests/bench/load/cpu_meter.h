#pragma once

/* CPU time of other processes, and of this one, between two moments.
 *
 * Reads utime + stime of /proc/PID/stat: all threads of the process, those that have ended
 * included, in ticks of 10 ms. So a run of a second or more is wanted. */

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

enum {
    CPU_METER_PIDS_MAX = 32,
    CPU_METER_NAME_MAX = 16,
};

struct cpu_meter {
    pid_t pids[CPU_METER_PIDS_MAX];
    char names[CPU_METER_PIDS_MAX][CPU_METER_NAME_MAX + 1];
    int64_t
        used_us[CPU_METER_PIDS_MAX]; /* After cpu_meter_stop(); -1 when the process has ended. */
    int64_t own_us;
    unsigned len;
};

/* False when there is no such process or no place left. */
bool cpu_meter_add(struct cpu_meter *meter, pid_t pid);

void cpu_meter_start(struct cpu_meter *meter);
void cpu_meter_stop(struct cpu_meter *meter);
