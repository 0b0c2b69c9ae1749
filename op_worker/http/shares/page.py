"""The pages of a share: a directory as a table, a refusal as a sentence. Pure; every name is escaped."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from html import escape
from urllib.parse import quote

from attrs import frozen

from op_worker.files.model import FileStat, FileType
from op_worker.files.stored.share_records import Share

STYLE = """
:root{color-scheme:light dark;--ink:#1d2733;--soft:#66737f;--line:#e3e8ec;--page:#f5f7f9;--card:#fff;\
--link:#0b63b8}
@media(prefers-color-scheme:dark){:root{--ink:#e4e9ee;--soft:#93a0ac;--line:#2b343d;--page:#12171c;\
--card:#1a2128;--link:#7ab8f5}}
*{box-sizing:border-box}
body{margin:0;padding:5vh 1rem;background:var(--page);color:var(--ink);font:16px/1.5 system-ui,sans-serif}
main{max-width:56rem;margin:auto}
h1{margin:0 0 .25rem;font-size:1.75rem;font-weight:600;overflow-wrap:anywhere}
p{margin:0 0 .5rem;color:var(--soft);white-space:pre-wrap;overflow-wrap:anywhere}
nav{margin:1.5rem 0 .75rem;overflow-wrap:anywhere}
nav b{font-weight:600}
a{color:var(--link);text-decoration:none}
a:hover,a:focus-visible{text-decoration:underline}
table{width:100%;border-collapse:collapse;background:var(--card);border:1px solid var(--line);\
border-radius:.5rem;overflow:hidden;border-spacing:0;border-collapse:separate}
th,td{padding:.55rem 1rem;text-align:left;border-bottom:1px solid var(--line)}
tr:last-child td{border-bottom:0}
th{font-size:.8rem;font-weight:500;color:var(--soft)}
td:first-child{overflow-wrap:anywhere}
td a{display:flex}
td:not(:first-child),th:not(:first-child){width:1%;white-space:nowrap;color:var(--soft);text-align:right;\
font-variant-numeric:tabular-nums}
tbody tr:hover{background:color-mix(in srgb,var(--link) 6%,transparent)}
svg{flex:none;width:1.1em;height:1.1em;margin:.2em .6em 0 0;fill:none;stroke:currentColor;\
stroke-width:1.5;stroke-linejoin:round}
footer{display:flex;justify-content:space-between;gap:1rem;margin:1rem 0;color:var(--soft);font-size:.85rem}
@media(max-width:36rem){th:last-child,td:last-child{display:none}}
"""
STYLE_HASH = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
POLICY = (
    f"default-src 'none'; style-src 'sha256-{STYLE_HASH}'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'"
)
"""The ``Content-Security-Policy`` of every page: nothing runs, nothing is loaded."""

_ICONS = """<svg hidden><symbol id="d" viewBox="0 0 16 16"><path d="M1.5 3h4.6l1.4 2h7v8h-13z"/></symbol>\
<symbol id="f" viewBox="0 0 16 16"><path d="M3.5 1.5h6l3 3v10h-9zM9.5 1.5v3h3"/></symbol>\
<symbol id="l" viewBox="0 0 16 16"><path d="M3 13c0-5 3-7 9-7M9 3l3.5 3L9 9"/></symbol></svg>"""
_LETTERS = {FileType.DIR: "d", FileType.REG: "f", FileType.SYMLNK: "l"}
_UNITS = ("KiB", "MiB", "GiB", "TiB", "PiB", "EiB")


@frozen(kw_only=True)
class Folder:
    """A page of a shared directory. ``names`` lead to it from the top of the share."""

    share: Share
    names: tuple[str, ...]
    entries: Sequence[FileStat]
    next_token: str | None = None


def share_url(share_id: str, names: Iterable[str] = ()) -> str:
    """Return the path of a URL below the provider."""
    return "/".join(("/share", quote(share_id, safe=""), *(quote(name, safe="") for name in names)))


def folder_page(folder: Folder) -> str:
    """Return a directory as an HTML page."""
    share = folder.share
    title = " / ".join((share.name, *folder.names))
    about = f"<p>{_text(share.description)}</p>" if share.description else ""
    rows = "".join(_row(folder, stat) for stat in folder.entries)
    table = (
        f"<table><thead><tr><th>Name<th>Size<th>Modified (UTC)</tr></thead><tbody>{rows}</tbody></table>"
        if rows
        else "<p>This directory is empty.</p>"
    )
    body = f"<h1>{_text(share.name)}</h1>{about}{_crumbs(folder)}{table}{_footer(folder)}{_ICONS}"
    return _page(title, body)


def refusal_page(title: str, sentence: str) -> str:
    """Return a page that says why there is nothing to see."""
    return _page(title, f"<h1>{_text(title)}</h1><p>{_text(sentence)}</p>")


def shown_size(size_b: int) -> str:
    """Return a size as people read it."""
    if size_b < 1024:
        return f"{size_b} B"
    size, unit = size_b / 1024, 0
    while size >= 1023.95 and unit < len(_UNITS) - 1:
        size, unit = size / 1024, unit + 1
    return f"{size:.1f} {_UNITS[unit]}"


def shown_time(time_s: float) -> str:
    """Return a time in UTC, to the minute; a dash for one that no calendar has."""
    try:
        return datetime.fromtimestamp(time_s, UTC).strftime("%Y-%m-%d %H:%M")
    except (OverflowError, ValueError, OSError):
        return "–"  # noqa: RUF001 - a dash is what is meant


def _page(title: str, body: str) -> str:
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        '<meta name="robots" content="noindex">'
        f"<title>{_text(title)}</title><style>{STYLE}</style></head><body><main>{body}</main></body></html>\n"
    )


def _crumbs(folder: Folder) -> str:
    names = folder.names
    if not names:
        return "<nav></nav>"
    parts = [_link(share_url(folder.share.share_id), folder.share.name)]
    for count in range(1, len(names)):
        parts.append(_link(share_url(folder.share.share_id, names[:count]), names[count - 1]))
    parts.append(f"<b><bdi>{_text(names[-1])}</bdi></b>")
    return f"<nav>{' / '.join(parts)}</nav>"


def _row(folder: Folder, stat: FileStat) -> str:
    url = escape(share_url(folder.share.share_id, (*folder.names, stat.name)))
    icon = f'<svg><use href="#{_LETTERS[stat.type]}"/></svg>'
    size = shown_size(stat.size_b) if stat.type is FileType.REG else ""
    name = f"<bdi>{_text(stat.name)}</bdi>"
    return (
        f'<tr><td><a href="{url}">{icon}{name}</a></td><td>{size}</td>'
        f"<td>{shown_time(stat.mtime_s)}</td></tr>"
    )


def _footer(folder: Folder) -> str:
    share = folder.share
    left = []
    if folder.entries:
        url = f"{share_url(share.share_id, folder.names)}?download=tar"
        left.append(_link(url, "Download everything (tar)"))
    if share.expires_s is not None:
        left.append(f"Shared until {shown_time(share.expires_s)} UTC")
    right = ""
    if folder.next_token is not None:
        url = f"{share_url(share.share_id, folder.names)}?after={quote(folder.next_token, safe='')}"
        right = _link(url, "Next page")
    return f"<footer><span>{' · '.join(left)}</span><span>{right}</span></footer>"


def _link(url: str, text: str) -> str:
    return f'<a href="{escape(url)}"><bdi>{_text(text)}</bdi></a>'


def _text(text: str) -> str:
    """Return text for a page; what does not print, or turns the writing around, is shown as a mark."""
    return escape("".join(c if c.isprintable() or c in "\n\t" else "\ufffd" for c in text))
