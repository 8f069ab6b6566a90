//! `Status` objects, as <https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/status/> has them.
use serde_json::{Value, json};

/// What stands in a `Status` object for a failure.
pub(super) fn failure(code: u16, reason: &str, message: &str, details: Option<Value>) -> Value {
    let mut status = json!({
        "kind": "Status",
        "apiVersion": "v1",
        "metadata": {},
        "status": "Failure",
        "message": message,
        "reason": reason,
        "code": code,
    });
    if let Some(details) = details {
        status["details"] = details;
    }
    status
}

pub(super) fn unauthorized() -> Value {
    failure(401, "Unauthorized", "Unauthorized", None)
}

pub(super) fn forbidden(user: &str, verb: &str, namespace: &str, name: &str) -> Value {
    let object = if name.is_empty() {
        "secrets".to_owned()
    } else {
        format!("secrets \"{name}\"")
    };
    let message = format!(
        "{object} is forbidden: User \"{user}\" cannot {verb} resource \"secrets\" in API group \"\" in the namespace \
         \"{namespace}\""
    );
    let details = json!({"name": name, "kind": "secrets"});
    failure(403, "Forbidden", &message, Some(details))
}

pub(super) fn not_found(kind: &str, name: &str) -> Value {
    let message = format!("{kind} \"{name}\" not found");
    failure(
        404,
        "NotFound",
        &message,
        Some(json!({"name": name, "kind": kind})),
    )
}

pub(super) fn conflict(reason: &str, name: &str) -> Value {
    let message = format!("secrets \"{name}\": {reason}");
    failure(
        409,
        reason,
        &message,
        Some(json!({"name": name, "kind": "secrets"})),
    )
}

pub(super) fn expired(asked: u64, oldest: u64) -> Value {
    let message = format!("too old resource version: {asked} ({oldest})");
    failure(410, "Expired", &message, None)
}

/// What an overloaded or a broken server says.
pub(super) fn trouble(code: u16) -> Value {
    let (reason, details) = match code {
        429 => ("TooManyRequests", Some(json!({"retryAfterSeconds": 1}))),
        504 => ("Timeout", None),
        503 => ("ServiceUnavailable", None),
        _ => ("InternalError", None),
    };
    failure(code, reason, "told to fail by the test", details)
}
