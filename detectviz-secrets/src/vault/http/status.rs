//! What the status of an answer means, after <https://developer.hashicorp.com/vault/api-docs#http-status-codes> and
//! <https://developer.hashicorp.com/vault/api-docs/system/health>.
use super::Answer;
use crate::vault::failure::{Cause, Failure};
use serde::Deserialize;

/// The longest text of the server's errors that is repeated, in bytes.
const MAX_ERRORS: usize = 256;

#[derive(Deserialize, Default)]
struct Errors {
    #[serde(default)]
    errors: Vec<String>,
}

/// What an answer that is no success says. `node` is how errors call the one that answered.
pub(super) fn failure(answer: &Answer, node: &str) -> Failure {
    let errors = errors(&answer.body);
    let says = |text: &str| errors.to_ascii_lowercase().contains(text);
    let shown = if errors.is_empty() {
        String::new()
    } else {
        format!(" ({errors})")
    };
    let status = answer.status;
    let (cause, message) = match status {
        503 if says("sealed") => (
            Cause::Node,
            format!("unseal it: the Vault at {node} is sealed"),
        ),
        501 => (Cause::Node, uninitialized(node)),
        _ if says("not initialized") || says("not yet initialized") => {
            (Cause::Node, uninitialized(node))
        }
        472 | 473 => (Cause::Node, standby(node)),
        500 if says("active cluster node not found") || says("node not active") => {
            (Cause::Node, standby(node))
        }
        429 => {
            let retry_after = answer.retry_after;
            let wait = retry_after.map_or_else(String::new, |d| {
                format!(", and asks to wait {} s", d.as_secs())
            });
            let cause = Cause::Store { retry_after };
            let message = format!(
                "raise the rate limit quota of Vault, or ask less often: {node} answers 429{wait}{shown}"
            );
            (cause, message)
        }
        412 => (
            Cause::Store { retry_after: None },
            format!("wait: {node} has not yet seen what was written to the active node"),
        ),
        400 | 405 => (
            Cause::Refused,
            format!("correct the reference: {node} answers {status}{shown}"),
        ),
        403 if says("invalid token") => (
            Cause::DeadToken,
            format!("log in again: the token is not valid{shown}"),
        ),
        403 => (Cause::Denied, format!("{node} answers 403{shown}")),
        404 => (Cause::NotFound, format!("{node} answers 404{shown}")),
        502..=504 => (
            Cause::Node,
            format!("look at {node} and what stands before it: it answers {status}{shown}"),
        ),
        500..=599 => (
            Cause::Store {
                retry_after: answer.retry_after,
            },
            format!("look at the log of Vault: {node} answers {status}{shown}"),
        ),
        300..=399 => (
            Cause::Node,
            format!(
                "name the active node in `addresses`: {node} redirects to a place that is not among them"
            ),
        ),
        _ => (
            Cause::Malformed,
            format!("correct `addresses`: {node} answers {status}, which Vault does not{shown}"),
        ),
    };
    Failure::new(cause, message)
}

fn standby(node: &str) -> String {
    format!(
        "wait, or name the other nodes in `addresses`: {node} is on standby and reaches no active node"
    )
}

fn uninitialized(node: &str) -> String {
    format!("initialize it (`vault operator init`): the Vault at {node} is not initialized")
}

/// The server's own words on one line, cut. They hold no secret.
fn errors(body: &[u8]) -> String {
    let said: Errors = serde_json::from_slice(body).unwrap_or_default();
    let words: Vec<&str> = said
        .errors
        .iter()
        .flat_map(|error| error.split_whitespace())
        .collect();
    let mut text = words.join(" ");
    if text.len() > MAX_ERRORS {
        let end = (0..=MAX_ERRORS).rev().find(|at| text.is_char_boundary(*at));
        text.truncate(end.unwrap_or(0));
        text.push('…');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;
    use zeroize::Zeroizing;

    fn answer(status: u16, body: &str) -> Answer {
        Answer {
            status,
            body: Zeroizing::new(body.as_bytes().to_vec()),
            location: None,
            retry_after: Some(Duration::from_secs(7)),
            date: None,
        }
    }

    #[test]
    fn answers_are_told_apart() {
        const STORE: Cause = Cause::Store {
            retry_after: Some(Duration::from_secs(7)),
        };
        for (status, body, cause, expected) in [
            (
                503,
                r#"{"errors":["Vault is sealed"]}"#,
                Cause::Node,
                "unseal it",
            ),
            (
                503,
                "<html>",
                Cause::Node,
                "what stands before it: it answers 503",
            ),
            (501, "", Cause::Node, "vault operator init"),
            (
                400,
                r#"{"errors":["server is not yet initialized"]}"#,
                Cause::Node,
                "not initialized",
            ),
            (473, "", Cause::Node, "on standby"),
            (
                500,
                r#"{"errors":["local node not active but active cluster node not found"]}"#,
                Cause::Node,
                "on standby",
            ),
            (
                500,
                r#"{"errors":["internal error"]}"#,
                STORE,
                "the log of Vault: n answers 500 (internal error)",
            ),
            (
                429,
                r#"{"errors":["request path \"kv/x\": rate limit quota exceeded"]}"#,
                STORE,
                "asks to wait 7 s",
            ),
            (
                403,
                r#"{"errors":["permission denied"]}"#,
                Cause::Denied,
                "403 (permission denied)",
            ),
            (
                403,
                r#"{"errors":["2 errors occurred:\n\t* permission denied\n\t* invalid token\n\n"]}"#,
                Cause::DeadToken,
                "invalid token",
            ),
            (404, r#"{"errors":[]}"#, Cause::NotFound, "404"),
            (
                400,
                r#"{"errors":["unknown role: orders"]}"#,
                Cause::Refused,
                "unknown role: orders",
            ),
            (307, "", Cause::Node, "redirects"),
            (418, "", Cause::Malformed, "418"),
        ] {
            let found = failure(&answer(status, body), "n");
            assert_eq!(found.cause, cause, "{status} {body}");
            assert!(found.to_string().contains(expected), "{found}");
        }
    }

    #[test]
    fn the_words_of_the_server_are_cut() {
        let body = format!(r#"{{"errors":["{}"]}}"#, "ä".repeat(300));
        assert!(errors(body.as_bytes()).len() <= MAX_ERRORS + '…'.len_utf8());
    }
}
