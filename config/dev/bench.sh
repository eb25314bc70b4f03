# ./dev bench: a demo of its own, measured and ended.

dev_bench() {
    case " $* " in *" -h "* | *" --help "*) exec python3 tests/bench/bench.py --help ;; esac
    RUN=.run/bench
    export BILLINGOS_RUN=$RUN
    . config/dev/demo.sh
    setup_all || die 1 "not everything could be installed; see above"
    configure release
    ninja -C build/release bos-echo bos-load >/dev/null || die 1 "the build failed"
    trap 'demo_stop >/dev/null 2>&1 || true' EXIT
    ./dev demo --detach --fresh >/dev/null || die 1 "the demo did not start"
    "$VENV/bin/python" tests/bench/bench.py --build build/release --run "$RUN" "$@"
}
