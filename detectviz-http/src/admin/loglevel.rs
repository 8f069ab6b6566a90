//! `/loglevel`: what a change asks for, and whether it may be had.
use detectviz_core::{
    config::{parse_duration, show_duration},
    telemetry::logs::Levels,
};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// What `/loglevel` shows.
#[derive(Debug, Serialize)]
pub(super) struct Shown {
    /// What holds now.
    level: String,
    /// What was set, to which an override returns.
    base: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    r#override: Option<Override>,
}

#[derive(Debug, Serialize)]
struct Override {
    level: String,
    /// How long it still lasts.
    ends_in: String,
}

/// A change that was asked for.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Change {
    pub(super) level: String,
    pub(super) ttl: Duration,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Json {
    level: String,
    ttl: Option<String>,
}

const REMEDY: &str =
    r#"send JSON such as {"level":"info,sqlx=debug","ttl":"300s"}, or ?level=debug&ttl=300s"#;

// === impl Shown ===

impl Shown {
    pub(super) fn new(levels: &Levels) -> Self {
        Self {
            level: levels.effective().to_string(),
            base: levels.base().to_string(),
            r#override: levels.overridden().map(|(directives, left)| Override {
                level: directives.to_string(),
                ends_in: show_duration(Duration::from_secs(left.as_secs())),
            }),
        }
    }
}

// === impl Change ===

impl Change {
    /// Reads a change from the query and the body of a `PUT`. Either may bring it, not both.
    ///
    /// # Errors
    /// What is wrong, and what to send instead.
    pub(super) fn read(query: Option<&str>, body: &[u8]) -> Result<Self, String> {
        let (level, ttl) = match (query.filter(|q| !q.is_empty()), body.trim_ascii()) {
            (None, b"") => return Err(format!("no level was sent: {REMEDY}")),
            (None, body) => {
                let json: Json = serde_json::from_slice(body)
                    .map_err(|e| format!("the body cannot be read ({e}): {REMEDY}"))?;
                (json.level, json.ttl)
            }
            (Some(query), b"") => from_query(query)?,
            _ => return Err(format!("both a query and a body were sent: {REMEDY}")),
        };
        let ttl = match ttl {
            None => Levels::DEFAULT_TTL,
            Some(text) => parse_duration(&text).map_err(|e| format!("`ttl` is `{text}`: {e}"))?,
        };
        Ok(Self { level, ttl })
    }
}

fn from_query(query: &str) -> Result<(String, Option<String>), String> {
    let (mut level, mut ttl) = (None, None);
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
        let value = percent_decoded(value)
            .ok_or_else(|| format!("`{key}` is not percent-encoded UTF-8: {REMEDY}"))?;
        match key {
            "level" => level = Some(value),
            "ttl" => ttl = Some(value),
            _ => return Err(format!("the query holds `{key}`: {REMEDY}")),
        }
    }
    let level = level.ok_or_else(|| format!("no level was sent: {REMEDY}"))?;
    Ok((level, ttl))
}

/// `text` with `%2C` and the like read as bytes, and `+` as a space.
fn percent_decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&byte, tail)) = rest.split_first() {
        rest = tail;
        match byte {
            b'%' => {
                let (digits, tail) = rest.split_at_checked(2)?;
                let digits = str::from_utf8(digits).ok()?;
                bytes.push(u8::from_str_radix(digits, 16).ok()?);
                rest = tail;
            }
            b'+' => bytes.push(b' '),
            _ => bytes.push(byte),
        }
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_is_read_from_json_or_from_the_query() {
        let json = |text| (None, text);
        let query = |text| (Some(text), "");
        for ((query, body), level, seconds) in [
            (json(r#"{"level":"debug"}"#), "debug", 300),
            (
                json(r#" {"level":"info,sqlx=debug","ttl":"1h"} "#),
                "info,sqlx=debug",
                3600,
            ),
            (query("level=debug"), "debug", 300),
            (
                query("ttl=1s&level=info%2Csqlx%3Dtrace"),
                "info,sqlx=trace",
                1,
            ),
        ] {
            let change = Change::read(query, body.as_bytes()).unwrap();
            assert_eq!(change.level, level);
            assert_eq!(change.ttl, Duration::from_secs(seconds));
        }
    }

    #[test]
    fn what_is_wrong_is_said_with_what_to_send() {
        for (query, body, expected) in [
            (None, "", "no level"),
            (None, "debug", "send JSON such as"),
            (None, r#"{"level":"debug","x":1}"#, "unknown field `x`"),
            (None, r#"{"level":5}"#, "invalid type"),
            (
                None,
                r#"{"level":"debug","ttl":"5"}"#,
                "number with its unit",
            ),
            (Some("ttl=5s"), "", "no level"),
            (Some("lvl=debug"), "", "holds `lvl`"),
            (Some("level=%zz"), "", "percent-encoded"),
            (
                Some("level=debug"),
                r#"{"level":"debug"}"#,
                "both a query and a body",
            ),
        ] {
            let err = Change::read(query, body.as_bytes()).unwrap_err();
            assert!(err.contains(expected), "{err}");
        }
    }
}
