"""Building the pack for customers, each into a folder of its own.

The pack has been checked and tested once. Every customer is built by itself: its rules specialised, exceptions tried on the
fixtures, compiled with what other customers' builds have left behind, packaged, and its folder exchanged with the old one
at once. Where there are many, they are shared out to the cores.
"""

from __future__ import annotations

import gc
import multiprocessing
import os
import queue
import signal
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from insigma.assure.fixtures import Reference
from insigma.assure.hollow import Hollowness, hollowed_out
from insigma.content.model import Pack
from insigma.content.tenants import Tenant
from insigma.diagnostics.model import Diagnostic, Severity
from insigma.release.outcomes import REFUSED
from insigma.release.proofs import ProofRow, Proofs
from insigma.release.sbom import hashes_of
from insigma.release.signing import MANIFEST, SIGNATURE
from insigma.release.tenants import Workbench, build_tenant, refused_for_tenant, targets_of
from insigma.release.tree import as_bytes, tenant_tree
from insigma.release.writer import ForeignFolder, write_tree
from insigma.specialise.tenant import Specialiser
from insigma.targets.base import Refused

SHARED_OUT = 8
"""From how many customers on the cores share the work: fewer are built before a second process has started."""


@dataclass(frozen=True, slots=True)
class Job:
    """What every customer of one run is built from. `day` chooses surges; `signed` makes the signature of a manifest.

    `proofs` are those of the pack; `shown` has what engines have shown of a customer's own detections, by tenant.
    """

    pack: Pack
    reference: Reference
    proofs: Proofs
    versions: Mapping[str, int]
    day: str | None
    targets: tuple[str, ...]
    out: Path
    signed: Callable[[bytes], str] | None = None
    shown: Mapping[str, Sequence[ProofRow]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Delivered:
    """What became of one customer: findings, and (target, outcome) counts with the files that were written."""

    tenant: str
    findings: tuple[Diagnostic, ...]
    counts: Mapping[tuple[str, str], int]
    lacking: int
    files: int
    compiled: int
    reused: int

    @property
    def written(self) -> bool:
        return self.files > 0


def build_all(job: Job, tenants: Sequence[Tenant], done: Callable[[], None]) -> tuple[Delivered, ...]:
    """Build every customer; what became of each, in order. `done` is called at each."""
    cores = min(_cores(), len(tenants))
    if len(tenants) < SHARED_OUT or cores < 2 or "fork" not in multiprocessing.get_all_start_methods():
        return tuple(_each(job, tenants, done))
    return _shared_out(job, tenants, cores, done)


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _each(job: Job, tenants: Sequence[Tenant], done: Callable[[], None]) -> Iterator[Delivered]:
    builder = Builder(job)
    for tenant in tenants:
        yield builder.deliver(tenant)
        done()


def _shared_out(job: Job, tenants: Sequence[Tenant], cores: int, done: Callable[[], None]) -> tuple[Delivered, ...]:
    """The customers shared out to processes, which share what was read. Raises `Failed` where one of them goes wrong."""
    context = multiprocessing.get_context("fork")
    results: Any = context.Queue()
    gc.freeze()  # what was read is not touched again, so that processes go on sharing it
    workers = [context.Process(target=_work, args=(job, tenants[share::cores], results), daemon=True) for share in range(cores)]
    found: dict[str, Delivered] = {}
    try:
        for worker in workers:
            worker.start()
        while len(found) < len(tenants):
            delivered = _next(results, workers)
            if isinstance(delivered, BaseException):
                raise delivered
            found[delivered.tenant] = delivered
            done()
    finally:
        for worker in workers:
            worker.terminate()
            worker.join()
        gc.unfreeze()
    return tuple(found[tenant.id] for tenant in tenants)


class Failed(Exception):
    """A process that builds customers ended before its work was done."""


def _next(results: Any, workers: Sequence[Any]) -> Delivered | BaseException:
    while True:
        try:
            received: Delivered | BaseException = results.get(timeout=1)
        except queue.Empty:
            gone = [worker.exitcode for worker in workers if worker.exitcode]
            if gone:
                raise Failed(f"a process that builds tenants ended with {gone[0]}") from None
        else:
            return received


def _work(job: Job, tenants: Sequence[Tenant], results: Any) -> None:
    """One process: its customers, one after the other. Ctrl-C is for the process that started it, which then ends this one."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    try:
        for delivered in _each(job, tenants, lambda: None):
            results.put(delivered)
    except (OSError, ValueError, KeyError, ForeignFolder) as error:
        results.put(error)


class Builder:
    """Builds customers one after the other, and keeps what the next can use."""

    def __init__(self, job: Job) -> None:
        self._job = job
        self._bench = Workbench()
        self._hollowness = Hollowness(job.reference, job.pack)
        self._hashes = hashes_of(job.pack.rules)

    def deliver(self, tenant: Tenant) -> Delivered:
        """Build one customer. With an error among the findings nothing is written."""
        job, bench = self._job, self._bench
        specialiser = Specialiser(job.pack, tenant, job.day, bench.memo)
        findings = [*specialiser.diagnostics, *hollowed_out(specialiser, job.pack, self._hollowness)]
        before = (bench.compiled, bench.reused)
        if any(found.severity is Severity.ERROR for found in findings):
            return Delivered(tenant.id, tuple(findings), {}, 0, 0, 0, 0)
        targets = [target for target in targets_of(tenant, job.pack) if not job.targets or target in job.targets]
        build = build_tenant(specialiser, job.pack, targets, bench, job.versions)
        findings += refused_for_tenant(build)
        proofs = job.proofs.with_rows(job.shown[tenant.id]) if job.shown.get(tenant.id) else job.proofs
        try:
            files = tenant_tree(build, job.pack, proofs, job.versions, self._hashes)
        except Refused as refused:
            message = f"no package can be made of the rules of {tenant.id}: {refused.reason}"
            fault = Diagnostic(tenant.document.place("targets"), "INS547", message, "change what the profile says of the target")
            return Delivered(tenant.id, (*findings, fault), {}, 0, 0, 0, 0)
        if job.signed is not None:
            files[SIGNATURE] = job.signed(as_bytes(files[MANIFEST]))
        write_tree(job.out / tenant.id, files)
        counts = Counter((outcome.target, outcome.state) for outcome in build.outcomes)
        lacking = len({outcome.rule.header.label for outcome in build.outcomes if outcome.state == REFUSED and outcome.needs})
        return Delivered(
            tenant.id, tuple(findings), dict(counts), lacking, len(files), bench.compiled - before[0], bench.reused - before[1]
        )
