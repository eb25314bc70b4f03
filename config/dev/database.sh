# A private PostgreSQL cluster in $RUN/pg: scram-sha-256 for everybody, a socket of its own, loopback only.

PG_BIN=/usr/lib/postgresql/15/bin

# PostgreSQL does not run as root: then everything is done as its own user.
as_owner() {
    if [ "$(id -u)" -eq 0 ]; then
        (cd / && runuser -u postgres -- "$@")
    else
        (cd / && "$@")
    fi
}

# Where the cluster lies: under $RUN, unless its user cannot get there (a checkout in /root) or the name of
# the socket would be longer than the kernel allows.
database_home() {
    local home=$PWD/$RUN/pg
    case $RUN in /*) home=$RUN/pg ;; esac
    mkdir -p "$RUN"
    if [ ${#home} -gt 80 ] || ! as_owner test -x "$(dirname "$home")"; then
        home=/var/tmp/billingos-$(printf %s "$home" | sha256sum | cut -c1-12)
        # Everybody may write there: what is not the owner's own may be somebody's trap.
        [ ! -e "$home" ] || as_owner test -O "$home" -a ! -L "$home" || die 1 "$home belongs to somebody else"
        [ -d "$home" ] || note "the database's user cannot use $RUN; the cluster is in $home"
        ln -sfn "$home" "$RUN/pg"
    fi
    echo "$home"
}

database_init() { # PASSWORD
    local home
    home=$(database_home)
    [ ! -f "$home/data/PG_VERSION" ] || return 0
    say "making a database cluster in $RUN/pg"
    rm -rf "$home/data"
    mkdir -p "$home/socket"
    (umask 077 && printf '%s\n' "$1" >"$home/password")
    [ "$(id -u)" -ne 0 ] || chown -R postgres: "$home"
    chmod 700 "$home"
    as_owner $PG_BIN/initdb --pgdata="$home/data" --username=billingos --pwfile="$home/password" \
        --auth-host=scram-sha-256 --auth-local=scram-sha-256 --encoding=UTF8 --locale=C.UTF-8 \
        >"$RUN/log/initdb.log" 2>&1 || die 1 "initdb failed; see $RUN/log/initdb.log"
    rm -f "$home/password"
}

database_start() { # PORT PASSWORD
    local home pid
    home=$(database_home)
    ! pid_of postgres >/dev/null || return 0
    as_owner $PG_BIN/pg_ctl start --wait --timeout=60 --silent --pgdata="$home/data" --log="$home/log" \
        --options="-p $1 -c listen_addresses=127.0.0.1 -c unix_socket_directories='$home/socket'" 9>&- ||
        die 1 "PostgreSQL did not start; see $RUN/pg/log"
    read -r pid <"$home/data/postmaster.pid"
    record postgres "$pid"
    PGPASSWORD=$2 psql_demo "$1" postgres -c 'CREATE DATABASE billingos' >/dev/null 2>&1 || true
    PGPASSWORD=$2 psql_demo "$1" billingos -c 'SELECT 1' >/dev/null || die 1 "the database billingos cannot be reached"
}

psql_demo() { # PORT DATABASE ARGUMENTS...
    $PG_BIN/psql -qX -h 127.0.0.1 -p "$1" -U billingos -d "$2" "${@:3}"
}

database_stop() {
    local home
    if pid_of postgres >/dev/null; then
        home=$(database_home)
        as_owner $PG_BIN/pg_ctl stop --wait --timeout=30 --silent --mode=fast --pgdata="$home/data" || stop postgres 5
        forget postgres
    else
        forget postgres
        return 1
    fi
}

database_remove() {
    local home
    home=$(database_home)
    rm -rf "$home"
    rm -f "$RUN/pg"
}
