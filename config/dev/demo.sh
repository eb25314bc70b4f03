# ./dev demo: everything on this machine, with data that stay until --fresh.

. config/dev/setup.sh
. config/dev/processes.sh
. config/dev/database.sh

SERVER=build/release/server/billingos
SANDBOX=build/release/server/billingos-sandbox

dev_demo() {
    local detach=no fresh=no option
    for option in "$@"; do
        require_word "option of demo" "$option" "--detach --fresh"
        case $option in
        --detach) detach=yes ;;
        --fresh) fresh=yes ;;
        esac
    done
    forget_settings
    setup_apt
    setup_python
    setup_go || note "going on without grpcurl"
    demo_build
    mkdir -p "$RUN/log"
    exec 9>"$RUN/lock"
    flock -n 9 || die 1 "another ./dev demo is starting here"
    if [ $fresh = yes ]; then
        demo_stop >/dev/null || true
        database_remove
        rm -f "$RUN"/demo.env "$RUN"/secrets.env "$RUN"/billingos.yaml "$RUN"/sandbox.state "$RUN"/*.port
    fi
    [ $detach = yes ] || trap 'demo_stop; exit 130' INT TERM
    if demo_runs; then
        say "the demo runs already"
    else
        trap 'code=$?; [ $code -eq 0 ] || [ $code -eq 130 ] || demo_stop >/dev/null 2>&1 || true' EXIT
        demo_start
        trap - EXIT
    fi
    exec 9>&-
    demo_tell "$detach"
    [ $detach = yes ] || demo_watch
}

demo_build() {
    configure release
    ninja -C build/release billingos billingos-sandbox | grep -v '^ninja: \(Entering\|no work\)\|GLOB mismatch\|Re-checking' ||
        [ "${PIPESTATUS[0]}" -eq 0 ] || die 1 "the build failed"
}

demo_runs() { pid_of postgres >/dev/null && pid_of sandbox >/dev/null && pid_of billingos >/dev/null; }

random_hex() { od -An -v -N"$1" -tx1 /dev/urandom | tr -d ' \n'; }

# Secrets of this demo alone; they never leave this folder.
demo_secrets() {
    if [ ! -f "$RUN/secrets.env" ]; then
        (
            umask 077
            {
                echo "DATABASE_PASSWORD=$(random_hex 16)"
                echo "SANDBOX_KEY=sk_test_$(random_hex 12)"
                echo "WEBHOOK_SECRET=whsec_$(random_hex 16)"
            } >"$RUN/secrets.env"
        )
    fi
    # shellcheck disable=SC1091
    . "$RUN/secrets.env"
}

# The port of last time, else the usual one, else any; says when it is not the usual one.
demo_port() { # NAME USUAL
    local wanted=$2 port
    [ ! -f "$RUN/$1.port" ] || read -r wanted <"$RUN/$1.port"
    port=$(python3 config/dev/helper.py port "$wanted") || die 1 "no free port for $1"
    [ "$port" = "$wanted" ] || note "port $wanted is taken; $1 listens on $port"
    echo "$port" >"$RUN/$1.port"
    echo "$port"
}

demo_start() {
    local database_port grpc http ops sandbox_port
    demo_stop >/dev/null 2>&1 || true
    demo_secrets
    database_port=$(demo_port postgres 54329)
    sandbox_port=$(demo_port sandbox 12111)
    grpc=127.0.0.1:$(demo_port grpc 9090)
    http=127.0.0.1:$(demo_port http 8080)
    ops=127.0.0.1:$(demo_port ops 9091)
    database_url=postgresql://billingos:$DATABASE_PASSWORD@127.0.0.1:$database_port/billingos
    demo_settings "$grpc" "$http" "$ops" "http://127.0.0.1:$sandbox_port"

    database_init "$DATABASE_PASSWORD"
    database_start "$database_port" "$DATABASE_PASSWORD"
    rm -f "$RUN/sandbox.address"
    start sandbox "$SANDBOX" --listen "127.0.0.1:$sandbox_port" --port-file "$RUN/sandbox.address" \
        --webhook-url "http://$http/webhooks/stripe/connect" --webhook-secret "$WEBHOOK_SECRET" \
        --platform-webhook-url "http://$http/webhooks/stripe/platform" --webhook-secret "$WEBHOOK_SECRET" \
        --secret-key "$SANDBOX_KEY" --state-file "$RUN/sandbox.state"
    demo_wait_for_sandbox
    demo_log migrate "$SERVER" migrate up --config "$RUN/billingos.yaml" || die 1 "the database could not be migrated"
    start billingos "$SERVER" serve --config "$RUN/billingos.yaml"
    demo_wait "http://$ops/readyz"
    # The keys of the demo organization are in demo.env and nowhere else.
    BILLINGOS_DEMO_GRPC=$grpc BILLINGOS_DEMO_SANDBOX="http://127.0.0.1:$sandbox_port" demo_log demo-data \
        "$VENV/bin/python" config/dev/demo_data.py "$SERVER" "$RUN/billingos.yaml" "$RUN/demo.env" ||
        die 1 "the demo organization could not be made"
    demo_environment "$grpc" "$http" "$ops" "$sandbox_port"
}

# What differs from config/default.yaml.
demo_settings() { # GRPC HTTP OPS SANDBOX-URL
    (
        umask 077
        cat >"$RUN/billingos.yaml" <<YAML
# Written by ./dev demo at each start.
database:
  url: "$database_url"
grpc:
  listen: "$1"
http:
  listen: "$2"
  ops_listen: "$3"
payments:
  api_base: "$4"
  secret_key_test: "$SANDBOX_KEY"
  webhook_secrets_connect: "$WEBHOOK_SECRET"
  webhook_secrets_platform: "$WEBHOOK_SECRET"
YAML
    )
}

demo_log() { # NAME COMMAND...: what it says goes to its log, and to the terminal when it fails
    local name=$1
    shift
    "$@" >"$RUN/log/$name.log" 2>&1 9>&- || { tail -n 5 "$RUN/log/$name.log" >&2; return 1; }
}

demo_wait_for_sandbox() {
    local tries
    for ((tries = 0; tries < 200; tries++)); do
        [ ! -s "$RUN/sandbox.address" ] || return 0
        pid_of sandbox >/dev/null || break
        sleep 0.05
    done
    tail -n 5 "$RUN/log/sandbox.log" >&2
    die 1 "the payment simulator did not start; see $RUN/log/sandbox.log"
}

demo_wait() { # URL
    local code=0
    python3 config/dev/helper.py wait "$1" 30 "$(cat "$RUN/billingos.pid")" || code=$?
    case $code in
    0) ;;
    2) tail -n 5 "$RUN/log/billingos.log" >&2; die 1 "billingos ended; see $RUN/log/billingos.log" ;;
    *) die 1 "billingos is not ready after 30 s; see $RUN/log/billingos.log" ;;
    esac
}

# Adds the addresses to what demo_data.py wrote.
demo_environment() { # GRPC HTTP OPS SANDBOX-PORT
    local ours='GRPC\|HTTP\|OPS\|SANDBOX\|SANDBOX_KEY\|WEBHOOK_SECRET\|DATABASE_URL\|CONFIG' rest
    rest=$(grep -v "^BILLINGOS_\($ours\)=" "$RUN/demo.env" || true)
    (
        umask 077
        {
            echo "BILLINGOS_GRPC=$1"
            echo "BILLINGOS_HTTP=http://$2"
            echo "BILLINGOS_OPS=http://$3"
            echo "BILLINGOS_SANDBOX=http://127.0.0.1:$4"
            echo "BILLINGOS_SANDBOX_KEY=$SANDBOX_KEY"
            echo "BILLINGOS_WEBHOOK_SECRET=$WEBHOOK_SECRET"
            echo "BILLINGOS_DATABASE_URL='$database_url'"
            echo "BILLINGOS_CONFIG='$PWD/$RUN/billingos.yaml'"
            [ -z "$rest" ] || echo "$rest"
        } >"$RUN/demo.env.new"
    )
    mv "$RUN/demo.env.new" "$RUN/demo.env"
}

demo_tell() { # DETACHED
    # shellcheck disable=SC1091
    . "$RUN/demo.env"
    local call="$TOOLS/grpcurl -plaintext -H 'authorization: Bearer $BILLINGOS_SECRET_KEY'"
    cat <<TEXT

BillingOS is ready.

  gRPC        $BILLINGOS_GRPC
  HTTP        $BILLINGOS_HTTP        (webhooks; metrics and health on $BILLINGOS_OPS)
  payments    $BILLINGOS_SANDBOX        (billingos-sandbox, no money moves)
  PostgreSQL  127.0.0.1:$(cat "$RUN/postgres.port"), database billingos
  logs        $RUN/log/
  secret key  $BILLINGOS_SECRET_KEY

Try:

TEXT
    demo_commands "$call"
    say ""
    if [ "$1" = yes ]; then
        say "./dev stop ends it; addresses and keys are in $RUN/demo.env."
    else
        say "Ctrl-C ends it; addresses and keys are in $RUN/demo.env."
    fi
}

demo_commands() { # CALL
    local customer=${BILLINGOS_CUSTOMER:-demo-customer} feature=${BILLINGOS_FEATURE:-api_calls} meter=${BILLINGOS_METER:-api_calls}
    cat <<TEXT
  $TOOLS/grpcurl -plaintext $BILLINGOS_GRPC list

  $1 -d '{"query": {"external_customer_id": "$customer", "feature_key": "$feature"}}' \\
      $BILLINGOS_GRPC billingos.v1.EntitlementService/CheckEntitlement

  $1 -d '{"events": [{"event_id": "e-1", "source": "demo", "external_customer_id": "$customer", "meter_key": "$meter", "quantity": 1}]}' \\
      $BILLINGOS_GRPC billingos.v1.UsageService/ReportUsage

  $1 -d '{}' $BILLINGOS_GRPC billingos.v1.InsightsService/WatchInsights

  curl -s $BILLINGOS_OPS/metrics
TEXT
}

# In the foreground: until Ctrl-C, or until one of the three ends by itself.
demo_watch() {
    local name
    while true; do
        for name in postgres sandbox billingos; do
            if ! pid_of $name >/dev/null; then
                note "$name ended; see $RUN/log/"
                demo_stop || true
                exit 1
            fi
        done
        sleep 0.5
    done
}

demo_stop() {
    local stopped=""
    ! stop billingos 35 || stopped="billingos"
    ! stop sandbox 5 || stopped="$stopped sandbox"
    ! database_stop || stopped="$stopped postgres"
    [ -n "$stopped" ] || { say "nothing of the demo was running"; return 1; }
    say "stopped:" $stopped
}
