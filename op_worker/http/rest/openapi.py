"""The OpenAPI 3.0 document of the door, made from its route table. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from http import HTTPStatus
from typing import Any

from cluster_worker.http.params import Param
from op_worker.http.rest.calls import BASE_PATH
from op_worker.http.rest.table import JSON, Access, Body, Route

_PATH_PARAMS = {
    "id": "Id of a file, or of a space for its root directory.",
    "sid": "Id of a space.",
    "uid": "Id of a user.",
    "hid": "Id of another name of the file.",
    "shid": "Id of a share.",
    "item": "Id of an item of the recycle bin.",
    "path": "Path of names, separated by slashes.",
}
_TOKEN_SCHEMES: tuple[dict[str, Any], ...] = ({"token": []}, {"bearer": []})


def openapi_document(routes: Iterable[Route], version: str) -> dict[str, Any]:
    """Return the document; ``version`` is the product's."""
    paths: dict[str, dict[str, Any]] = {}
    for route in routes:
        paths.setdefault(route.path, {})[route.method.lower()] = _operation(route)
    return {
        "openapi": "3.0.3",
        "info": {"title": "Oneprovider REST API", "version": version},
        "servers": [{"url": BASE_PATH}],
        "paths": paths,
        "components": {
            "schemas": {"Error": _ERROR},
            "securitySchemes": {
                "token": {"type": "apiKey", "in": "header", "name": "X-Auth-Token"},
                "bearer": {"type": "http", "scheme": "bearer"},
            },
        },
    }


def _operation(route: Route) -> dict[str, Any]:
    summary = (route.operation.__doc__ or "").strip().splitlines()[0]
    operation: dict[str, Any] = {
        "summary": summary,
        "operationId": _operation_id(route),
        "parameters": [
            *_path_parameters(route.path),
            *map(_query_parameter, route.params),
            *_header_parameters(route.access),
        ],
        "responses": _responses(route),
        "security": _security(route.access),
    }
    if route.consumes is not None:
        operation["requestBody"] = _request_body(route, route.consumes)
    return operation


def _operation_id(route: Route) -> str:
    name: str = getattr(route.operation, "__name__", "operation")
    if "{path}" in route.path and route.method == "GET":
        return f"{name}_at_path"
    return f"{name}_by_get" if name == "search_space" and route.method == "GET" else name


def _path_parameters(path: str) -> list[dict[str, Any]]:
    return [
        {"name": name, "in": "path", "required": True, "description": help_, "schema": {"type": "string"}}
        for name, help_ in _PATH_PARAMS.items()
        if f"{{{name}}}" in path
    ]


def _header_parameters(access: Access) -> list[dict[str, Any]]:
    if access is not Access.SHARED:
        return []
    text = "The password of the share, when the file id is of one that has a password."
    schema = {"type": "string"}
    return [
        {"name": "X-Share-Password", "in": "header", "required": False, "description": text, "schema": schema}
    ]


def _query_parameter(param: Param) -> dict[str, Any]:
    return {
        "name": param.name,
        "in": "query",
        "required": False,
        "description": param.help,
        "schema": _schema(param),
    }


def _schema(param: Param) -> dict[str, Any]:
    schema = dict(param.kind.schema)
    return schema if param.default is None else {**schema, "default": param.default}


def _request_body(route: Route, media_type: str) -> dict[str, Any]:
    schema: dict[str, Any] = {} if media_type == JSON else {"type": "string", "format": "binary"}
    if route.body is Body.PARAMS:
        required = [param.name for param in route.params if param.required]
        schema = {
            "type": "object",
            "properties": {param.name: _schema(param) for param in route.params},
            **({"required": required} if required else {}),
        }
    return {"content": {media_type: {"schema": schema}}}


def _responses(route: Route) -> dict[str, Any]:
    success: dict[str, Any] = {"description": HTTPStatus(route.status).phrase}
    if route.status != 204:
        schema = {} if route.produces == JSON else {"type": "string", "format": "binary"}
        success["content"] = {
            route.produces: {"schema": schema},
            **{type_: {"schema": {"type": "string"}} for type_ in route.also_produces},
        }
    error = {
        "description": "An error.",
        "content": {JSON: {"schema": {"$ref": "#/components/schemas/Error"}}},
    }
    return {str(route.status): success, "default": error}


def _security(access: Access) -> list[dict[str, Any]]:
    if access is Access.PUBLIC:
        return []
    optional: list[dict[str, Any]] = [{}] if access is Access.SHARED else []
    return [*_TOKEN_SCHEMES, *optional]


_ERROR = {
    "type": "object",
    "required": ["error"],
    "properties": {
        "error": {
            "type": "object",
            "required": ["id", "description"],
            "properties": {
                "id": {"type": "string"},
                "description": {"type": "string"},
                "details": {"type": "object"},
            },
        }
    },
}
