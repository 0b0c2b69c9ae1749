"""Operations that make, change and remove files."""

from __future__ import annotations

from attrs import evolve

from cluster_worker.http.answers import send_created, send_nothing
from onedata.errors import BadValueIdentifier, Errno, MissingRequiredValue, Posix, PreconditionNotMet
from onedata.ids import FileGuid, InvalidFileId
from op_worker.files.model import CreateOptions, Existing, FileStat, FileType, Target
from op_worker.files.stored.conditions import ANY, NO_CONDITION, ContentCondition
from op_worker.http.conditions import parse_conditions
from op_worker.http.content import request_header, set_validators
from op_worker.http.digests import sent_digests
from op_worker.http.rest.calls import RestCall, required_names


async def create_child(call: RestCall) -> None:
    """Create a file, a directory or a link in a directory."""
    target = call.target
    await _create(call, Target(target.base, (*target.names, call.params["name"])))


async def create_at_path(call: RestCall) -> None:
    """Create a file, a directory or a link at a path below a directory."""
    required_names(call.names)
    await _create(call, call.target)


async def set_mode(call: RestCall) -> None:
    """Change permission bits."""
    await call.files.set_mode(call.caller, call.target, call.params["mode"])
    send_nothing(call.request)


async def remove(call: RestCall) -> None:
    """Remove a file, or a directory with all it holds."""
    await call.files.remove(call.caller, call.target)
    send_nothing(call.request)


async def remove_at_path(call: RestCall) -> None:
    """Remove what is at a path below a directory."""
    required_names(call.names)
    await remove(call)


async def _create(call: RestCall, target: Target) -> None:
    stat = await _make(call, target)
    if stat.type is FileType.REG:
        set_validators(call.request, stat)
    file_id = stat.guid.object_id()
    send_created(call.request, call.link(f"/data/{file_id}"), {"fileId": file_id})


async def _make(call: RestCall, target: Target) -> FileStat:
    files, caller, params = call.files, call.caller, call.params
    match params["type"]:
        case "DIR":
            return await files.create_directory(caller, target, _options(call))
        case "SYMLNK":
            return await files.create_symlink(caller, target, _options(call))
        case "LNK":
            return await files.create_link(caller, target, _original(call), _options(call))
    condition = parse_conditions(request_header(call.request)).content
    options = _options(call)
    if condition.match is not None:
        condition.require(await _present(call, target))
    if condition.none_match == ANY:
        options = evolve(options, existing=Existing.REFUSE)
    try:
        if call.request.body_length == 0:
            return await files.create_file(caller, target, options)
        return await _make_with_content(call, target, options, condition)
    except Posix as error:
        if error.errno is Errno.EEXIST and condition.none_match == ANY:
            raise PreconditionNotMet() from None
        raise


async def _present(call: RestCall, target: Target) -> FileStat | None:
    try:
        return await call.files.stat(call.caller, target)
    except Posix as error:
        if error.errno is Errno.ENOENT:
            return None
        raise


async def _make_with_content(
    call: RestCall, target: Target, options: CreateOptions, condition: ContentCondition
) -> FileStat:
    """Without an offset the file appears together with its content. With one, or when an existing file
    may be written to, it is made first, and removed again if this request made it and writing fails."""
    files, caller = call.files, call.caller
    request, offset_b = call.request, call.params["offset"]
    digests = sent_digests(request_header(request))
    if not offset_b and options.existing is Existing.REFUSE:
        stat, _ = await files.replace_content(
            caller,
            target,
            request.body,
            expected_b=request.body_length,
            create=options,
            digests=digests.for_whole(),
            condition=condition,
        )
        return stat
    of_part = digests.for_part()
    stat = await files.create_file(caller, target, options)
    try:
        return await files.write_content(
            caller,
            Target(stat.guid),
            offset_b or 0,
            request.body,
            expected_b=request.body_length,
            digests=of_part,
            condition=NO_CONDITION if condition.none_match == ANY else condition,
        )
    except Exception:  # whatever it was: what this request made goes again
        if options.existing is Existing.REFUSE:
            await files.discard(caller, Target(stat.guid))
        raise


def _options(call: RestCall) -> CreateOptions:
    params = call.params
    target_path = params["target_file_path"]
    if params["type"] == "SYMLNK" and target_path is None:
        raise MissingRequiredValue("target_file_path")
    return CreateOptions(
        mode=params["mode"],
        create_parents=params.get("create_parents", False),
        existing=Existing.UPDATE if params["update_existing"] else Existing.REFUSE,
        symlink_target=target_path,
    )


def _original(call: RestCall) -> FileGuid:
    text = call.params["target_file_id"]
    if text is None:
        raise MissingRequiredValue("target_file_id")
    try:
        return FileGuid.from_object_id(text)
    except InvalidFileId:
        raise BadValueIdentifier("target_file_id") from None
