# Shared by the files of ./dev: messages, checks of words, and where things are.

RUN=${BILLINGOS_RUN:-.run}
VENV=.venv
TOOLS=.tools
NPM=tests/clients/typescript

# One cache for all checkouts: paths in it are relative.
export CCACHE_BASEDIR="$PWD" CCACHE_NOHASHDIR=true

say() { printf '%s\n' "$*"; }
note() { printf 'dev: %s\n' "$*" >&2; }

# die EXIT-CODE TEXT
die() {
    local code=$1
    shift
    printf 'dev: %s\n' "$*" >&2
    exit "$code"
}

# The word of a list that is at most two edits away, or nothing.
nearest() {
    printf '%s\n' "${@:2}" | awk -v typed="$1" '
        function least(a, b, c) { a = a < b ? a : b; return a < c ? a : c }
        function distance(a, b,    i, j, row, corner, cell) {
            for (j = 0; j <= length(b); j++) row[j] = j
            for (i = 1; i <= length(a); i++) {
                corner = row[0]; row[0] = i
                for (j = 1; j <= length(b); j++) {
                    cell = least(corner + (substr(a, i, 1) != substr(b, j, 1)), row[j] + 1, row[j - 1] + 1)
                    corner = row[j]; row[j] = cell
                }
            }
            return row[length(b)]
        }
        {
            far = distance(typed, $0)
            if (length(typed) > 2 && index($0, typed) == 1) far = 1
            if (far < best || best == "") { best = far; word = $0 }
        }
        END { if (best <= 2 && best < length(typed)) print word }'
}

# require_word KIND WORD "ALLOWED ..."; ends with 2 and a suggestion when it is none of them.
require_word() {
    local kind=$1 word=$2 allowed guess
    read -ra allowed <<<"$3"
    case " ${allowed[*]} " in *" $word "*) return ;; esac
    guess=$(nearest "$word" "${allowed[@]}")
    [ -z "$guess" ] || guess="; did you mean \"$guess\"?"
    die 2 "unknown $kind \"$word\"${guess:-; it is one of: ${allowed[*]}}"
}

hash_of() { cat "$@" | sha256sum | cut -c1-16; }

# Settings of this shell, perhaps those of a demo, would win over what a file says.
forget_settings() {
    local name
    for name in ${!BILLINGOS_@}; do
        case $name in BILLINGOS_RUN | BILLINGOS_FAILPOINTS) ;; *) unset "$name" ;; esac
    done
}

# Configures a preset when it never was; later changes are found by ninja itself.
configure() {
    [ -f "build/$1/build.ninja" ] || cmake --preset "$1"
}

# Every file that is part of the repository or about to be: never what git ignores.
repository_files() { git ls-files --cached --others --exclude-standard -- "$@" ':!tests/lint/counterexamples'; }

c_files() { repository_files '*.c' '*.h' '*.cc'; }
