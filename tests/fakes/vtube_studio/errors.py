"""Files/ErrorID.cs: the errors that the fake can give."""

from enum import IntEnum


class ErrorID(IntEnum):
    """Names and numbers as in the file."""

    InternalServerError = 0
    APIAccessDeactivated = 1
    JSONInvalid = 2
    APINameInvalid = 3
    APIVersionInvalid = 4
    RequestIDInvalid = 5
    RequestTypeMissingOrEmpty = 6
    RequestTypeUnknown = 7
    RequestRequiresAuthetication = 8
    TokenRequestDenied = 50
    TokenRequestCurrentlyOngoing = 51
    TokenRequestPluginNameInvalid = 52
    TokenRequestDeveloperNameInvalid = 53
    TokenRequestPluginIconInvalid = 54
    AuthenticationTokenMissing = 100
    AuthenticationPluginNameMissing = 101
    AuthenticationPluginDeveloperMissing = 102
    HotkeyQueueFull = 200
    HotkeyExecutionFailedBecauseNoModelLoaded = 201
    HotkeyIDNotFoundInModel = 202
    HotkeyCooldownNotOver = 203
    HotkeyExecutionFailedBecauseLive2DItemNotFound = 207
    CustomParamNameInvalid = 350
    CustomParamValuesInvalid = 351
    CustomParamAlreadyCreatedByOtherPlugin = 352
    CustomParamExplanationTooLong = 353
    CustomParamDefaultParamNameNotAllowed = 354
    CustomParamLimitPerPluginExceeded = 355
    CustomParamLimitTotalExceeded = 356
    InjectDataNoDataProvided = 450
    InjectDataValueInvalid = 451
    InjectDataWeightInvalid = 452
    InjectDataParamNameNotFound = 453
    InjectDataParamControlledByOtherPlugin = 454
    InjectDataModeUnknown = 455
    ParameterValueRequestParameterNotFound = 500
    ExpressionStateRequestInvalidFilename = 600
    ExpressionStateRequestFileNotFound = 601
    ExpressionActivationRequestInvalidFilename = 650
    ExpressionActivationRequestFileNotFound = 651
    ExpressionActivationRequestNoModelLoaded = 652
    EventSubscriptionRequestEventTypeUnknown = 950
    EventTestEventTestMessageTooLong = 100_000
    EventModelLoadedEventModelIDInvalid = 100_050


class ApiError(Exception):
    """Becomes an `APIError` answer (README, "Authentication", second response)."""

    def __init__(self, error: ErrorID, message: str) -> None:
        super().__init__(message)
        self.error = error
        self.message = message
