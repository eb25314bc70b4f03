#pragma once

/* A PostgreSQL of the test's own, to be stopped, frozen and mended: in a temporary folder, on a
 * Unix socket there. PostgreSQL refuses to run as root, so root runs it as user postgres. */

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

struct cluster {
    char folder[64];
    char data[80];
    char url[160];
    const char *programs; /* the folder of initdb and pg_ctl */
};

static inline void cluster_become_postgres(void)
{
    const struct passwd *user = geteuid() == 0 ? getpwnam("postgres") : NULL;

    if (user != NULL && (initgroups(user->pw_name, user->pw_gid) != 0 ||
                         setgid(user->pw_gid) != 0 || setuid(user->pw_uid) != 0)) {
        _exit(1);
    }
}

/* Runs a shell line as the owner of the cluster; true when it succeeded. */
static inline bool cluster_run(const char *line)
{
    const pid_t child = fork();
    int result = 1;

    if (child == 0) {
        cluster_become_postgres();
        execl("/bin/sh", "sh", "-c", line, (char *)NULL);
        _exit(127);
    }
    return child > 0 && waitpid(child, &result, 0) == child && result == 0;
}

static inline bool cluster_ctl(const struct cluster *cluster, const char *what)
{
    char line[512];

    snprintf(
        line,
        sizeof line,
        "%s/pg_ctl -D %s -s -w -o '-c listen_addresses= -c unix_socket_directories=%s -c fsync=off'"
        " %s >> %s/log 2>&1",
        cluster->programs,
        cluster->data,
        cluster->folder,
        what,
        cluster->folder);
    return cluster_run(line);
}

/* False when there is no PostgreSQL on this machine. */
static inline bool cluster_create(struct cluster *cluster)
{
    const char *programs = getenv("BILLINGOS_POSTGRES_BIN");
    const struct passwd *user = getpwnam("postgres");
    char line[512];

    cluster->programs = programs == NULL ? "/usr/lib/postgresql/15/bin" : programs;
    snprintf(cluster->folder, sizeof cluster->folder, "/tmp/billingos-test-XXXXXX");
    snprintf(line, sizeof line, "%s/initdb", cluster->programs);
    if (access(line, X_OK) != 0 || mkdtemp(cluster->folder) == NULL) {
        return false;
    }
    if (geteuid() == 0 &&
        (user == NULL || chown(cluster->folder, user->pw_uid, user->pw_gid) != 0)) {
        return false;
    }
    snprintf(cluster->data, sizeof cluster->data, "%s/data", cluster->folder);
    snprintf(
        cluster->url,
        sizeof cluster->url,
        "postgresql://owner@/postgres?host=%s&connect_timeout=1",
        cluster->folder);
    snprintf(
        line,
        sizeof line,
        "%s/initdb -D %s -A trust -U owner --no-sync > %s/log 2>&1",
        cluster->programs,
        cluster->data,
        cluster->folder);
    return cluster_run(line) && cluster_ctl(cluster, "start");
}

/* Sends a signal to the server and to all its processes. */
static inline void cluster_signal(const struct cluster *cluster, const char *name)
{
    char line[320];

    snprintf(
        line,
        sizeof line,
        "pid=$(head -1 %s/postmaster.pid); kill -%s $pid $(ps -o pid= --ppid $pid)",
        cluster->data,
        name);
    cluster_run(line);
}

static inline void cluster_remove(const struct cluster *cluster)
{
    char line[160];

    cluster_signal(cluster, "CONT"); /* a failed test may leave it frozen */
    cluster_ctl(cluster, "-m immediate stop");
    snprintf(line, sizeof line, "rm -r %s", cluster->data);
    cluster_run(line);
    snprintf(line, sizeof line, "%s/log", cluster->folder);
    unlink(line);
    rmdir(cluster->folder);
}
