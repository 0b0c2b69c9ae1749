"""Every error that Onedata systems tell each other and their users, one class per published id."""

from __future__ import annotations

from onedata.errors.automation import AtmInvalidStatusTransition as AtmInvalidStatusTransition
from onedata.errors.automation import AtmJobBatchCrashed as AtmJobBatchCrashed
from onedata.errors.automation import AtmJobBatchWithdrawn as AtmJobBatchWithdrawn
from onedata.errors.automation import AtmLambdaConfigBadValue as AtmLambdaConfigBadValue
from onedata.errors.automation import AtmLaneEmpty as AtmLaneEmpty
from onedata.errors.automation import AtmLaneExecutionCreationFailed as AtmLaneExecutionCreationFailed
from onedata.errors.automation import AtmLaneExecutionInitiationFailed as AtmLaneExecutionInitiationFailed
from onedata.errors.automation import AtmLaneExecutionRerunFailed as AtmLaneExecutionRerunFailed
from onedata.errors.automation import AtmLaneExecutionRetryFailed as AtmLaneExecutionRetryFailed
from onedata.errors.automation import (
    AtmOpenfaasFunctionRegistrationFailed as AtmOpenfaasFunctionRegistrationFailed,
)
from onedata.errors.automation import AtmOpenfaasNotConfigured as AtmOpenfaasNotConfigured
from onedata.errors.automation import AtmOpenfaasQueryFailed as AtmOpenfaasQueryFailed
from onedata.errors.automation import AtmOpenfaasUnhealthy as AtmOpenfaasUnhealthy
from onedata.errors.automation import AtmOpenfaasUnreachable as AtmOpenfaasUnreachable
from onedata.errors.automation import AtmParallelBoxEmpty as AtmParallelBoxEmpty
from onedata.errors.automation import (
    AtmParallelBoxExecutionCreationFailed as AtmParallelBoxExecutionCreationFailed,
)
from onedata.errors.automation import (
    AtmParallelBoxExecutionInitiationFailed as AtmParallelBoxExecutionInitiationFailed,
)
from onedata.errors.automation import (
    AtmStoreMissingRequiredInitialContent as AtmStoreMissingRequiredInitialContent,
)
from onedata.errors.automation import (
    AtmTaskArgMapperForNonexistentLambdaArg as AtmTaskArgMapperForNonexistentLambdaArg,
)
from onedata.errors.automation import (
    AtmTaskArgMapperForRequiredLambdaArgMissing as AtmTaskArgMapperForRequiredLambdaArgMissing,
)
from onedata.errors.automation import (
    AtmTaskArgMapperIteratedItemQueryFailed as AtmTaskArgMapperIteratedItemQueryFailed,
)
from onedata.errors.automation import (
    AtmTaskArgMapperUnsupportedValueBuilder as AtmTaskArgMapperUnsupportedValueBuilder,
)
from onedata.errors.automation import AtmTaskArgMappingFailed as AtmTaskArgMappingFailed
from onedata.errors.automation import AtmTaskExecutionCreationFailed as AtmTaskExecutionCreationFailed
from onedata.errors.automation import AtmTaskExecutionEnded as AtmTaskExecutionEnded
from onedata.errors.automation import AtmTaskExecutionInitiationFailed as AtmTaskExecutionInitiationFailed
from onedata.errors.automation import AtmTaskResultDispatchFailed as AtmTaskResultDispatchFailed
from onedata.errors.automation import AtmTaskResultMappingFailed as AtmTaskResultMappingFailed
from onedata.errors.automation import AtmTaskResultMissing as AtmTaskResultMissing
from onedata.errors.automation import AtmWorkflowEmpty as AtmWorkflowEmpty
from onedata.errors.automation import AtmWorkflowExecutionEnded as AtmWorkflowExecutionEnded
from onedata.errors.automation import AtmWorkflowExecutionNotEnded as AtmWorkflowExecutionNotEnded
from onedata.errors.automation import AtmWorkflowExecutionNotResumable as AtmWorkflowExecutionNotResumable
from onedata.errors.automation import AtmWorkflowExecutionNotStopped as AtmWorkflowExecutionNotStopped
from onedata.errors.automation import AtmWorkflowExecutionStopped as AtmWorkflowExecutionStopped
from onedata.errors.automation import AtmWorkflowExecutionStopping as AtmWorkflowExecutionStopping
from onedata.errors.automation_data import AtmDataTypeUnverified as AtmDataTypeUnverified
from onedata.errors.automation_data import (
    AtmDataValueConstraintUnverified as AtmDataValueConstraintUnverified,
)
from onedata.errors.automation_data import AtmStoreContentNotSet as AtmStoreContentNotSet
from onedata.errors.automation_data import AtmStoreCreationFailed as AtmStoreCreationFailed
from onedata.errors.automation_data import AtmStoreFrozen as AtmStoreFrozen
from onedata.errors.automation_data import AtmStoreNotFound as AtmStoreNotFound
from onedata.errors.automation_data import AtmStoreTypeDisallowed as AtmStoreTypeDisallowed
from onedata.errors.automation_data import AtmUnsupportedDataType as AtmUnsupportedDataType
from onedata.errors.base import OnedataError as OnedataError
from onedata.errors.catalogue import UnrecognisedError as UnrecognisedError
from onedata.errors.catalogue import error_from_json as error_from_json
from onedata.errors.cluster import ClusterNotReady as ClusterNotReady
from onedata.errors.cluster import LastNode as LastNode
from onedata.errors.cluster import NodeBusy as NodeBusy
from onedata.errors.cluster import NoSuchNode as NoSuchNode
from onedata.errors.cluster import NotLeader as NotLeader
from onedata.errors.connections import BadGRI as BadGRI
from onedata.errors.connections import BadVersion as BadVersion
from onedata.errors.connections import ExpectedHandshakeMessage as ExpectedHandshakeMessage
from onedata.errors.connections import HandshakeAlreadyDone as HandshakeAlreadyDone
from onedata.errors.connections import NotSubscribable as NotSubscribable
from onedata.errors.connections import RpcUndefined as RpcUndefined
from onedata.errors.credentials import BadBasicCredentials as BadBasicCredentials
from onedata.errors.credentials import BadConsumerToken as BadConsumerToken
from onedata.errors.credentials import BadIdpAccessToken as BadIdpAccessToken
from onedata.errors.credentials import BadServiceToken as BadServiceToken
from onedata.errors.credentials import BadToken as BadToken
from onedata.errors.credentials import BasicAuthDisabled as BasicAuthDisabled
from onedata.errors.credentials import BasicAuthNotSupported as BasicAuthNotSupported
from onedata.errors.credentials import InviteTokenConsumerInvalid as InviteTokenConsumerInvalid
from onedata.errors.credentials import InviteTokenSubjectNotAuthorized as InviteTokenSubjectNotAuthorized
from onedata.errors.credentials import InviteTokenTargetIdInvalid as InviteTokenTargetIdInvalid
from onedata.errors.credentials import InviteTokenUsageLimitReached as InviteTokenUsageLimitReached
from onedata.errors.credentials import NotAnAccessToken as NotAnAccessToken
from onedata.errors.credentials import NotAnIdentityToken as NotAnIdentityToken
from onedata.errors.credentials import NotAnInviteToken as NotAnInviteToken
from onedata.errors.credentials import TokenCaveatUnknown as TokenCaveatUnknown
from onedata.errors.credentials import TokenCaveatUnverified as TokenCaveatUnverified
from onedata.errors.credentials import TokenInvalid as TokenInvalid
from onedata.errors.credentials import TokenRevoked as TokenRevoked
from onedata.errors.credentials import TokenServiceForbidden as TokenServiceForbidden
from onedata.errors.credentials import TokenSessionInvalid as TokenSessionInvalid
from onedata.errors.credentials import TokenSubjectInvalid as TokenSubjectInvalid
from onedata.errors.credentials import TokenTimeCaveatRequired as TokenTimeCaveatRequired
from onedata.errors.credentials import TokenTooLarge as TokenTooLarge
from onedata.errors.credentials import UserBlocked as UserBlocked
from onedata.errors.data import BadData as BadData
from onedata.errors.data import BadGuiPackage as BadGuiPackage
from onedata.errors.data import BadValueAmbiguousId as BadValueAmbiguousId
from onedata.errors.data import BadValueBoolean as BadValueBoolean
from onedata.errors.data import BadValueCaveat as BadValueCaveat
from onedata.errors.data import BadValueDomain as BadValueDomain
from onedata.errors.data import BadValueEmail as BadValueEmail
from onedata.errors.data import BadValueEmpty as BadValueEmpty
from onedata.errors.data import BadValueFilePath as BadValueFilePath
from onedata.errors.data import BadValueFloat as BadValueFloat
from onedata.errors.data import BadValueFullName as BadValueFullName
from onedata.errors.data import BadValueIdentifier as BadValueIdentifier
from onedata.errors.data import BadValueIdentifierOccupied as BadValueIdentifierOccupied
from onedata.errors.data import BadValueIdNotFound as BadValueIdNotFound
from onedata.errors.data import BadValueInteger as BadValueInteger
from onedata.errors.data import BadValueInviteType as BadValueInviteType
from onedata.errors.data import BadValueIPv4Address as BadValueIPv4Address
from onedata.errors.data import BadValueJSON as BadValueJSON
from onedata.errors.data import BadValueListNotAllowed as BadValueListNotAllowed
from onedata.errors.data import BadValueListOfIPv4Addresses as BadValueListOfIPv4Addresses
from onedata.errors.data import BadValueListOfStrings as BadValueListOfStrings
from onedata.errors.data import BadValueName as BadValueName
from onedata.errors.data import BadValueNotAllowed as BadValueNotAllowed
from onedata.errors.data import BadValueNotInRange as BadValueNotInRange
from onedata.errors.data import BadValueOctal as BadValueOctal
from onedata.errors.data import BadValuePassword as BadValuePassword
from onedata.errors.data import BadValueQoSParameters as BadValueQoSParameters
from onedata.errors.data import BadValueString as BadValueString
from onedata.errors.data import BadValueSubdomain as BadValueSubdomain
from onedata.errors.data import BadValueTextTooLarge as BadValueTextTooLarge
from onedata.errors.data import (
    BadValueTimeSeriesCollectionConflictingMetricConfig as BadValueTimeSeriesCollectionConflictingMetricConfig,  # noqa: E501
)
from onedata.errors.data import BadValueToken as BadValueToken
from onedata.errors.data import BadValueTokenType as BadValueTokenType
from onedata.errors.data import BadValueTooHigh as BadValueTooHigh
from onedata.errors.data import BadValueTooLow as BadValueTooLow
from onedata.errors.data import BadValueUsername as BadValueUsername
from onedata.errors.data import BadValueXML as BadValueXML
from onedata.errors.data import GuiPackageTooLarge as GuiPackageTooLarge
from onedata.errors.data import GuiPackageUnverified as GuiPackageUnverified
from onedata.errors.data import IllegalSupportStageTransition as IllegalSupportStageTransition
from onedata.errors.data import InvalidQosExpression as InvalidQosExpression
from onedata.errors.data import MalformedData as MalformedData
from onedata.errors.data import MissingAtLeastOneValue as MissingAtLeastOneValue
from onedata.errors.data import MissingRequiredValue as MissingRequiredValue
from onedata.errors.data import TimeSeriesCollectionMissingLayout as TimeSeriesCollectionMissingLayout
from onedata.errors.data import TimeSeriesCollectionTooManyMetrics as TimeSeriesCollectionTooManyMetrics
from onedata.errors.general import AlreadyExists as AlreadyExists
from onedata.errors.general import BadMessage as BadMessage
from onedata.errors.general import ChecksumMismatch as ChecksumMismatch
from onedata.errors.general import ExternalServiceOperationFailed as ExternalServiceOperationFailed
from onedata.errors.general import FileAccess as FileAccess
from onedata.errors.general import Forbidden as Forbidden
from onedata.errors.general import ForbiddenWithHint as ForbiddenWithHint
from onedata.errors.general import InternalServerError as InternalServerError
from onedata.errors.general import LimitReached as LimitReached
from onedata.errors.general import NoConnectionToClusterNode as NoConnectionToClusterNode
from onedata.errors.general import NoConnectionToOnezone as NoConnectionToOnezone
from onedata.errors.general import NoConnectionToPeerOneprovider as NoConnectionToPeerOneprovider
from onedata.errors.general import NotFound as NotFound
from onedata.errors.general import NotSupported as NotSupported
from onedata.errors.general import OperationNotImplemented as OperationNotImplemented
from onedata.errors.general import PreconditionNotMet as PreconditionNotMet
from onedata.errors.general import ServiceUnavailable as ServiceUnavailable
from onedata.errors.general import TemporaryFailure as TemporaryFailure
from onedata.errors.general import Timeout as Timeout
from onedata.errors.general import Unauthorized as Unauthorized
from onedata.errors.general import UnregisteredOneprovider as UnregisteredOneprovider
from onedata.errors.general import UploadBusy as UploadBusy
from onedata.errors.general import UploadOffsetMismatch as UploadOffsetMismatch
from onedata.errors.onepanel import DnsServersUnreachable as DnsServersUnreachable
from onedata.errors.onepanel import ErrorOnNodes as ErrorOnNodes
from onedata.errors.onepanel import FileAllocation as FileAllocation
from onedata.errors.onepanel import LetsEncryptNotReachable as LetsEncryptNotReachable
from onedata.errors.onepanel import LetsEncryptResponse as LetsEncryptResponse
from onedata.errors.onepanel import NoConnectionToNewNode as NoConnectionToNewNode
from onedata.errors.onepanel import NodeAlreadyInCluster as NodeAlreadyInCluster
from onedata.errors.onepanel import NodeNotCompatible as NodeNotCompatible
from onedata.errors.onepanel import NoServiceNodes as NoServiceNodes
from onedata.errors.onepanel import UserNotInCluster as UserNotInCluster
from onedata.errors.oneprovider import AutoCleaningDisabled as AutoCleaningDisabled
from onedata.errors.oneprovider import AutoStorageImportNotSupported as AutoStorageImportNotSupported
from onedata.errors.oneprovider import BadSharePassword as BadSharePassword
from onedata.errors.oneprovider import ChangesForgotten as ChangesForgotten
from onedata.errors.oneprovider import DirStatsDisabledForSpace as DirStatsDisabledForSpace
from onedata.errors.oneprovider import DirStatsNotReady as DirStatsNotReady
from onedata.errors.oneprovider import FilePopularityDisabled as FilePopularityDisabled
from onedata.errors.oneprovider import ForbiddenForCurrentArchiveState as ForbiddenForCurrentArchiveState
from onedata.errors.oneprovider import NestedArchiveDeletionForbidden as NestedArchiveDeletionForbidden
from onedata.errors.oneprovider import NotALocalStorageSupportingSpace as NotALocalStorageSupportingSpace
from onedata.errors.oneprovider import NotSupportedForSymlinks as NotSupportedForSymlinks
from onedata.errors.oneprovider import QuotaExceeded as QuotaExceeded
from onedata.errors.oneprovider import RecallTargetConflict as RecallTargetConflict
from onedata.errors.oneprovider import RequiresAutoStorageImportMode as RequiresAutoStorageImportMode
from onedata.errors.oneprovider import RequiresImportedStorage as RequiresImportedStorage
from onedata.errors.oneprovider import RequiresNonImportedStorage as RequiresNonImportedStorage
from onedata.errors.oneprovider import RequiresPosixCompatibleStorage as RequiresPosixCompatibleStorage
from onedata.errors.oneprovider import RequiresReadonlyStorage as RequiresReadonlyStorage
from onedata.errors.oneprovider import SearchDisabledForSpace as SearchDisabledForSpace
from onedata.errors.oneprovider import ShareExpired as ShareExpired
from onedata.errors.oneprovider import SharePasswordRequired as SharePasswordRequired
from onedata.errors.oneprovider import SpaceNotSupportedBy as SpaceNotSupportedBy
from onedata.errors.oneprovider import StatOperationNotSupported as StatOperationNotSupported
from onedata.errors.oneprovider import StorageImportNotSupported as StorageImportNotSupported
from onedata.errors.oneprovider import StorageInUse as StorageInUse
from onedata.errors.oneprovider import StorageTestFailed as StorageTestFailed
from onedata.errors.oneprovider import TransferAlreadyEnded as TransferAlreadyEnded
from onedata.errors.oneprovider import TransferNotEnded as TransferNotEnded
from onedata.errors.oneprovider import UserNotSupported as UserNotSupported
from onedata.errors.oneprovider import ViewNotExistsOn as ViewNotExistsOn
from onedata.errors.oneprovider import ViewQueryFailed as ViewQueryFailed
from onedata.errors.onezone import AtmLambdaInUse as AtmLambdaInUse
from onedata.errors.onezone import CannotAddRelationToSelf as CannotAddRelationToSelf
from onedata.errors.onezone import CannotDeleteEntity as CannotDeleteEntity
from onedata.errors.onezone import CannotDeleteNonEmptyHandleService as CannotDeleteNonEmptyHandleService
from onedata.errors.onezone import CannotRemoveLastOwner as CannotRemoveLastOwner
from onedata.errors.onezone import ProtectedGroup as ProtectedGroup
from onedata.errors.onezone import RelationAlreadyExists as RelationAlreadyExists
from onedata.errors.onezone import RelationDoesNotExist as RelationDoesNotExist
from onedata.errors.onezone import (
    SpaceAlreadySupportedWithImportedStorage as SpaceAlreadySupportedWithImportedStorage,
)
from onedata.errors.onezone import SpaceMarketplaceDisabled as SpaceMarketplaceDisabled
from onedata.errors.onezone import SubdomainDelegationDisabled as SubdomainDelegationDisabled
from onedata.errors.onezone import SubdomainDelegationNotSupported as SubdomainDelegationNotSupported
from onedata.errors.posix import Errno as Errno
from onedata.errors.posix import Posix as Posix
