//! What may be shown: references yes, what looks like a secret no.
use super::path::{KeyPath, Step};
use serde_json::Value;

/// What stands in the place of a value that is not shown.
pub(crate) const REDACTED: &str = "[redacted]";

/// Words whose presence in a key says that its value is a secret.
const WORDS: [&str; 13] = [
    "password",
    "passwd",
    "passphrase",
    "pwd",
    "secret",
    "token",
    "tokens",
    "credential",
    "credentials",
    "authorization",
    "cookie",
    "signature",
    "dsn",
];

/// Pairs of words that say so together: `api_key`.
const PAIRS: [(&str, &str); 9] = [
    ("api", "key"),
    ("private", "key"),
    ("access", "key"),
    ("secret", "key"),
    ("signing", "key"),
    ("encryption", "key"),
    ("auth", "key"),
    ("account", "key"),
    ("pass", "word"),
];

/// Whether the value of `key` may be a secret.
pub(crate) fn is_sensitive(key: &str) -> bool {
    let mut words: Vec<String> = vec![String::new()];
    let mut lower = false;
    for c in key.chars() {
        // `apiKey`, `api-key`, `api.key` and `API_KEY` are the same two words.
        if !c.is_alphanumeric() || (c.is_uppercase() && lower) {
            words.push(String::new());
        }
        lower = c.is_lowercase();
        if let Some(word) = words.last_mut().filter(|_| c.is_alphanumeric()) {
            word.extend(c.to_lowercase());
        }
    }
    words.retain(|word| !word.is_empty());
    let word = |word: &String| {
        WORDS.contains(&word.as_str())
            || PAIRS.iter().any(|(a, b)| word.strip_prefix(a) == Some(b))
            || ["password", "secret", "token", "passphrase"]
                .iter()
                .any(|end| word.ends_with(end))
    };
    words.iter().any(word)
        || words
            .windows(2)
            .any(|pair| PAIRS.contains(&(&*pair[0], &*pair[1])))
}

/// Whether any key on the way to a value says that it may be a secret. The name of a section says nothing.
pub(crate) fn is_sensitive_path(path: &KeyPath) -> bool {
    let below = usize::from(path.steps().len() > 1);
    path.steps()[below..]
        .iter()
        .any(|step| matches!(step, Step::Key(key) if is_sensitive(key)))
}

/// `text` as it may be shown where no key says that it is a secret: without the user information of URLs.
pub(crate) fn text(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("://") {
        let (head, tail) = rest.split_at(at + 3);
        shown.push_str(head);
        let authority = tail
            .find(|c: char| matches!(c, '/' | '?' | '#') || c.is_whitespace())
            .unwrap_or(tail.len());
        // A password may itself hold an unescaped `/`: then the last `@` of the word ends it.
        let word = tail.find(char::is_whitespace).unwrap_or(tail.len());
        let end = tail[..authority].rfind('@').or_else(|| {
            tail[..authority]
                .contains(':')
                .then(|| tail[..word].rfind('@'))
                .flatten()
        });
        match end {
            Some(at) => {
                shown.push_str(REDACTED);
                rest = &tail[at..];
            }
            None => rest = tail,
        }
    }
    shown.push_str(rest);
    shown
}

/// `value` of the key at `path` as it may be shown. A number is shown: `tokens_per_second` is more common than a numeric
/// secret in a field that only takes numbers.
pub(crate) fn value(path: &KeyPath, shown: &Value) -> Value {
    redacted(is_sensitive_path(path), shown)
}

fn redacted(sensitive: bool, shown: &Value) -> Value {
    match shown {
        Value::String(reference) if is_reference(reference) => shown.clone(),
        Value::String(plain) if sensitive && !plain.is_empty() => REDACTED.into(),
        Value::String(plain) => text(plain).into(),
        Value::Array(items) => items.iter().map(|item| redacted(sensitive, item)).collect(),
        Value::Object(map) => map
            .iter()
            .map(|(key, item)| (key.clone(), redacted(sensitive || is_sensitive(key), item)))
            .collect(),
        _ => shown.clone(),
    }
}

/// Whether `text` is a reference from end to end.
pub(crate) fn is_reference(text: &str) -> bool {
    text.starts_with("${secret:") && text.parse::<crate::secret::SecretRef>().is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_that_may_hold_a_secret_are_known() {
        for key in [
            "password",
            "DB_PASSWORD",
            "apiKey",
            "api-key",
            "apikey",
            "dbpassword",
            "client_secret",
            "accessToken",
            "x.private.key",
            "bearer_token",
            "AWS_SECRET_ACCESS_KEY",
            "redis-passwd",
        ] {
            assert!(is_sensitive(key), "{key}");
        }
        for key in [
            "port",
            "key",
            "tokenizer",
            "keepalive",
            "pass_through",
            "author",
            "secretary",
            "partition_key",
        ] {
            assert!(!is_sensitive(key), "{key}");
        }
    }

    #[test]
    fn the_user_information_of_a_url_is_not_shown() {
        for (url, shown) in [
            (
                "postgres://u:p@db:5432/x",
                "postgres://[redacted]@db:5432/x",
            ),
            (
                "redis://:p@h,redis://:q@i",
                "redis://[redacted]@h,redis://[redacted]@i",
            ),
            (
                "redis://:p@h redis://:q@i",
                "redis://[redacted]@h redis://[redacted]@i",
            ),
            ("http://h/a@b", "http://h/a@b"),
            ("http://u:p/q@h/", "http://[redacted]@h/"),
            ("a@b", "a@b"),
            ("http://h", "http://h"),
        ] {
            assert_eq!(text(url), shown);
        }
    }
}
