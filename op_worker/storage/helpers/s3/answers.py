"""What S3 servers answer: refusals, listings, the outcome of many removals. Pure."""

from __future__ import annotations

import errno
from collections.abc import Iterator, Sequence
from datetime import datetime
from xml.etree.ElementTree import Element, ParseError
from xml.sax.saxutils import escape

from attrs import frozen
from defusedxml import DefusedXmlException
from defusedxml.ElementTree import fromstring

from op_worker.storage.helper import StorageError, StorageUnavailable
from op_worker.storage.helpers.web.answers import Head, failure
from op_worker.storage.objects.store import ObjectKey, ObjectPage, ObjectStat

_REFUSALS = {
    "NoSuchKey": errno.ENOENT,
    "NoSuchVersion": errno.ENOENT,
    "NoSuchUpload": errno.ESTALE,
    "PreconditionFailed": errno.ESTALE,
    "ConditionalRequestConflict": errno.ESTALE,
    "AccessDenied": errno.EACCES,
    "AccountProblem": errno.EACCES,
    "AllAccessDisabled": errno.EACCES,
    "ExpiredToken": errno.EACCES,
    "InvalidAccessKeyId": errno.EACCES,
    "InvalidToken": errno.EACCES,
    "NotSignedUp": errno.EACCES,
    "SignatureDoesNotMatch": errno.EACCES,
    "UserSuspended": errno.EACCES,
    "AuthorizationHeaderMalformed": errno.EINVAL,
    "IllegalLocationConstraintException": errno.EINVAL,
    "InvalidBucketName": errno.EINVAL,
    "InvalidURI": errno.EINVAL,
    "PermanentRedirect": errno.EINVAL,
    "KeyTooLongError": errno.ENAMETOOLONG,
    "EntityTooLarge": errno.EFBIG,
    "MaxMessageLengthExceeded": errno.EFBIG,
    "QuotaExceeded": errno.EDQUOT,
    "InsufficientStorage": errno.ENOSPC,
    "XMinioStorageFull": errno.ENOSPC,
    "InvalidObjectState": errno.EBUSY,
    "MethodNotAllowed": errno.EROFS,
    "NotImplemented": errno.ENOTSUP,
}
_PASSING = {
    "NoSuchBucket": errno.EIO,
    "RequestTimeTooSkewed": errno.EACCES,
    "BadDigest": errno.EIO,
    "IncompleteBody": errno.EIO,
    "InternalError": errno.EIO,
    "OperationAborted": errno.EAGAIN,
    "RequestTimeout": errno.ETIMEDOUT,
    "ServiceUnavailable": errno.EAGAIN,
    "SlowDown": errno.EAGAIN,
    "Throttling": errno.EAGAIN,
    "TooManyRequests": errno.EAGAIN,
    "UnknownError": errno.ECANCELED,  # Ceph's gateway, of what is replaced at the same moment
    "XAmzContentSHA256Mismatch": errno.EIO,
}
_UNWRITABLE = frozenset(map(chr, range(32))) - {"\t", "\n", "\r"}


@frozen
class Refusal:
    """The code and the words of an error; the code is empty when the server sent none."""

    code: str = ""
    words: str = ""

    def error(self, head: Head, path: str) -> StorageError:
        """Return the error of a storage for this."""
        if not self.code:
            return failure(head, path)
        told = f"the server says {self.code}{f': {self.words}' if self.words else ''}"
        passing = _PASSING.get(self.code)
        if passing is not None:
            return StorageUnavailable(passing, path, told)
        known = _REFUSALS.get(self.code)
        if known is not None:
            return StorageError(known, path, told)
        by_status = failure(head, path)
        return type(by_status)(by_status.errno, path, told)


def refusal(body: bytes) -> Refusal:
    """Read the error in an answer."""
    try:
        root = _parsed(body)
    except StorageError:
        return Refusal()
    return Refusal(_text(root, "Code"), _text(root, "Message")) if _name(root) == "Error" else Refusal()


def page(body: bytes, prefix: str) -> ObjectPage:
    """Read a listing; keys lose ``prefix``. Raises: StorageError(EIO) when it is none."""
    root = _parsed(body)
    if _name(root) != "ListBucketResult":
        raise _unreadable()
    try:
        objects = [_stat(each, prefix) for each in _children(root, "Contents")]
    except ValueError as error:
        raise _unreadable() from error
    prefixes = [_text(each, "Prefix").removeprefix(prefix) for each in _children(root, "CommonPrefixes")]
    follows = _text(root, "NextContinuationToken") if _text(root, "IsTruncated") == "true" else ""
    return ObjectPage(objects, follows, prefixes)


def upload_id(body: bytes) -> str:
    """Return the id of an upload that was begun. Raises: StorageError(EIO)."""
    found = _text(_parsed(body), "UploadId")
    if not found:
        raise _unreadable()
    return found


def removals(keys: Sequence[str]) -> bytes:
    """Return the request that removes these keys."""
    objects = "".join(f"<Object><Key>{escape(key, _LINE_ENDS)}</Key></Object>" for key in keys)
    return f"<Delete><Quiet>true</Quiet>{objects}</Delete>".encode()


def is_removable_in_xml(key: str) -> bool:
    """Whether XML can say this key."""
    return _UNWRITABLE.isdisjoint(key)


def check_removals(body: bytes, head: Head) -> None:
    """Raise the first error of many removals; that something was missing is none."""
    for each in _children(_parsed(body), "Error"):
        found = Refusal(_text(each, "Code"), _text(each, "Message"))
        error = found.error(head, _text(each, "Key"))
        if error.errno != errno.ENOENT:
            raise error


def completion(tags: Sequence[str]) -> bytes:
    """Return the request that makes an object of parts with these tags."""
    parts = "".join(
        f"<Part><PartNumber>{number}</PartNumber><ETag>&quot;{escape(tag)}&quot;</ETag></Part>"
        for number, tag in enumerate(tags, 1)
    )
    return f"<CompleteMultipartUpload>{parts}</CompleteMultipartUpload>".encode()


def completed_tag(body: bytes, head: Head, path: str) -> str:
    """Return the tag of an object made of parts; a refusal may come in an answer that began as a success."""
    found = refusal(body)
    if found.code:
        raise found.error(head, path)
    return bare(_text(_parsed(body), "ETag"))


def bare(tag: str) -> str:
    """Return a tag without its quotes."""
    return tag.strip('"')


_LINE_ENDS = {"\t": "&#9;", "\n": "&#10;", "\r": "&#13;"}


def _stat(row: Element, prefix: str) -> ObjectStat:
    changed = _text(row, "LastModified")
    changed_s = datetime.fromisoformat(changed).timestamp() if changed else 0.0
    key = ObjectKey(_text(row, "Key").removeprefix(prefix))
    return ObjectStat(key, int(_text(row, "Size")), changed_s, bare(_text(row, "ETag")))


def _parsed(body: bytes) -> Element:
    try:
        root: Element = fromstring(body)
    except (ParseError, DefusedXmlException, ValueError) as error:
        raise _unreadable() from error
    return root


def _children(root: Element, name: str) -> Iterator[Element]:
    return (each for each in root if _name(each) == name)


def _text(root: Element, name: str) -> str:
    return next((each.text or "" for each in _children(root, name)), "")


def _name(element: Element) -> str:
    return element.tag.rpartition("}")[2]


def _unreadable() -> StorageError:
    return StorageError(errno.EIO, "", "the server sends an answer that cannot be read")
