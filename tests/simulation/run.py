#!/usr/bin/env python3
"""Random walks against a real server, PostgreSQL and payment simulator; after each the invariants must hold.

    run.py --seeds 500           seeds 0 to 499, on two workers
    run.py --seed 17             this one alone, with every step that it takes
"""

import argparse
import concurrent.futures
import multiprocessing
import pathlib
import sys
import time
import traceback

from shop import Shop, world
from walk import Broken, Walk  # noqa: I001: after shop, which sets the path
import invariants


def one(shop, seed: int):
    """None, or why it failed."""
    walk = Walk(shop, seed)
    try:
        walk.run()
        walk.quiesce()
        invariants.check(walk)
    except (AssertionError, OSError) as error:
        kind = "" if isinstance(error, Broken) else traceback.format_exc()
        return walk, f"seed {seed}: {error}\n{kind}"
    return walk, None


def work(seeds):
    """The failures of these seeds, and how often the server was killed."""
    cluster, stubs = world.Cluster(), world.Stubs()
    failures = []
    shop = None
    kills = 0
    try:
        for seed in seeds:
            shop = shop or Shop(cluster, stubs)
            walk, failure = one(shop, seed)
            if failure is not None:
                failures.append(failure + "    " + "\n    ".join(walk.book.log))
                kills += shop.kills
                close(shop)
                shop = None  # what is broken now would break the next ones, too
    finally:
        if shop is not None:
            kills += shop.kills
            close(shop)
        stubs.close()
        cluster.close()
    return failures, kills


def close(shop):
    try:
        shop.close()
    except AssertionError as error:
        print(error, file=sys.stderr)


def replay(seed: int) -> int:
    cluster, stubs = world.Cluster(), world.Stubs()
    shop = Shop(cluster, stubs)
    try:
        walk, failure = one(shop, seed)
        print("\n".join(walk.book.log))
        print(failure or "every invariant holds")
        return 1 if failure else 0
    finally:
        close(shop)
        stubs.close()
        cluster.close()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=500, help="how many (500)")
    parser.add_argument("--first", type=int, default=0, help="the first one (0)")
    parser.add_argument("--seed", type=int, help="only this one")
    parser.add_argument("--workers", type=int, default=2, help="processes, each with a server of its own (2)")
    parser.add_argument("--count", help="a file that gets passed, failed and skipped")
    arguments = parser.parse_args()
    if arguments.seed is not None:
        return replay(arguments.seed)
    began = time.monotonic()
    slices = [range(arguments.first + i, arguments.first + arguments.seeds, arguments.workers)
              for i in range(arguments.workers)]
    with concurrent.futures.ProcessPoolExecutor(
            arguments.workers, mp_context=multiprocessing.get_context("spawn")) as pool:
        results = list(pool.map(work, slices))
    failures = [failure for failed, _ in results for failure in failed]
    for failure in failures:
        print(failure, file=sys.stderr)
    print(f"{arguments.seeds} walks, {sum(kills for _, kills in results)} kills of the server, "
          f"{len(invariants.ALL)} invariants, {len(failures)} failed, {time.monotonic() - began:.0f} s")
    if arguments.count:
        pathlib.Path(arguments.count).write_text(f"{arguments.seeds - len(failures)} {len(failures)} 0\n")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
