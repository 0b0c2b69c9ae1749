"""The parts of importing, joined."""

from __future__ import annotations

from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any

from attrs import frozen

from cluster_worker.jobs.service import Jobs
from cluster_worker.tenure.owned_works import OwnedWorks
from onedata.ids import SpaceId
from op_worker.files.context import FilesContext
from op_worker.importing.ending import Ending
from op_worker.importing.folder_watch import FolderWatch
from op_worker.importing.following import Following
from op_worker.importing.job import StorageScan
from op_worker.importing.looking import Looking
from op_worker.importing.noticing import Noticing
from op_worker.importing.owners import Owners
from op_worker.importing.places import Places
from op_worker.importing.reconciling import Reconciling
from op_worker.importing.registering import Registering
from op_worker.importing.scanning import DirectoryScan, Scanner
from op_worker.importing.service import Imports


@frozen(eq=False)
class ImportingParts:
    """What the composition root joins with the rest.

    Attributes:
        following: the service that lets one node follow each imported space.
    """

    imports: Imports
    looking: Looking
    registering: Registering
    following: OwnedWorks


def make_importing(
    context: FilesContext,
    jobs: Jobs,
    owners: Owners,
    supported: Callable[[], Collection[SpaceId]],
    reactor: Any,
) -> ImportingParts:
    """Make the parts. Jobs learn how storages are scanned, and readers how files are looked at anew."""
    places = Places(context)
    ending = Ending(context, places)
    reconciling = Reconciling(context, places, ending, owners)
    directories = DirectoryScan(context, places, reconciling, ending)
    imports = Imports(context, jobs)
    looking = Looking(context, places, reconciling, ending, imports)
    noticing = Noticing(
        *(context, imports, looking, directories, folder_of),
        *(lambda folder: FolderWatch(folder, reactor, context.blocking), reactor),
    )
    following = Following(imports, noticing.follow, reactor, context.wall_clock)
    jobs.offer(StorageScan(context, places, directories, imports.scanner))
    context.changed_behind.refresh = looking.refresh
    registering = Registering(context, owners)
    return ImportingParts(imports, looking, registering, following.works(context.works, supported))


def folder_of(scanner: Scanner) -> Path | None:
    """Return the folder of this machine that is the root of a space; ``None`` when there is none."""
    record = scanner.storage.record
    if record.type != "posix":
        return None
    return Path(record.arguments["mountPoint"])
