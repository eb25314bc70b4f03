# ./dev setup: installs what is missing, step by step; each step is silent when nothing is.

# Go that the tools and the clients need; older ones fetch it.
GO_MINOR_MIN=25
GO_TOOLCHAIN=go1.25.5

dev_setup() {
    [ $# -eq 0 ] || die 2 "setup takes no arguments; see ./dev help setup"
    setup_all || die 1 "not everything could be installed; see above"
    say "everything is installed"
}

# For demo and test; fails when a step did.
setup_all() {
    local failed=0
    setup_apt
    setup_python
    setup_go || failed=1
    setup_npm || failed=1
    return $failed
}

missing_packages() {
    local installed package condition
    installed=" $(dpkg-query -W -f='${db:Status-Status} ${Package}\n' | awk '$1 == "installed" { print $2 }' | tr '\n' ' ')"
    while read -r package condition; do
        case $package in '' | '#'*) continue ;; esac
        case $installed in *" $package "*) continue ;; esac
        [ -n "$condition" ] && command -v "${condition#\?}" >/dev/null && continue
        printf '%s ' "$package"
    done <config/dev/apt-packages.txt
}

setup_apt() {
    local missing apt=(env DEBIAN_FRONTEND=noninteractive apt-get)
    command -v dpkg-query >/dev/null || die 1 "this is not Debian or Ubuntu; install what config/dev/apt-packages.txt names"
    read -ra missing <<<"$(missing_packages)"
    [ ${#missing[@]} -gt 0 ] || return 0
    say "missing packages: ${missing[*]}"
    if [ "$(id -u)" -ne 0 ]; then
        local answer=""
        command -v sudo >/dev/null || die 1 "run this as root: apt-get install ${missing[*]}"
        [ -t 0 ] || die 1 "run this first: sudo apt-get install ${missing[*]}"
        read -r -p "install them with sudo? [Y/n] " answer
        case $answer in '' | y* | Y*) apt=(sudo "${apt[@]}") ;; *) die 1 "nothing was installed" ;; esac
    fi
    # The lists of packages may be absent or old: then, and only then, fetch them.
    "${apt[@]}" install -y -qq --no-install-recommends "${missing[@]}" >.apt.log 2>&1 ||
        { "${apt[@]}" update -qq && "${apt[@]}" install -y -qq --no-install-recommends "${missing[@]}"; } >.apt.log 2>&1 ||
        { tail -n 20 .apt.log >&2; die 1 "apt-get could not install them (.apt.log)"; }
    rm -f .apt.log
}

setup_python() {
    local stamp
    stamp="$VENV/.installed-$(hash_of tests/requirements.txt)"
    [ ! -f "$stamp" ] || return 0
    say "installing Python packages into $VENV"
    rm -rf "$VENV"
    python3 -m venv "$VENV"
    "$VENV/bin/pip" install --quiet --disable-pip-version-check -r tests/requirements.txt ||
        die 1 "pip could not install tests/requirements.txt"
    touch "$stamp"
}

# Names the go program to use: that of the system when it is new enough, else one of our own.
find_go() {
    local version
    if [ -x "$TOOLS/go/bin/go" ]; then
        echo "$PWD/$TOOLS/go/bin/go"
        return
    fi
    version=$(go env GOVERSION 2>/dev/null) || return 1
    version=${version#go1.}
    [ "${version%%[!0-9]*}" -ge $GO_MINOR_MIN ] 2>/dev/null || return 1
    command -v go
}

# A newer Go comes through the module proxy, as any module: that works with every Go since 1.16, also
# where the mechanism of GOTOOLCHAIN is missing. Modules have no executable files, hence the chmod.
fetch_go() {
    local machine module folder
    case $(uname -m) in
    x86_64) machine=amd64 ;;
    aarch64) machine=arm64 ;;
    *) return 1 ;;
    esac
    module=golang.org/toolchain@v0.0.1-$GO_TOOLCHAIN.linux-$machine
    say "fetching $GO_TOOLCHAIN ($(go env GOVERSION 2>/dev/null || echo 'no Go') is too old)"
    folder=$(cd / && GO111MODULE=on GOFLAGS=-mod=mod go mod download -json "$module" | sed -n 's/.*"Dir": "\(.*\)".*/\1/p')
    [ -n "$folder" ] || return 1
    rm -rf "$TOOLS/go"
    mkdir -p "$TOOLS"
    cp -r "$folder" "$TOOLS/go"
    chmod -R u+w "$TOOLS/go"
    chmod +x "$TOOLS"/go/bin/* "$TOOLS"/go/pkg/tool/*/*
}

setup_go() {
    local stamp go tool
    stamp="$TOOLS/.installed-$(hash_of config/dev/go-tools.txt)"
    [ ! -f "$stamp" ] || return 0
    if ! go=$(find_go); then
        fetch_go || { note "Go >= 1.$GO_MINOR_MIN is needed for grpcurl and the Go client, and could not be fetched; install it and run ./dev setup"; return 1; }
        go=$(find_go)
    fi
    mkdir -p "$TOOLS"
    while read -r tool; do
        case $tool in '' | '#'*) continue ;; esac
        say "building ${tool##*/} into $TOOLS"
        GOBIN="$PWD/$TOOLS" GOFLAGS=-buildvcs=false "$go" install "$tool" 2>"$TOOLS/install.log" ||
            { tail -n 5 "$TOOLS/install.log" >&2; note "could not build $tool"; return 1; }
    done <config/dev/go-tools.txt
    rm -f "$TOOLS"/.installed-* "$TOOLS/install.log"
    touch "$stamp"
}

setup_npm() {
    local folder stamp failed=0
    for folder in "$NPM" tests/conformance; do
        stamp="$folder/node_modules/.installed-$(hash_of "$folder/package-lock.json")"
        [ ! -f "$stamp" ] || continue
        say "installing npm packages into $folder"
        if (cd "$folder" && npm ci --no-audit --no-fund --ignore-scripts --silent); then
            touch "$stamp"
        else
            note "npm could not install $folder/package-lock.json"
            failed=1
        fi
    done
    return $failed
}
