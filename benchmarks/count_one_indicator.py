"""One indicator over a million rows of facts, against a bare scan of the same columns of the same Parquet.

    .venv/bin/python benchmarks/count_one_indicator.py [--rows 1000000] [--out FILE.json]

Measured in one process, one after another, several times; the medians are compared. What is printed are
ratios to the scan: seconds of different machines or runs do not compare.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import tempfile
import time
from collections.abc import Callable
from datetime import date
from pathlib import Path
from uuid import UUID

import duckdb
import numpy
import pyarrow
import pyarrow.compute
import pyarrow.ipc
import pyarrow.parquet

from resguardo.count.disclosure import CKR5, Ledger, SafeTable, protect
from resguardo.count.indicator import CELL_PRIME, Filter, TableSpec
from resguardo.count.table import tabulate
from resguardo.keep.facts import open_segment, seal_segment
from resguardo.keep.keys import StatisticsKey
from resguardo.values import Population

COUNTRIES = ("BZ", "CR", "CU", "DO", "GT", "GY", "HN", "HT", "JM", "MX", "NI", "PA", "SV", "TT")
SEXES = ("female", "male", "other", "unknown")
AGES = ("0-4", "5-11", "12-14", "15-17", "18-24", "25-29", "30-59", "60+")
MONTHS = tuple(f"{year}-{month:02d}" for year in (2021, 2022) for month in range(1, 13))
INSTITUTIONS = 20
KEY = StatisticsKey(octets=bytes(range(32)), version=1)

SPEC = TableSpec(
    id="benchmark.people",
    version=1,
    source="benchmark.form",
    unit="person",
    population=Population.PROTECTED,
    is_about_people=True,
    measure="count",
    dimensions=("country", "sex", "age_band"),
    domains=(COUNTRIES, SEXES, AGES),
    filters=(Filter("sex", "!=", ("unknown",)),),
    months=("2021-01", "2022-12"),
)
COARSER = TableSpec(
    id="benchmark.people",
    version=1,
    source="benchmark.form",
    unit="person",
    population=Population.PROTECTED,
    is_about_people=True,
    measure="count",
    dimensions=("country", "sex"),
    domains=(COUNTRIES, SEXES),
    filters=(Filter("sex", "!=", ("unknown",)),),
    months=("2021-01", "2022-12"),
)
READ = ["unit", "rkey", "institution", "institution_country", "month", "country", "sex", "age_band"]


def facts(rows: int) -> pyarrow.Table:
    """So many rows about seven tenths as many people; each person keeps country, sex and age."""
    drawn = numpy.random.default_rng(2022)
    people = drawn.integers(0, max(1, rows * 7 // 10), rows)
    marks = numpy.random.default_rng(1).bytes(16 * (rows * 7 // 10 + 1))
    units = pyarrow.array([marks[16 * each : 16 * each + 16].hex() for each in people])

    def coded(codes: tuple[str, ...], multiplier: int) -> pyarrow.Array:
        return pyarrow.array(codes).take(pyarrow.array(people * multiplier % 7919 % len(codes)))

    institutions = people % INSTITUTIONS
    slugs = [f"institution-{number:02d}" for number in range(INSTITUTIONS)]
    return pyarrow.table(
        {
            "unit": units,
            "rkey": pyarrow.array(people.astype("int64") * 2_654_435_761 % CELL_PRIME),
            "institution": pyarrow.array(slugs).take(pyarrow.array(institutions)),
            "institution_kind": pyarrow.array(["shelter"] * rows),
            "institution_country": pyarrow.array(COUNTRIES).take(pyarrow.array(institutions % 14)),
            "country": coded(COUNTRIES, 31),
            "sex": coded(SEXES, 57),
            "age_band": coded(AGES, 91),
            "nationality": coded(COUNTRIES, 101),
            "month": pyarrow.array(MONTHS).take(pyarrow.array(drawn.integers(0, len(MONTHS), rows))),
        }
    )


def sealed_segments(table: pyarrow.Table) -> list[bytes]:
    """One segment for each institution, as they lie in the database."""
    segments = []
    for number, slug in enumerate(sorted(set(table["institution"].to_pylist()))):
        part = table.filter(pyarrow.compute.equal(table["institution"], slug))
        sink = pyarrow.BufferOutputStream()
        options = pyarrow.ipc.IpcWriteOptions(compression="zstd")
        with pyarrow.ipc.new_stream(sink, part.schema, options=options) as writer:
            writer.write_table(part)
        segments.append(
            seal_segment(
                KEY,
                institution=UUID(int=number),
                form="benchmark_form",
                segment=UUID(int=number),
                version=1,
                content=sink.getvalue().to_pybytes(),
                nonce=os.urandom(12),
            )
        )
    return segments


def opened(segments: list[bytes]) -> pyarrow.Table:
    """The facts of all segments."""
    parts = []
    for number, sealed in enumerate(segments):
        content = open_segment(
            KEY,
            sealed,
            institution=UUID(int=number),
            form="benchmark_form",
            segment=UUID(int=number),
            version=1,
        )
        parts.append(pyarrow.ipc.open_stream(content).read_all())
    return pyarrow.concat_tables(parts)


def counted(table: pyarrow.Table, ledger: Ledger | None = None) -> SafeTable:
    """From facts to the protected table, in a ledger that knows of nothing unless one is given."""
    raw = tabulate(table, SPEC, as_of=date(2022, 12, 31))
    return protect(raw, CKR5, ledger if ledger is not None else Ledger())


def seconds(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def measure(rows: int, repeats: int) -> dict[str, object]:
    """Medians of all ways, and that they give the same bytes."""
    table = facts(rows)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "facts.parquet"
        pyarrow.parquet.write_table(table, path, compression="zstd")
        segments = sealed_segments(table)
        del table
        # Lengths, because a minimum or maximum is answered from the file's footer without reading it.
        columns = ", ".join(f"SUM({name})" if name == "rkey" else f"SUM(LENGTH({name}))" for name in READ)

        def scan() -> object:
            with duckdb.connect() as connection:
                return connection.execute(f"SELECT {columns} FROM read_parquet('{path}')").fetchall()

        def from_parquet() -> SafeTable:
            return counted(pyarrow.parquet.read_table(path, columns=READ))

        def from_segments() -> SafeTable:
            return counted(opened(segments))

        in_memory = opened(segments)
        known = Ledger()
        protect(tabulate(in_memory, COARSER, as_of=date(2022, 12, 31)), CKR5, known)
        lines = [(release.line, release.sealed_memory(bytes)) for release in known.releases]
        digests = {from_parquet().digest, from_segments().digest, counted(in_memory).digest}
        assert len(digests) == 1, "the same facts give the same table"
        ways: dict[str, Callable[[], object]] = {
            "bare scan of the Parquet columns": scan,
            "Parquet to protected table": from_parquet,
            "sealed segments to protected table": from_segments,
            "of it: opening the segments": lambda: opened(segments),
            "of it: counting and protecting": lambda: counted(in_memory),
            "the same, with one release to compare with": lambda: counted(
                in_memory, Ledger.opened(lines, bytes)
            ),
        }
        taken: dict[str, list[float]] = {name: [] for name in ways}
        for _ in range(repeats):
            for name, work in ways.items():
                taken[name].append(seconds(work))
        medians = {name: statistics.median(times) for name, times in taken.items()}
        scanned = medians["bare scan of the Parquet columns"]
        return {
            "rows": rows,
            "repeats": repeats,
            "processors": os.cpu_count(),
            "duckdb": duckdb.__version__,
            "parquet_bytes": path.stat().st_size,
            "sealed_bytes": sum(map(len, segments)),
            "seconds": medians,
            "ratio_to_scan": {name: median / scanned for name, median in medians.items()},
        }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--out", type=Path)
    given = parser.parse_args()
    result = measure(given.rows, given.repeats)
    print(f"{given.rows:,} rows, medians of {given.repeats}, {result['processors']} processors")
    medians, ratios = result["seconds"], result["ratio_to_scan"]
    assert isinstance(medians, dict)
    assert isinstance(ratios, dict)
    for name, median in medians.items():
        print(f"  {name:<44} {median:7.3f} s  {ratios[name]:5.1f} x the scan")
    if given.out:
        given.out.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
