//! What the API server says when it does not give what was asked for.
use kube::core::Status;

/// A refusal, without the text of the server, which might repeat what nobody should read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Refusal {
    /// The status of HTTP, or the same in an event of a watch.
    pub(super) code: u16,
    /// The reason of a `Status` object, such as `NotFound`; `None` where what answered gave none: a proxy, for example.
    pub(super) reason: Option<&'static str>,
    /// For how many seconds the server wants to be left alone; 0 where it does not say.
    pub(super) retry_after: u32,
    /// Who we are, where the server says it.
    pub(super) user: Option<String>,
}

/// The reasons that are told apart, from `k8s.io/apimachinery/pkg/apis/meta/v1`.
const REASONS: [&str; 12] = [
    "Unauthorized",
    "Forbidden",
    "NotFound",
    "Gone",
    "Expired",
    "TooManyRequests",
    "Timeout",
    "ServerTimeout",
    "InternalError",
    "ServiceUnavailable",
    "BadRequest",
    "Invalid",
];

/// A `Status` object has more than this only in its message.
const LONGEST_USER: usize = 300;

// === impl Refusal ===

impl Refusal {
    /// Reads the body of an answer whose status of HTTP is `code`.
    pub(super) fn read(code: u16, body: &[u8]) -> Self {
        let status = serde_json::from_slice::<serde_json::Value>(body).ok();
        let status = status.filter(|status| status["kind"] == "Status");
        match status.and_then(|status| serde_json::from_value::<Status>(status).ok()) {
            Some(status) => Self {
                code,
                ..Self::of(&status)
            },
            None => Self {
                code,
                reason: None,
                retry_after: 0,
                user: None,
            },
        }
    }

    /// What an event of a watch says.
    pub(super) fn of(status: &Status) -> Self {
        let known = REASONS.iter().find(|reason| **reason == status.reason);
        Self {
            code: status.code,
            reason: Some(known.copied().unwrap_or("Unknown")),
            retry_after: status.details.as_ref().map_or(0, |d| d.retry_after_seconds),
            user: user(&status.message),
        }
    }

    /// Whether the past that was asked for is forgotten, so that one has to list.
    pub(super) fn is_expired(&self) -> bool {
        self.code == 410 || matches!(self.reason, Some("Gone" | "Expired"))
    }

    /// Whether we may not; without a `Status` object it was not the API server that said so.
    pub(super) fn is_forbidden(&self) -> bool {
        self.code == 403 && self.reason == Some("Forbidden")
    }

    /// Whether the API server does not know us.
    pub(super) fn is_unauthorized(&self) -> bool {
        self.code == 401 && self.reason == Some("Unauthorized")
    }

    /// Whether the API server says that the object is not there.
    pub(super) fn is_not_found(&self) -> bool {
        self.code == 404 && self.reason == Some("NotFound")
    }
}

/// The user in a message such as `secrets "db" is forbidden: User "system:serviceaccount:shop:orders" cannot get …`.
fn user(message: &str) -> Option<String> {
    let (_, rest) = message.split_once("User \"")?;
    let (user, _) = rest.split_once('"')?;
    let plain = |c: char| c.is_ascii_alphanumeric() || ":-._@/".contains(c);
    (user.len() <= LONGEST_USER && user.chars().all(plain)).then(|| user.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_is_read_without_its_text() {
        let status = |reason: &str, message: &str| {
            let status = serde_json::json!({
                "kind": "Status", "apiVersion": "v1", "status": "Failure", "message": message,
                "reason": reason, "details": {"retryAfterSeconds": 3}, "code": 1,
            });
            Refusal::read(403, status.to_string().as_bytes())
        };
        let account = "User \"system:serviceaccount:shop:orders\" cannot get canary";
        let read = status("Forbidden", account);
        assert_eq!(
            read.user.as_deref(),
            Some("system:serviceaccount:shop:orders")
        );
        assert_eq!(
            (read.code, read.reason, read.retry_after),
            (403, Some("Forbidden"), 3)
        );
        assert_eq!(status("canary", "User \"a canary\"").user, None);
        let shown = format!("{:?}", status("canary", "canary"));
        assert!(!shown.contains("canary"), "{shown}");
    }

    #[test]
    fn only_the_api_server_says_that_an_object_is_not_there() {
        for (code, body, expected) in [
            (
                404,
                r#"{"kind":"Status","reason":"NotFound","code":404}"#,
                true,
            ),
            (404, "404 page not found", false),
            (404, r#"{"kind":"Status","code":404}"#, false),
            (
                403,
                r#"{"kind":"Status","reason":"NotFound","code":404}"#,
                false,
            ),
        ] {
            assert_eq!(
                Refusal::read(code, body.as_bytes()).is_not_found(),
                expected,
                "{body}"
            );
        }
    }
}
