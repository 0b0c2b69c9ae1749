"""Errors of running workflows: lanes, parallel boxes, tasks, lambdas."""

from __future__ import annotations

from collections.abc import Collection
from typing import ClassVar

from attrs import define, field

from onedata.errors.base import NESTED, OnedataError


class AtmWorkflowEmpty(OnedataError):
    text: ClassVar[str] = "The workflow has no lanes."


class AtmWorkflowExecutionStopping(OnedataError):
    text: ClassVar[str] = "The workflow execution is stopping."


class AtmWorkflowExecutionStopped(OnedataError):
    text: ClassVar[str] = "The workflow execution has stopped."


class AtmWorkflowExecutionNotStopped(OnedataError):
    text: ClassVar[str] = "The workflow execution has not stopped."


class AtmWorkflowExecutionEnded(OnedataError):
    text: ClassVar[str] = "The workflow execution has ended."


class AtmWorkflowExecutionNotEnded(OnedataError):
    text: ClassVar[str] = "The workflow execution has not ended."


class AtmWorkflowExecutionNotResumable(OnedataError):
    text: ClassVar[str] = "The workflow execution cannot be resumed."


class AtmStoreMissingRequiredInitialContent(OnedataError):
    text: ClassVar[str] = "The store needs initial content."


class AtmLaneExecutionRetryFailed(OnedataError):
    text: ClassVar[str] = "The lane execution cannot be retried."


class AtmLaneExecutionRerunFailed(OnedataError):
    text: ClassVar[str] = "The lane execution cannot be run again."


class AtmTaskExecutionEnded(OnedataError):
    text: ClassVar[str] = "The task execution has ended."


class AtmOpenfaasNotConfigured(OnedataError):
    text: ClassVar[str] = "OpenFaaS is not configured."


class AtmOpenfaasUnreachable(OnedataError):
    text: ClassVar[str] = "OpenFaaS cannot be reached."


class AtmOpenfaasFunctionRegistrationFailed(OnedataError):
    text: ClassVar[str] = "The function could not be registered in OpenFaaS."


class AtmOpenfaasUnhealthy(OnedataError):
    text: ClassVar[str] = "OpenFaaS is not healthy."
    http_status = 503


@define(slots=False)
class AtmLaneFailure(OnedataError):
    """A failure of one lane."""

    atm_lane_schema_id: str


class AtmLaneEmpty(AtmLaneFailure):
    text: ClassVar[str] = "The lane {atm_lane_schema_id} has no parallel boxes."


@define(slots=False)
class AtmLaneFailureWithCause(OnedataError):
    """A failure of one lane, with its cause."""

    atm_lane_schema_id: str
    specific_error: OnedataError = field(metadata=NESTED)


class AtmLaneExecutionCreationFailed(AtmLaneFailureWithCause):
    text: ClassVar[str] = (
        "The execution of the lane {atm_lane_schema_id} could not be created: {specific_error}"
    )


class AtmLaneExecutionInitiationFailed(AtmLaneFailureWithCause):
    text: ClassVar[str] = (
        "The execution of the lane {atm_lane_schema_id} could not be started: {specific_error}"
    )


@define(slots=False)
class AtmParallelBoxFailure(OnedataError):
    """A failure of one parallel box."""

    atm_parallel_box_schema_id: str


class AtmParallelBoxEmpty(AtmParallelBoxFailure):
    text: ClassVar[str] = "The parallel box {atm_parallel_box_schema_id} has no tasks."


@define(slots=False)
class AtmParallelBoxFailureWithCause(OnedataError):
    """A failure of one parallel box, with its cause."""

    atm_parallel_box_schema_id: str
    specific_error: OnedataError = field(metadata=NESTED)


class AtmParallelBoxExecutionCreationFailed(AtmParallelBoxFailureWithCause):
    text: ClassVar[str] = (
        "The execution of the parallel box {atm_parallel_box_schema_id} could not be created: "
        "{specific_error}"
    )


class AtmParallelBoxExecutionInitiationFailed(AtmParallelBoxFailureWithCause):
    text: ClassVar[str] = (
        "The execution of the parallel box {atm_parallel_box_schema_id} could not be started: "
        "{specific_error}"
    )


@define(slots=False)
class AtmTaskFailureWithCause(OnedataError):
    """A failure of one task, with its cause."""

    atm_task_schema_id: str
    specific_error: OnedataError = field(metadata=NESTED)


class AtmTaskExecutionCreationFailed(AtmTaskFailureWithCause):
    text: ClassVar[str] = (
        "The execution of the task {atm_task_schema_id} could not be created: {specific_error}"
    )


class AtmTaskExecutionInitiationFailed(AtmTaskFailureWithCause):
    text: ClassVar[str] = (
        "The execution of the task {atm_task_schema_id} could not be started: {specific_error}"
    )


@define(slots=False)
class AtmLambdaConfigBadValue(OnedataError):
    text: ClassVar[str] = "The parameter {parameter_name} of the lambda has a bad value: {specific_error}"

    parameter_name: str
    specific_error: OnedataError = field(metadata=NESTED)


@define(slots=False)
class AtmTaskArgMapperForRequiredLambdaArgMissing(OnedataError):
    text: ClassVar[str] = "No mapper for the required argument {argument}."

    argument: str


@define(slots=False)
class AtmTaskArgMapperForNonexistentLambdaArg(OnedataError):
    text: ClassVar[str] = "The lambda has no argument {argument}."

    argument: str


@define(slots=False)
class AtmTaskArgMappingFailed(OnedataError):
    text: ClassVar[str] = "The argument {argument} could not be mapped: {specific_error}"

    argument: str
    specific_error: OnedataError = field(metadata=NESTED)


@define(slots=False)
class AtmTaskArgMapperUnsupportedValueBuilder(OnedataError):
    text: ClassVar[str] = "The value builder {type} is not supported; these are: {supported}."

    type: object
    supported: Collection[object]


@define(slots=False)
class AtmTaskArgMapperIteratedItemQueryFailed(OnedataError):
    text: ClassVar[str] = "The query {query} found nothing in the item {value}."

    value: object
    query: object


@define(slots=False)
class AtmTaskResultMissing(OnedataError):
    text: ClassVar[str] = "The result {missing_result_name} is missing; received: {received_result_names}."

    missing_result_name: str
    received_result_names: Collection[str]


@define(slots=False)
class AtmTaskResultMappingFailed(OnedataError):
    text: ClassVar[str] = "The result {result} could not be mapped: {specific_error}"

    result: str
    specific_error: OnedataError = field(metadata=NESTED)


@define(slots=False)
class AtmTaskResultDispatchFailed(OnedataError):
    text: ClassVar[str] = "The result could not be sent to the store {atm_store_schema_id}: {specific_error}"

    atm_store_schema_id: str
    specific_error: OnedataError = field(metadata=NESTED)


@define(slots=False)
class AtmJobBatchWithdrawn(OnedataError):
    text: ClassVar[str] = "The batch of jobs was withdrawn: {reason}"
    http_status = 404

    reason: str


@define(slots=False)
class AtmJobBatchCrashed(OnedataError):
    text: ClassVar[str] = "The batch of jobs crashed: {reason}"
    http_status = 500

    reason: str


@define(slots=False)
class AtmOpenfaasQueryFailed(OnedataError):
    text: ClassVar[str] = "OpenFaaS answered with a failure: {reason}"

    reason: str


@define(slots=False)
class AtmInvalidStatusTransition(OnedataError):
    text: ClassVar[str] = "The status cannot change from {prev_status} to {new_status}."

    prev_status: str
    new_status: str
