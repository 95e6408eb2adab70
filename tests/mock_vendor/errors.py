"""The vendors' error tables: code → HTTP status, and the body in each vendor's own form."""

from __future__ import annotations

from typing import Any

ARK = {
    "MissingParameter": 400,
    "InvalidParameter": 400,
    "InvalidEndpoint.ClosedEndpoint": 400,
    "InputTextSensitiveContentDetected": 400,
    "InputTextRiskDetection": 400,
    "OutofContextError": 400,
    "AuthenticationError": 401,
    "AccountOverdueError": 403,
    "AccessDenied": 403,
    "OperationDenied.ServiceNotOpen": 403,
    "InvalidEndpointOrModel.NotFound": 404,
    "ModelNotOpen": 404,
    "UnsupportedModel": 404,
    "RateLimitExceeded.EndpointRPMExceeded": 429,
    "RateLimitExceeded.EndpointTPMExceeded": 429,
    "ModelAccountRpmRateLimitExceeded": 429,
    "ModelAccountTpmRateLimitExceeded": 429,
    "RequestBurstTooFast": 429,
    "ServerOverloaded": 429,
    "QuotaExceeded": 429,
    "SetLimitExceeded": 429,
    "InternalServiceError": 500,
}
ARK_TYPES = {
    400: "BadRequest",
    401: "Unauthorized",
    403: "Forbidden",
    404: "NotFound",
    429: "TooManyRequests",
    500: "InternalServerError",
}
DASHSCOPE = {
    "InvalidParameter": 400,
    "DataInspectionFailed": 400,
    "Arrearage": 400,
    "FlowNotPublished": 400,
    "InvalidApiKey": 401,
    "AccessDenied": 403,
    "AccessDenied.Unpurchased": 403,
    "ModelNotFound": 404,
    "RequestTimeOut": 408,
    "BadRequest.TooLarge": 413,
    "Throttling": 429,
    "Throttling.RateQuota": 429,
    "Throttling.AllocationQuota": 429,
    "Throttling.BurstRate": 429,
    "PrepaidBillOverdue": 429,
    "InternalError": 500,
    "InternalError.Algo": 500,
}
OPENAI = {
    "invalid_value": 400,
    "invalid_api_key": 401,
    "insufficient_balance": 402,
    "unsupported_country": 403,
    "model_not_found": 404,
    "request_too_large": 413,
    "unprocessable": 422,
    "rate_limit_exceeded": 429,
    "insufficient_quota": 429,
    "server_error": 500,
    "bad_gateway": 502,
    "overloaded": 503,
    "gateway_timeout": 504,
    "overloaded_529": 529,
}
ANTHROPIC = {
    "invalid_request_error": 400,
    "authentication_error": 401,
    "billing_error": 402,
    "permission_error": 403,
    "not_found_error": 404,
    "request_too_large": 413,
    "rate_limit_error": 429,
    "api_error": 500,
    "timeout_error": 504,
    "overloaded_error": 529,
}


def ark(code: str, message: str) -> tuple[int, dict[str, Any]]:
    status = ARK[code]
    error = {"code": code, "message": message, "param": "", "type": ARK_TYPES[status]}
    return status, {"error": error}


def openai(code: str, message: str) -> tuple[int, dict[str, Any]]:
    status = OPENAI[code]
    return status, {"error": {"message": message, "type": "error", "param": None, "code": code}}


def compat(code: str, message: str) -> tuple[int, dict[str, Any]]:
    error = {"code": code, "message": message, "param": None, "type": code}
    return DASHSCOPE[code], {"error": error, "request_id": "vendor-request"}


def dashscope(code: str, message: str) -> tuple[int, dict[str, Any]]:
    return DASHSCOPE[code], {"code": code, "message": message, "request_id": "vendor-request"}


def anthropic(code: str, message: str) -> tuple[int, dict[str, Any]]:
    error = {"type": code, "message": message}
    return ANTHROPIC[code], {"type": "error", "error": error, "request_id": "req_vendor"}
