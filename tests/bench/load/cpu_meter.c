#include "cpu_meter.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#define US_PER_S INT64_C(1000000)

/* The 14th and 15th field of /proc/PID/stat. The name, in brackets, may hold spaces and brackets
 * itself, so counting starts behind the last one. Returns -1 when the process is gone. */
static int64_t cpu_us(pid_t pid, char *ret_name)
{
    char path[64];
    char text[1024];
    unsigned long user_ticks = 0;
    unsigned long system_ticks = 0;
    ssize_t len = 0;
    int fd = -1;

    snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return -1;
    }
    len = read(fd, text, sizeof text - 1);
    close(fd);
    if (len <= 0) {
        return -1;
    }
    text[len] = '\0';
    const char *name = strchr(text, '(');
    const char *name_end = strrchr(text, ')');
    if (name == NULL || name_end == NULL ||
        sscanf(
            name_end + 1,
            " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu",
            &user_ticks,
            &system_ticks) != 2) {
        return -1;
    }
    if (ret_name != NULL) {
        snprintf(ret_name, CPU_METER_NAME_MAX + 1, "%.*s", (int)(name_end - name - 1), name + 1);
    }
    return (int64_t)(user_ticks + system_ticks) * US_PER_S / sysconf(_SC_CLK_TCK);
}

static int64_t timeval_us(struct timeval time)
{
    return time.tv_sec * US_PER_S + time.tv_usec;
}

static int64_t own_cpu_us(void)
{
    struct rusage usage;

    getrusage(RUSAGE_SELF, &usage);
    return timeval_us(usage.ru_utime) + timeval_us(usage.ru_stime);
}

bool cpu_meter_add(struct cpu_meter *meter, pid_t pid)
{
    if (meter->len == CPU_METER_PIDS_MAX || cpu_us(pid, meter->names[meter->len]) < 0) {
        return false;
    }
    meter->pids[meter->len++] = pid;
    return true;
}

/* Until the stop, used_us holds the reading at the start. */
void cpu_meter_start(struct cpu_meter *meter)
{
    meter->own_us = own_cpu_us();
    for (unsigned i = 0; i < meter->len; i++) {
        meter->used_us[i] = cpu_us(meter->pids[i], NULL);
    }
}

void cpu_meter_stop(struct cpu_meter *meter)
{
    meter->own_us = own_cpu_us() - meter->own_us;
    for (unsigned i = 0; i < meter->len; i++) {
        const int64_t now_us = cpu_us(meter->pids[i], NULL);

        meter->used_us[i] = now_us < 0 || meter->used_us[i] < 0 ? -1 : now_us - meter->used_us[i];
    }
}
