# ./dev test: all suites, one after the other; the last line counts.

. config/dev/setup.sh

SUITES="lint unit asan tsan integration simulation clients conformance fuzz"
LOGS=.run/test

dev_test() {
    local suite failed=0 passed=0 skipped=0 counts
    for suite in "$@"; do
        require_word "suite" "$suite" "$SUITES"
    done
    forget_settings
    setup_all || die 1 "not everything could be installed; see above"
    export PATH="$PWD/$TOOLS:$PATH"
    mkdir -p $LOGS
    exec 9>$LOGS/lock
    flock -n 9 || die 1 "another ./dev test is running here"
    rm -f $LOGS/*.xml $LOGS/*.count
    rm -rf $LOGS/wire
    # shellcheck disable=SC2086
    for suite in ${*:-$SUITES}; do
        test_run "$suite"
        read -ra counts <"$LOGS/$suite.count"
        passed=$((passed + counts[0])) failed=$((failed + counts[1])) skipped=$((skipped + counts[2]))
    done
    [ $skipped -eq 0 ] && skipped="" || skipped=", $skipped skipped"
    say "$passed passed, $failed failed$skipped"
    [ $failed -eq 0 ]
}

# Runs suite_NAME in a subshell, so that nothing it does reaches the next one. It writes "passed failed
# skipped" itself, or JUnit files that are counted here; a suite that breaks off counts as one failure.
test_run() {
    local suite=$1 started=$SECONDS code=0 counts seconds
    printf '%-12s ' "$suite"
    set +e # behind || the suite would not stop at its first error either
    (set -euo pipefail && "suite_$suite") >"$LOGS/$suite.log" 2>&1 9>&-
    code=$?
    set -e
    if [ ! -f "$LOGS/$suite.count" ]; then
        test_count "$suite" >"$LOGS/$suite.count" || echo "0 0 0" >"$LOGS/$suite.count"
    fi
    read -ra counts <"$LOGS/$suite.count"
    if [ $code -ne 0 ] && [ "${counts[1]}" -eq 0 ]; then
        counts[1]=1
        echo "${counts[*]}" >"$LOGS/$suite.count"
    fi
    seconds=$((SECONDS - started))
    say "${counts[0]} passed, ${counts[1]} failed, ${counts[2]} skipped in $seconds s"
    if [ "${counts[1]}" -ne 0 ]; then
        tail -n 60 "$LOGS/$suite.log" | sed 's/^/    /'
        say "    (all of it: $LOGS/$suite.log)"
    fi
}

test_count() {
    local files
    files=$(find $LOGS -name "$1*.xml")
    # shellcheck disable=SC2086
    [ -z "$files" ] && echo "0 0 0" || python3 config/dev/helper.py count $files
}

suite_lint() {
    # shellcheck source=config/dev/lint.sh
    . config/dev/lint.sh
    lint_all yes
    echo "$lint_passed $lint_failed 0" >$LOGS/lint.count
    [ "$lint_failed" -eq 0 ]
}

# A cluster for the unit tests of store and services, thrown away with the suite (which is a subshell).
test_database() {
    local password port
    # shellcheck source=config/dev/processes.sh
    . config/dev/processes.sh
    # shellcheck source=config/dev/database.sh
    . config/dev/database.sh
    RUN=.run/test-database
    database_stop || true
    database_remove
    mkdir -p "$RUN/log"
    password=$(od -An -v -N12 -tx1 /dev/urandom | tr -d ' \n')
    port=$(python3 config/dev/helper.py port 0)
    trap 'database_stop || true; database_remove' EXIT
    database_init "$password"
    database_start "$port" "$password"
    export BILLINGOS_TEST_DATABASE_URL="postgresql://billingos:$password@127.0.0.1:$port/billingos"
}

# JUnit files are written in full: a cmocka program's output names its tests.
test_ctest() { # SUITE PRESET
    test_database
    ctest --preset "$2" -j 2 --output-junit "$PWD/$LOGS/$1.xml" --test-output-size-passed 1000000 --test-output-size-failed 1000000
}

suite_unit() {
    configure dev
    ninja -C build/dev
    test_ctest unit dev
}

suite_asan() {
    configure asan
    ninja -C build/asan
    test_ctest asan asan
}

# Only the programs that run under TSan are built: the server itself is not one of them.
suite_tsan() {
    local programs
    configure tsan
    ninja -C build/tsan build.ninja
    programs=$(ctest --preset tsan -N | sed -n 's|.*: unit/\(.*\)|\1|p' | tr / _ | sed 's/$/_test/')
    # shellcheck disable=SC2086
    ninja -C build/tsan $programs
    test_ctest tsan tsan
}

# With the sanitizers wherever time does not matter; tests marked "timed" get the release build.
suite_integration() {
    local code=0
    configure asan
    ninja -C build/asan
    BOS_WIRE="$PWD/$LOGS/wire" test_pytest integration "not timed" build/asan tests/integration tests/bench || code=1
    if grep -rqs 'pytest\.mark\.timed' tests/integration tests/bench --include='*.py'; then
        configure release
        ninja -C build/release
        test_pytest integration-timed timed build/release tests/integration tests/bench || code=1
    fi
    return $code
}

# A folder without tests is no failure; the count tells.
test_pytest() { # SUITE MARKED BUILD FOLDER...
    local code=0 folder folders=()
    for folder in "${@:4}"; do
        [ ! -d "$folder" ] || folders+=("$folder")
    done
    BOS_BUILD="$PWD/$3" "$VENV/bin/python" -m pytest -q -m "$2" --junitxml="$LOGS/$1.xml" -p no:cacheprovider "${folders[@]}" || code=$?
    [ $code -eq 0 ] || [ $code -eq 5 ]
}

# tests/clients/test_*.py start a server and run each client's own tests against it.
suite_clients() {
    configure dev
    ninja -C build/dev
    GO=$(find_go) test_pytest clients "" build/dev tests/clients
}

# The payment side's own types, clients and tools judge the simulator and what the server sends it.
suite_conformance() {
    configure dev
    ninja -C build/dev
    [ ! -d $LOGS/wire ] || export BOS_WIRE_RECORDED=$PWD/$LOGS/wire
    GO=$(find_go) test_pytest conformance "" build/dev tests/conformance
}

# Random walks with faults and kills; a seed that fails is walked again by tests/simulation/run.py --seed N.
suite_simulation() {
    configure release
    ninja -C build/release
    BOS_BUILD="$PWD/build/release" "$VENV/bin/python" tests/simulation/run.py --seeds 500 --count "$LOGS/simulation.count"
}

# libFuzzer targets with their seeds, then whole programs under ASan that are sent broken frames.
suite_fuzz() {
    local code=0
    if [ -f tests/fuzz/fuzz.cmake ]; then
        configure fuzz
        ninja -C build/fuzz
        test_ctest fuzz fuzz || code=1
    fi
    configure asan
    ninja -C build/asan
    test_pytest fuzz-frames "" build/asan tests/fuzz || code=1
    return $code
}
