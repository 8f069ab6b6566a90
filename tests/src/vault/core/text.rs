//! Durations, lists and dates as Vault reads and prints them.
//!
//! Durations follow <https://developer.hashicorp.com/vault/docs/concepts/duration-format>: whole seconds as number or text, or
//! Go's notation with `d`.
use super::call::Refusal;
use serde_json::{Map, Value};

/// In seconds. Go's durations end at 292 years.
const CENTURY: u64 = 36_525 * 86_400;

/// The fields of a body.
#[derive(Clone, Copy, Debug)]
pub(super) struct Fields<'a>(Option<&'a Map<String, Value>>);

// === impl Fields ===

impl<'a> Fields<'a> {
    pub(super) fn of(body: &'a Value) -> Self {
        Self(body.as_object())
    }

    pub(super) fn value(self, name: &str) -> Option<&'a Value> {
        let value = self.0.and_then(|fields| fields.get(name));
        value.filter(|value| !value.is_null())
    }

    pub(super) fn text(self, name: &str) -> Option<&'a str> {
        self.value(name).and_then(Value::as_str)
    }

    /// What cannot be done without.
    pub(super) fn needed(self, name: &str) -> Result<&'a str, Refusal> {
        let text = self.text(name).filter(|text| !text.is_empty());
        text.ok_or_else(|| Refusal::bad(format!("missing {name}")))
    }

    pub(super) fn flag(self, name: &str) -> Option<bool> {
        match self.value(name)? {
            Value::String(text) => text.parse().ok(),
            value => value.as_bool(),
        }
    }

    pub(super) fn number(self, name: &str) -> Option<u64> {
        match self.value(name)? {
            Value::String(text) => text.parse().ok(),
            value => value.as_u64(),
        }
    }

    /// A list, or text with commas.
    pub(super) fn list(self, name: &str) -> Option<Vec<String>> {
        Some(list(self.value(name)?))
    }

    /// A duration in seconds.
    pub(super) fn seconds(self, name: &str) -> Result<Option<u64>, Refusal> {
        let read = |value| {
            let wrong = || {
                Refusal::bad(format!(
                    "error converting input {value} for field \"{name}\""
                ))
            };
            seconds(value).ok_or_else(wrong)
        };
        self.value(name).map(read).transpose()
    }
}

/// A list, or text with commas.
fn list(value: &Value) -> Vec<String> {
    let owned = |text: &str| text.trim().to_owned();
    match value {
        Value::Array(all) => all.iter().filter_map(Value::as_str).map(owned).collect(),
        Value::String(text) => {
            let parts = text.split(',').map(owned);
            parts.filter(|part| !part.is_empty()).collect()
        }
        _ => Vec::new(),
    }
}

/// Whole seconds, rounded down as Vault does; at most a century.
pub(super) fn seconds(value: &Value) -> Option<u64> {
    match value {
        Value::String(text) if text.is_empty() => Some(0),
        Value::String(text) => duration(text),
        value => value.as_u64().filter(|seconds| *seconds <= CENTURY),
    }
}

/// `30`, `1h30m`, `2d`, `500ms`; at most a century.
pub(super) fn duration(text: &str) -> Option<u64> {
    if let Ok(seconds) = text.parse::<u64>() {
        return Some(seconds).filter(|seconds| *seconds <= CENTURY);
    }
    let (mut rest, mut millis) = (text, 0_u64);
    while !rest.is_empty() {
        let number = rest.find(|c: char| !c.is_ascii_digit())?;
        let count: u64 = rest[..number].parse().ok()?;
        rest = &rest[number..];
        let unit = rest.find(|c: char| c.is_ascii_digit());
        let unit = unit.unwrap_or(rest.len());
        let factor = match &rest[..unit] {
            "ms" => 1,
            "s" => 1_000,
            "m" => 60_000,
            "h" => 3_600_000,
            "d" => 86_400_000,
            _ => return None,
        };
        millis = millis.checked_add(count.checked_mul(factor)?)?;
        rest = &rest[unit..];
    }
    Some(millis / 1_000).filter(|seconds| *seconds <= CENTURY)
}

/// As Go prints a duration: `1h0m0s`.
pub(super) fn go_duration(seconds: u64) -> String {
    let (hours, minutes, rest) = (seconds / 3_600, seconds / 60 % 60, seconds % 60);
    match (hours, minutes) {
        (0, 0) => format!("{rest}s"),
        (0, _) => format!("{minutes}m{rest}s"),
        _ => format!("{hours}h{minutes}m{rest}s"),
    }
}

/// RFC 3339 in UTC. The calendar is Howard Hinnant's `civil_from_days`.
pub(super) fn date(unix: u64, nanos: u32) -> String {
    let shifted = unix / 86_400 + 719_468;
    let (era, day) = (shifted / 146_097, shifted % 146_097);
    let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let (day, month) = (day - (153 * month + 2) / 5 + 1, (month + 2) % 12 + 1);
    let year = year + era * 400 + u64::from(month <= 2);
    let (hour, minute, second) = (unix / 3_600 % 24, unix / 60 % 60, unix % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{nanos:09}Z")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read_and_printed_as_go_does() {
        for (text, seconds, printed) in [
            ("0", 0, "0s"),
            ("90", 90, "1m30s"),
            ("90s", 90, "1m30s"),
            ("1h30m", 5_400, "1h30m0s"),
            ("768h", 2_764_800, "768h0m0s"),
            ("2d", 172_800, "48h0m0s"),
            ("1500ms", 1, "1s"),
        ] {
            assert_eq!(duration(text), Some(seconds), "{text}");
            assert_eq!(go_duration(seconds), printed);
        }
        for wrong in ["soon", "-1", "1.5h", "9999999999", "99999999999999999d"] {
            assert_eq!(duration(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn dates_follow_the_calendar() {
        for (unix, printed) in [
            (0, "1970-01-01T00:00:00.000000007Z"),
            (951_782_400, "2000-02-29T00:00:00.000000007Z"),
            (1_798_761_599, "2026-12-31T23:59:59.000000007Z"),
        ] {
            assert_eq!(date(unix, 7), printed);
        }
    }
}
