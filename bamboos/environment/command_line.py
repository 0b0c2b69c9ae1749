"""What the scripts that raise environments share: options, judging the description, the last line."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from bamboos.environment.description import Description, DescriptionError, load
from bamboos.environment.engines.docker import DockerEngine
from bamboos.environment.engines.docker_cli import Docker
from bamboos.environment.engines.engine import EngineMaker
from bamboos.environment.engines.process import ProcessEngine
from bamboos.environment.launch import Environment
from bamboos.environment.parts import Document
from bamboos.environment.validation import problems
from bamboos.environment.waiting import LaunchFailed

ENGINES = ("auto", "process", "docker")

COMPONENTS = {
    "worker": "-bw",
    "cluster-worker": "-bcw",
    "cm": "-bcm",
    "oz": "-boz",
    "onepanel": "-bop",
    "appmock": "-ba",
    "client": "-bc",
}
"""Options that tell where a component was built; here all of them are in this repository."""


def add_options(parser: argparse.ArgumentParser, components: Sequence[str] = ()) -> None:
    """Add the options that every script of this family has, and ``--bin-…`` of these components."""
    parser.add_argument(
        "-i", "--image", help="image of the nodes; by default one that borrows this machine's programs"
    )
    for name in components:
        parser.add_argument(
            COMPONENTS[name], f"--bin-{name}", help="accepted; every component is in this repository"
        )
    parser.add_argument("-l", "--logdir", type=Path, help="logs are linked below this folder, by host name")
    parser.add_argument("--engine", choices=ENGINES, default="auto", help="auto: containers where possible")
    parser.add_argument("--state-dir", type=Path, help="folder for configurations, data and logs")
    parser.add_argument("config", type=Path, help="the environment description")


def raise_described(arguments: argparse.Namespace, part_of: Callable[[Document], Document] = dict) -> None:
    """Raise what the description says, or the part of it that is wanted; print the JSON; leave.

    Exits with 1 when the description has problems, and nothing is started then, or when something did
    not come up.
    """
    description = _described(arguments.config, part_of)
    engine = chosen_engine(arguments.engine, arguments.image)
    try:
        environment = Environment.prepare(description, arguments.state_dir, engine)
    except LaunchFailed as error:
        sys.exit(f"error: {error}")
    failed = not _raise(environment)
    if arguments.logdir:
        environment.link_logs(arguments.logdir)
    print(json.dumps(environment.output()), flush=True)
    sys.exit(1 if failed else 0)


def chosen_engine(name: str, image: str | None) -> EngineMaker:
    """The engine of this name; ``auto`` takes containers if an engine answers, and says when none does."""
    if name == "process":
        return ProcessEngine.make
    problem = Docker().problem()
    if problem is None:
        return partial(DockerEngine.make, image=image)
    if name == "docker":
        sys.exit(f"error: no container engine can be used: {problem}")
    print(f"NOTE: no container engine can be used ({problem}); starting LOCAL PROCESSES instead", flush=True)
    return ProcessEngine.make


def _described(path: Path, part_of: Callable[[Document], Document]) -> Description:
    try:
        description = load(path, part_of)
    except DescriptionError as error:
        sys.exit(str(error))
    for warning in description.warnings:
        print(f"warning: {warning}")
    if found := problems(description):
        print(f"{path} has {len(found)} problem(s), nothing was started:")
        print("\n".join(f"  - {problem}" for problem in found))
        sys.exit(1)
    return description


def _raise(environment: Environment) -> bool:
    try:
        environment.up(lambda line: print(line, flush=True))
    except LaunchFailed as error:
        print(f"error: {error}")
        return False
    return True
