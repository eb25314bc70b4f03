# ./dev lint: what compilers do not check. Each check is counted, for ./dev test.

. config/dev/setup.sh

dev_lint() {
    local tidy=no option
    for option in "$@"; do
        require_word "option of lint" "$option" "--tidy"
        tidy=yes
    done
    setup_apt
    setup_python
    setup_npm || die 1 "buf is missing"
    lint_all $tidy
    [ "$lint_failed" -eq 0 ] || die 1 "$lint_failed of $((lint_passed + lint_failed)) checks failed"
    say "$lint_passed checks passed"
}

lint_all() { # WITH-CLANG-TIDY; sets lint_passed and lint_failed
    lint_passed=0
    lint_failed=0
    lint_check "style and layers" python3 tests/lint/tidy.py
    lint_check "each rule refuses its counter-example" python3 -m unittest -q tests/lint/test_tidy.py tests/lint/test_live_table.py
    lint_check "C is formatted" lint_format
    lint_check "protos are formatted" "$NPM/node_modules/.bin/buf" format --diff --exit-code api
    lint_check "protos follow their rules" "$NPM/node_modules/.bin/buf" lint api
    lint_check "protos stay compatible" lint_breaking
    lint_check "the table of live methods is right" python3 tests/lint/live_table.py
    lint_check "headers compile alone" lint_headers
    lint_check "scripts can be read" lint_scripts
    [ "$1" = no ] || lint_check "clang-tidy" lint_clang_tidy
}

lint_check() { # NAME COMMAND...
    local name=$1 output
    shift
    if output=$("$@" 2>&1); then
        lint_passed=$((lint_passed + 1))
        printf '  ok      %s\n' "$name"
    else
        lint_failed=$((lint_failed + 1))
        printf '  FAILED  %s\n%s\n' "$name" "$output"
    fi
}

lint_format() {
    local found
    found=$(c_files | xargs -r clang-format --dry-run 2>&1 | sed -n 's/^\([^:]*\):[0-9]*:[0-9]*: warning: .*/\1/p' | sort -u)
    [ -z "$found" ] || { printf '%s\n' "not formatted; ./dev fmt does it:" "$found"; return 1; }
}

# Against the last release, and against what others have already: the main branch of the origin, else the
# last commit.
lint_breaking() {
    local base
    "$NPM/node_modules/.bin/buf" breaking api --against api/released.binpb || return 1
    for base in origin/main HEAD; do
        git rev-parse --quiet --verify "$base^{commit}" >/dev/null || continue
        git cat-file -e "$base:api/buf.yaml" 2>/dev/null || continue
        "$NPM/node_modules/.bin/buf" breaking api --against ".git#ref=$(git rev-parse "$base"),subdir=api"
        return
    done
}

lint_headers() { configure dev && ninja -C build/dev all_verify_interface_header_sets; }

lint_scripts() {
    local script
    for script in dev .ci/run config/dev/*.sh; do
        bash -n "$script" || return 1
    done
    ! command -v shellcheck >/dev/null || shellcheck -s bash -x dev config/dev/*.sh
}

# One process a file: clang-tidy 14 confuses va_lists when it sees several. A file whose own text, headers,
# flags and rules did not change since it was last found clean is not read again.
lint_clang_tidy() {
    configure dev
    ninja -C build/dev | tail -n 30 || return 1 # generated headers
    mkdir -p build/dev/clang-tidy
    repository_files 'server/*.c' 'tests/unit/*.c' | xargs -r -P "$(nproc)" -n 1 bash config/dev/clang-tidy-file.sh
}
