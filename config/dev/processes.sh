# Processes that ./dev demo starts: NAME.pid has the id, NAME.started the start time in ticks since boot, so
# that an id that was given to another process since is never taken for ours.

start_time() {
    local stat
    { read -r stat <"/proc/$1/stat"; } 2>/dev/null || return 1
    # shellcheck disable=SC2086
    set -- ${stat##*) }
    [ "$1" != Z ] || return 1 # dead, and nobody has asked yet how it ended
    echo "${20}"
}

record() { # NAME PID
    start_time "$2" >"$RUN/$1.started" || return 1
    echo "$2" >"$RUN/$1.pid"
}

pid_of() { # NAME; fails when it does not run
    local pid started
    { read -r pid <"$RUN/$1.pid" && read -r started <"$RUN/$1.started"; } 2>/dev/null || return 1
    [ "$(start_time "$pid")" = "$started" ] || return 1
    echo "$pid"
}

forget() { rm -f "$RUN/$1.pid" "$RUN/$1.started"; }

# In a session of its own, so that Ctrl-C here does not reach it, and without the lock of ./dev demo.
start() { # NAME COMMAND...
    local name=$1
    shift
    setsid "$@" >>"$RUN/log/$name.log" 2>&1 </dev/null 9>&- &
    disown $!
    record "$name" $! || die 1 "$name ended at once; see $RUN/log/$name.log"
}

stop() { # NAME SECONDS: asks it to end, and makes it after that time
    local pid tries
    pid=$(pid_of "$1") || { forget "$1"; return 1; }
    kill -TERM "$pid" 2>/dev/null || true
    for ((tries = $2 * 20; tries > 0; tries--)); do
        pid_of "$1" >/dev/null || break
        sleep 0.05
    done
    if pid=$(pid_of "$1"); then
        note "$1 did not end within $2 s and was killed"
        kill -KILL "$pid" 2>/dev/null || true
    fi
    forget "$1"
}
