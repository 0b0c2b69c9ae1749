"""The parts of importing, joined."""

from __future__ import annotations

from attrs import frozen

from cluster_worker.jobs.service import Jobs
from op_worker.files.context import FilesContext
from op_worker.importing.ending import Ending
from op_worker.importing.job import StorageScan
from op_worker.importing.owners import Owners, SpaceOwners
from op_worker.importing.places import Places
from op_worker.importing.reconciling import Reconciling
from op_worker.importing.scanning import DirectoryScan
from op_worker.importing.service import Imports


@frozen(eq=False)
class ImportingParts:
    """What the composition root joins with the rest."""

    imports: Imports
    scan: StorageScan


def make_importing(context: FilesContext, jobs: Jobs, owners: Owners | None = None) -> ImportingParts:
    """Make the parts; the jobs learn how storages are scanned."""
    places = Places(context)
    ending = Ending(context, places)
    reconciling = Reconciling(context, places, ending, owners or SpaceOwners())
    directories = DirectoryScan(context, places, reconciling, ending)
    imports = Imports(context, jobs)
    scan = StorageScan(context, places, directories, imports.scanner)
    jobs.offer(scan)
    return ImportingParts(imports, scan)
