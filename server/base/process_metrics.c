#include "base/process_metrics.h"

#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"

static void
write_value(struct buf *buf, const char *type, const char *name, const char *help, int64_t value)
{
    buf_printf(
        buf, "# HELP %s %s\n# TYPE %s %s\n%s %" PRId64 "\n", name, help, name, type, name, value);
}

static void write_milliseconds(
    struct buf *buf, const char *type, const char *name, const char *help, int64_t ms)
{
    buf_printf(
        buf,
        "# HELP %s %s\n# TYPE %s %s\n%s %" PRId64 ".%03" PRId64 "\n",
        name,
        help,
        name,
        type,
        name,
        ms / 1000,
        ms % 1000);
}

/* The fields of /proc/self/stat that follow the name in parentheses, which may hold anything:
 * threads is the 20th of the file, the time of the start (in ticks since boot) the 22nd, then come
 * virtual bytes and resident pages. */
static void write_stat(struct buf *buf)
{
    char text[1024];
    const int file = open("/proc/self/stat", O_RDONLY | O_CLOEXEC);
    const ssize_t len = file < 0 ? -1 : read(file, text, sizeof text - 1);
    const char *after_name = NULL;
    int64_t threads = 0;
    int64_t start_ticks = 0;
    int64_t virtual_bytes = 0;
    int64_t resident_pages = 0;
    struct timespec boot;
    struct timespec now;

    if (file >= 0) {
        close(file);
    }
    if (len <= 0) {
        return;
    }
    text[len] = '\0';
    after_name = strrchr(text, ')');
    /* NOLINTBEGIN(cert-err34-c): the kernel writes these numbers. */
    if (after_name == NULL ||
        sscanf(
            after_name + 1,
            " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d %" SCNd64
            " %*d %" SCNd64 " %" SCNd64 " %" SCNd64,
            &threads,
            &start_ticks,
            &virtual_bytes,
            &resident_pages) != 4) {
        return;
    }
    /* NOLINTEND(cert-err34-c) */
    clock_gettime(CLOCK_BOOTTIME, &boot);
    clock_gettime(CLOCK_REALTIME, &now);
    write_value(buf, "gauge", "process_threads", "Threads.", threads);
    write_value(buf, "gauge", "process_virtual_memory_bytes", "Virtual memory.", virtual_bytes);
    write_value(
        buf,
        "gauge",
        "process_resident_memory_bytes",
        "Resident memory.",
        resident_pages * sysconf(_SC_PAGESIZE));
    write_value(
        buf,
        "gauge",
        "process_start_time_seconds",
        "Start of the process, in seconds since 1970.",
        now.tv_sec - boot.tv_sec + start_ticks / sysconf(_SC_CLK_TCK));
}

int64_t process_open_fds(void)
{
    DIR *folder = opendir("/proc/self/fd");
    int64_t count = -3; /* ".", ".." and the folder itself */

    if (folder == NULL) {
        return -1;
    }
    /* NOLINTNEXTLINE(concurrency-mt-unsafe): the stream is ours alone. */
    while (readdir(folder) != NULL) {
        count++;
    }
    closedir(folder);
    return count;
}

int64_t process_max_fds(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur > INT64_MAX) {
        return INT64_MAX;
    }
    return (int64_t)limit.rlim_cur;
}

static void write_descriptors(struct buf *buf)
{
    const int64_t open = process_open_fds();
    const int64_t max = process_max_fds();

    if (open >= 0) {
        write_value(buf, "gauge", "process_open_fds", "Open file descriptors.", open);
    }
    if (max != INT64_MAX) {
        write_value(buf, "gauge", "process_max_fds", "Limit of them.", max);
    }
}

void process_metrics_write(struct buf *buf)
{
    struct timespec cpu;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &cpu);
    write_milliseconds(
        buf,
        "counter",
        "process_cpu_seconds_total",
        "User and system time.",
        (int64_t)cpu.tv_sec * 1000 + cpu.tv_nsec / 1000000);
    write_stat(buf);
    write_descriptors(buf);
    buf_text(
        buf,
        "# HELP billingos_build_info Which program this is.\n"
        "# TYPE billingos_build_info gauge\n"
        "billingos_build_info{version=\"" BOS_VERSION "\"} 1\n");
}
