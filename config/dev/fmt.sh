# ./dev fmt: formats in place.

. config/dev/setup.sh

dev_fmt() {
    [ $# -eq 0 ] || die 2 "fmt takes no arguments; see ./dev help fmt"
    setup_apt
    setup_npm
    c_files | xargs -r clang-format -i
    "$NPM/node_modules/.bin/buf" format -w api
}
