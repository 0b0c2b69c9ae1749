"""A resource tree whose unknown places are plain 404s, without a page."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from twisted.web.iweb import IRequest
from twisted.web.resource import IResource, Resource
from twisted.web.server import NOT_DONE_YET

from cluster_worker.http.errors import HttpError, render_error

if TYPE_CHECKING:
    from cluster_worker.http.request import StreamingRequest


class Nothing(Resource):
    """Answers 404 with an empty body, whatever is asked."""

    isLeaf = True

    def render(self, request: StreamingRequest) -> int:
        render_error(request, HttpError(404))
        return NOT_DONE_YET


class Branch(Resource):
    """A place in the tree that holds others and is nothing itself."""

    def mount(self, path: str, resource: IResource) -> None:
        """Put ``resource`` at ``path`` below this place; branches on the way are made."""
        *above, last = path.strip("/").encode("ascii").split(b"/")
        branch = self
        for name in above:
            below = branch.children.get(name)
            if not isinstance(below, Branch):
                below = Branch()
                branch.putChild(name, below)
            branch = below
        branch.putChild(last, resource)

    def getChild(self, path: bytes, request: IRequest) -> IResource:
        return Nothing()

    def render(self, request: StreamingRequest) -> Any:
        render_error(request, HttpError(404))
        return NOT_DONE_YET


class Fork(Branch):
    """A place whose requests belong to one leaf, but for those below what else is mounted here."""

    def __init__(self, leaf: IResource) -> None:
        super().__init__()
        self._leaf = leaf

    def getChild(self, path: bytes, request: IRequest) -> IResource:
        """Return the leaf, which sees the path as if it were mounted here itself."""
        request.postpath.insert(0, path)
        request.prepath.pop()
        return self._leaf

    def render(self, request: StreamingRequest) -> Any:
        return self._leaf.render(request)
