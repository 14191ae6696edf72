"""Damage files of every format in thousands of ways and read each of them.

    python benchmarks/damaged_files.py --files ../shared/data --number 10000

Small files of every format are made (`damaged_sources`), others may be given. Each is
damaged, or what is read with it, and read in a child that has 1 GB of memory, on top of
the limits that the readers set themselves. Counted is how that ended:

- *read*: as if it were whole;
- *refused*: an error that names the file;
- *unnamed*: one that does not; *bug*: one that no user can cause;
- *memory*: more than the 1 GB were asked for;
- *slow*: more than 10 s of the processor, with all children; *hung*: not done after
  five minutes, and ended;
- *crashed*: the child ended by itself;
- *left*: files that a child left in its temporary folder.

The exit status is 1 if anything but *read* and *refused* was seen. Seeded: the same
seed damages the same bytes. With ``--record FILE`` each ending is a line there, and
what stands there is not done again; ``--shard 2/4`` does the second quarter.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections import Counter, defaultdict
from contextlib import suppress
from pathlib import Path
from queue import Empty, Queue
from threading import Thread
from typing import TYPE_CHECKING, Any

import numpy as np
from damaged_sources import SHAPE, Source, given, made

if TYPE_CHECKING:
    from collections.abc import Iterable

MEMORY = 1 << 30
SECONDS, HANG = 10.0, 300.0
GOOD = ("read", "refused")
COLUMNS = (
    *GOOD, "unnamed", "bug", "memory", "slow", "hung", "crashed", "left",
)  # fmt: skip


def damaged(content: bytes, rng: np.random.Generator) -> bytes:
    """Flip bits, overwrite, cut or double some bytes; most often near the front.

    Half of the files have one place that is wrong and nothing that moved: these get
    deepest into a reader.
    """
    bytes_ = bytearray(content)
    is_gentle = rng.random() < 0.5
    for _ in range(1 if is_gentle else int(rng.integers(1, 6))):
        if not bytes_:
            break
        front = min(len(bytes_), 4096)
        at = int(rng.integers(front if rng.random() < 0.6 else len(bytes_)))
        kind = rng.integers(3 if is_gentle else 5)
        if kind == 0:
            bytes_[at] ^= 1 << int(rng.integers(8))
        elif kind == 1:
            bytes_[at : at + 4] = rng.bytes(4)
        elif kind == 2:
            extreme = (
                b"\xff\xff\xff\x7f",
                b"\0\0\0\0",
                b"\xff" * 8,
                b"\x7f" + b"\0" * 7,
            )
            value = extreme[int(rng.integers(len(extreme)))]
            bytes_[at : at + len(value)] = value
        elif kind == 3:
            del bytes_[at : at + int(rng.integers(1, 64))]
        else:
            bytes_[at:at] = bytes_[at : at + int(rng.integers(1, 64))]
    if not is_gentle and rng.random() < 0.2:
        del bytes_[int(rng.integers(len(bytes_) + 1)) :]
    return bytes(bytes_)


def read(kind: str, path: Path) -> None:
    """Read a file as what it is."""
    import napari_phasemap as pm
    from napari_phasemap.io.masks import read_mask
    from napari_phasemap.io.particle_table import read_particle_table
    from napari_phasemap.pipeline import Recipe

    readers: dict[str, Any] = {
        "stack": lambda: pm.read_stack(path, duplicates="merge"),
        "references": lambda: pm.read_references(path),
        "mask": lambda: read_mask(path, SHAPE),
        "results": lambda: pm.read_results(path),
        "recipe": lambda: Recipe.load(path),
        "table": lambda: read_particle_table(path, ["P1", "P2"]),
    }
    readers[kind]()


def ending_of(kind: str, path: Path) -> str:
    """Read a file and say how it ended."""
    from napari_phasemap.core.data.errors import is_bug

    try:
        read(kind, path)
    except MemoryError as error:
        return f"memory: {error}"
    except Exception as error:  # noqa: BLE001 # counted
        if is_bug(error):
            return f"bug: {type(error).__name__}: {error}"
        named = path.name in str(error) or path.stem in str(error)
        return f"{'refused' if named else 'unnamed'}: {error}"
    return "read"


def processor() -> float:
    """Return the seconds that this process and all its children have computed."""
    from napari_phasemap.io import helper

    seconds = sum(os.times()[:4])  # with children that have ended
    with suppress(OSError):
        text = Path(f"/proc/{helper._helper().pid}/stat").read_text()
        user, system = text.rpartition(")")[2].split()[11:13]
        seconds += (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")
    return seconds


def work(source: Source, seeds: Iterable[int]) -> None:
    """Damage and read one file again and again; one line for each."""
    import logging
    import resource

    logging.disable()
    resource.setrlimit(resource.RLIMIT_DATA, (MEMORY, MEMORY))
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder, source.top.name)
        copied = [one.relative_to(source.top) for one in source.parts]
        for one in copied:
            (home / one).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source.top / one, home / one)
        path = home / source.path.relative_to(source.top)
        for seed in seeds:
            rng = np.random.default_rng(seed)
            at = 0 if rng.random() < 0.6 else int(rng.integers(len(copied)))
            at = int(rng.integers(len(copied))) if source.path.is_dir() else at
            content = (source.top / copied[at]).read_bytes()
            (home / copied[at]).write_bytes(damaged(content, rng))
            print(json.dumps([seed, "began", 0.0]), flush=True)
            start = processor()
            ending = ending_of(source.kind, path)
            seconds = processor() - start
            print(json.dumps([seed, ending, seconds]), flush=True)
            (home / copied[at]).write_bytes(content)


def tried(source: Source, seeds: list[int]) -> Iterable[tuple[int, str, float]]:
    """Read a file in damaged forms, in children; one that dies is replaced."""
    while seeds:
        with tempfile.TemporaryDirectory() as temporary:
            began, ending = seeds[0], ""
            for seed, said, seconds in _lines_of(source, seeds, temporary):
                began = seed
                if said.startswith(("crashed", "hung", "left")):
                    ending = said
                    yield seed, said, seconds
                elif said != "began":
                    seeds = [one for one in seeds if one != seed]
                    yield seed, said, seconds
            if ending.startswith(("crashed", "hung")):
                seeds = [one for one in seeds if one != began]
            elif not ending:
                return


def _lines_of(
    source: Source, seeds: list[int], temporary: str
) -> Iterable[tuple[int, str, float]]:
    """Yield what a child says, and at last how it ended if that was not well."""
    words = ["--work", source.kind, str(source.path), ",".join(map(str, seeds))]
    child = subprocess.Popen(
        [sys.executable, __file__, *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env={**os.environ, "TMPDIR": temporary},
    )
    lines: Queue[str] = Queue()
    Thread(target=_listen, args=(child.stdout, lines), daemon=True).start()
    seed = seeds[0]
    while True:
        try:
            line = lines.get(timeout=HANG)
        except Empty:
            child.kill()
            child.wait()
            yield seed, "hung", HANG
            return
        if not line:
            break
        seed, ending, seconds = json.loads(line)
        yield seed, ending, seconds
    if child.wait():
        yield seed, f"crashed: {child.returncode}", 0.0
    elif left := os.listdir(temporary):
        yield seed, f"left: {left}", 0.0


def _listen(file: Any, lines: Queue[str]) -> None:
    for line in file:
        lines.put(line)
    lines.put("")


def seeds_of(number: int, n_sources: int, place: int, shard: str) -> list[int]:
    """Return the seeds of a source: every so manieth number is its own."""
    which, of = map(int, shard.split("/"))
    mine = range(place, number, n_sources)
    return [seed for seed in mine if (seed // n_sources) % of == which - 1]


def show(endings: dict[str, list[tuple[str, float]]]) -> bool:
    """Print the table; return whether anything went wrong."""
    widths = [max(6, len(name)) for name in COLUMNS]
    titles = "  ".join(n.rjust(w) for n, w in zip(COLUMNS, widths, strict=True))
    print(f"{'format':20} {titles}  slowest")
    total: Counter[str] = Counter()
    for name, found in sorted(endings.items()):
        kinds = Counter(ending.partition(":")[0] for ending, _ in found)
        kinds["slow"] += sum(seconds > SECONDS for _, seconds in found)
        total += kinds
        counts = "  ".join(
            str(kinds[n]).rjust(w) for n, w in zip(COLUMNS, widths, strict=True)
        )
        print(f"{name:20} {counts}  {max(s for _, s in found):5.1f} s")
    counts = "  ".join(
        str(total[n]).rjust(w) for n, w in zip(COLUMNS, widths, strict=True)
    )
    print(f"{'all':20} {counts}")
    return any(total[name] for name in COLUMNS if name not in GOOD)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--files", nargs="*", type=Path, default=[])
    parser.add_argument("--number", type=int, default=10_000)
    parser.add_argument("--shard", default="1/1")
    parser.add_argument("--record", type=Path, help="resume from this file")
    parser.add_argument("--work", nargs=3, default=None, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.work:
        kind, path, seeds = options.work
        work(Source("", kind, Path(path)), map(int, seeds.split(",")))
        return
    endings: dict[str, list[tuple[str, float]]] = defaultdict(list)
    known: set[int] = set()
    if options.record and options.record.is_file():
        for line in options.record.read_text().splitlines():
            name, seed, ending, seconds = json.loads(line)
            known.add(seed)
            endings[name].append((ending, seconds))
    record = options.record.open("a") if options.record else None
    with tempfile.TemporaryDirectory() as folder:
        sources = [*made(Path(folder)), *given(options.files)]
        for place, source in enumerate(sources):
            seeds = seeds_of(options.number, len(sources), place, options.shard)
            seeds = [seed for seed in seeds if seed not in known]
            for seed, ending, seconds in tried(source, seeds):
                endings[source.format].append((ending, seconds))
                if not ending.startswith(GOOD):
                    print(f"{source.path.name}, seed {seed}: {ending[:200]}")
                if record:
                    line = json.dumps([source.format, seed, ending[:300], seconds])
                    print(line, file=record, flush=True)
    sys.exit(show(endings))


if __name__ == "__main__":
    main()
