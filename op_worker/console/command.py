"""The subcommands: what they ask, what they print, with which code they exit."""

from __future__ import annotations

import json
from argparse import Namespace
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TextIO
from urllib.parse import quote

from attrs import frozen
from rich.console import Console

from op_worker.console import rendering
from op_worker.console.client import PanelClient, Refused, Unreachable
from op_worker.console.values import BadArgument, ReadFile, description, json_object, size_b

FINE, REFUSED, USAGE, UNREACHABLE, INTERRUPTED = 0, 1, 2, 3, 130
"""Exit codes."""


@frozen(kw_only=True)
class Command:
    """Runs against one provider; prints to ``console``, and problems to ``errors``."""

    client: PanelClient
    console: Console
    errors: TextIO
    read: ReadFile
    as_json: bool = False

    def run(self, options: Namespace) -> int:
        """Run what the options name; return the exit code."""
        work: Callable[[Namespace], int] = getattr(self, f"{options.subject}_{options.what}")
        try:
            return work(options)
        except Refused as problem:
            return self._fail(str(problem), REFUSED)
        except Unreachable as problem:
            return self._fail(str(problem), UNREACHABLE)
        except (BadArgument, OSError) as problem:
            return self._fail(str(problem), USAGE)

    def storages_list(self, options: Namespace) -> int:
        ids = self.client.ask("GET", "/storages")["ids"]
        found = [self.client.ask("GET", f"/storages/{quote(one, safe='')}") for one in ids]
        return self._rows(found, rendering.STORAGE_COLUMNS, map(rendering.storage_row, found))

    def storages_show(self, options: Namespace) -> int:
        return self._facts(self.client.ask("GET", self._storage(options.storage)))

    def storages_add(self, options: Namespace) -> int:
        body = {} if options.file is None else json_object(self.read(options.file), options.file)
        words = [] if options.type is None else [options.type]
        if words and "=" not in words[0]:
            body["type"] = words.pop()
        body |= description([*words, *options.parameters], self.read)
        added = self.client.ask("POST", "/storages", {options.name: body})
        return self._facts(added[options.name])

    def storages_modify(self, options: Namespace) -> int:
        body = description(options.parameters, self.read)
        return self._facts(self.client.ask("PATCH", self._storage(options.storage), body))

    def storages_test(self, options: Namespace) -> int:
        found = self.client.ask("POST", f"{self._storage(options.storage)}/test")
        steps = found["steps"]
        rows = [
            (one["name"], one["outcome"], f"{one['durationMs']} ms", one.get("message") or "-")
            for one in steps
        ]
        code = self._rows(steps, ("Step", "Outcome", "Took", "Message"), rows)
        return code if all(one["outcome"] != "failed" for one in steps) else REFUSED

    def storages_remove(self, options: Namespace) -> int:
        self.client.ask("DELETE", self._storage(options.storage))
        return FINE

    def storages_drain(self, options: Namespace) -> int:
        path = f"{self._storage(options.storage)}/draining"
        return self._facts(self.client.ask("DELETE" if options.off else "PUT", path))

    def spaces_list(self, options: Namespace) -> int:
        ids = self.client.ask("GET", "/spaces")["ids"]
        found = [self.client.ask("GET", f"/spaces/{quote(one, safe='')}") for one in ids]
        return self._rows(found, rendering.SPACE_COLUMNS, map(rendering.space_row, found))

    def spaces_show(self, options: Namespace) -> int:
        return self._facts(self.client.ask("GET", self._space(options.space)))

    def spaces_support(self, options: Namespace) -> int:
        storage_id = self._storage(options.storage).rpartition("/")[2]
        body = {"token": self._token(options.token), "storageId": storage_id, "size": size_b(options.size)}
        return self._facts(self.client.ask("POST", "/spaces", body))

    def spaces_resize(self, options: Namespace) -> int:
        body: dict[str, Any] = {"size": size_b(options.size)}
        if options.storage is not None:
            body["storageId"] = self._storage(options.storage).rpartition("/")[2]
        return self._facts(self.client.ask("PATCH", self._space(options.space), body))

    def spaces_revoke(self, options: Namespace) -> int:
        path = self._space(options.space)
        if options.storage is not None:
            path += f"/storages/{self._storage(options.storage).rpartition('/')[2]}"
        self.client.ask("DELETE", f"{path}?force=true" if options.force else path)
        return FINE

    def spaces_placement(self, options: Namespace) -> int:
        path = f"{self._space(options.space)}/placement"
        if options.file is None:
            return self._facts(self.client.ask("GET", path))
        return self._facts(self.client.ask("PUT", path, json_object(self.read(options.file), options.file)))

    def spaces_import(self, options: Namespace) -> int:
        path = f"{self._space(options.space)}/storage-import"
        match options.action:
            case "info":
                return self._facts(self.client.ask("GET", f"{path}/info"))
            case "start" | "stop":
                self.client.ask("POST", f"{path}/{options.action}-scan")
                return FINE
            case _ if options.file is None:
                return self._facts(self.client.ask("GET", path))
            case _:
                body = json_object(self.read(options.file), options.file)
                return self._facts(self.client.ask("PUT", path, body))

    def _storage(self, text: str) -> str:
        """Return the path of a storage that is named by its id or its name."""
        return self._one("/storages", text)

    def _space(self, text: str) -> str:
        return self._one("/spaces", text)

    def _one(self, all_: str, text: str) -> str:
        ids: Sequence[str] = self.client.ask("GET", all_)["ids"]
        if text in ids:
            return f"{all_}/{quote(text, safe='')}"
        paths = [f"{all_}/{quote(one, safe='')}" for one in ids]
        named = [path for path in paths if self.client.ask("GET", path)["name"] == text]
        if len(named) != 1:
            raise BadArgument(f"{text}: {'several have' if named else 'nothing has'} this id or name")
        return named[0]

    def _token(self, text: str) -> str:
        """Tokens may lie in files, so that no list of processes shows them."""
        return self.read(text[1:]).strip() if text.startswith("@") else text

    def _rows(self, found: object, columns: Sequence[str], rows: Any) -> int:
        if self.as_json:
            self._print(json.dumps(found, indent=2, ensure_ascii=False))
        elif self.console.is_terminal:
            self.console.print(rendering.table(columns, rows))
        else:
            self._print(*rendering.lines(list(rows)))
        return FINE

    def _facts(self, answer: Mapping[str, Any]) -> int:
        return self._rows(answer, ("", ""), rendering.facts(answer))

    def _print(self, *texts: str) -> None:
        for text in texts:
            self.console.file.write(f"{text}\n")
        self.console.file.flush()

    def _fail(self, text: str, code: int) -> int:
        self.errors.write(f"{text}\n")
        return code
