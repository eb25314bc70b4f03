# ./dev stop: ends what ./dev demo started.

. config/dev/demo.sh

dev_stop() {
    [ $# -eq 0 ] || die 2 "stop takes no arguments; see ./dev help stop"
    demo_stop || true
}
