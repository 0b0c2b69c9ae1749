"""A check as a background job: one task for each space, whose audit holds what was found."""

from __future__ import annotations

import json

from attrs import field, frozen

from cluster_worker.jobs.pool import Limits, Pool, Retries
from cluster_worker.jobs.service import Jobs
from cluster_worker.jobs.task import MasterJob, TaskId
from cluster_worker.jobs.traverse import JobContext, MasterOutcome, QuietTraverse
from cluster_worker.persistence.engine import Scope
from onedata.ids import SpaceId
from op_worker.fsck.check import Check
from op_worker.fsck.findings import Code
from op_worker.fsck.report import Options, Report
from op_worker.fsck.tools import Tools

POOL = Pool("fsck", Limits(masters=2, slaves=1, tasks=2), Retries(tries=1))
TASK = "fsck"
"""The name of the task in the scope of its space: one check at a time."""
MOST_AUDITED = 1000
"""So many findings are written into the audit; the others are counted only."""


def encode_options(options: Options) -> bytes:
    """Return options as the payload of a task."""
    told = {
        "contents": options.contents,
        "repairs": sorted(options.repairs),
        "deletes_orphans": options.deletes_orphans,
        "is_trial": options.is_trial,
        "rate_b": options.rate_b,
    }
    return json.dumps(told).encode()


def decode_options(payload: bytes) -> Options:
    """Undo ``encode_options``; codes that this version does not know are left out."""
    told = json.loads(payload)
    known = {code.value for code in Code}
    return Options(**{**told, "repairs": frozenset(Code(one) for one in told["repairs"] if one in known)})


@frozen(eq=False)
class FsckTraverse(QuietTraverse):
    """The only master of a task does the whole check. A repair is made once, whoever makes it again."""

    _tools: Tools
    pool: Pool = field(default=POOL, init=False)

    async def do_master(self, job: MasterJob, context: JobContext) -> MasterOutcome:
        """Check the space that the task lies in."""

        def tell(phase: str, done: int, total: int) -> None:
            context.check()
            context.report(done, total)

        space_id = SpaceId(context.task_id.scope)
        report = await Check(self._tools, space_id, decode_options(context.payload), tell).run()
        for line in audit_lines(report):
            context.audit(line)
        return MasterOutcome()


def audit_lines(report: Report) -> list[str]:
    """Return what the audit of a task gets: findings, then the outcome, each a JSON object."""
    findings = [json.dumps(finding.told()) for finding in report.findings[:MOST_AUDITED]]
    return [*findings, json.dumps(report.told())]


async def start_check(jobs: Jobs, space_id: SpaceId, options: Options) -> TaskId:
    """Begin the check of a space; while one is going on, nothing happens. Raises: PersistenceUnavailable."""
    return await jobs.start(POOL.name, space_id, encode_options(options), scope=Scope(space_id), name=TASK)
