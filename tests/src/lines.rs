//! What a service logs, read strictly.
use serde_json::Value;

/// The longest line that there may be, in bytes.
pub const LONGEST: usize = 64 * 1024;

/// The keys that every line has.
const STANDARD: [&str; 6] = [
    "timestamp",
    "level",
    "caller",
    "target",
    "message",
    "service",
];

/// Every line as JSON. Lines of a quickstart that are meant for people are left out.
///
/// # Panics
/// When one is not a JSON object with the standard keys, says a key twice, or is too long.
#[must_use]
pub fn parse(text: &str) -> Vec<Value> {
    let lines = text.split('\n').filter(|line| line.starts_with('{'));
    lines.map(strict).collect()
}

/// One line as JSON.
///
/// # Panics
/// As [`parse`].
#[must_use]
pub fn strict(line: &str) -> Value {
    assert!(line.len() <= LONGEST, "{} bytes", line.len());
    let hidden = |c: char| c.is_control() || matches!(c, '\u{2028}' | '\u{2029}');
    assert!(!line.contains(hidden), "{line:?}");
    let value: Value = serde_json::from_str(line).unwrap_or_else(|err| panic!("{err}: {line}"));
    let object = value.as_object().unwrap_or_else(|| panic!("{line}"));
    for key in STANDARD {
        assert!(
            object.get(key).is_some_and(Value::is_string),
            "{key}: {line}"
        );
    }
    // serde_json keeps the last of two: what was read is shorter then.
    assert_eq!(keys(line), object.len(), "a key is there twice: {line}");
    value
}

/// How many keys the object has, those that are there twice counted twice.
fn keys(line: &str) -> usize {
    let (mut depth, mut quoted, mut escaped, mut keys) = (0, false, false, 0);
    for byte in line.bytes() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            b'{' | b'[' if !quoted => depth += 1,
            b'}' | b']' if !quoted => depth -= 1,
            b':' if !quoted && depth == 1 => keys += 1,
            _ => {}
        }
    }
    keys
}
