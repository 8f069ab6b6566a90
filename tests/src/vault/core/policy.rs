//! ACL policies: which token may do what; follows <https://developer.hashicorp.com/vault/docs/concepts/policies> and
//! <https://developer.hashicorp.com/vault/api-docs/system/policies>.
//!
//! Paths with `*` at the end and `+` for a segment, capabilities, and the documented priority of several that match. Parameter
//! constraints, templates and Sentinel are not modelled: such a policy is refused, not half obeyed.
use super::call::Refusal;
use serde_json::Value;
use std::{cmp::Ordering, collections::BTreeMap};

/// What Vault's own `default` policy grants, but identity and templates.
pub(super) const DEFAULT: &str = r#"
path "auth/token/lookup-self" { capabilities = ["read"] }
path "auth/token/renew-self" { capabilities = ["update"] }
path "auth/token/revoke-self" { capabilities = ["update"] }
path "sys/capabilities-self" { capabilities = ["update"] }
path "sys/internal/ui/resultant-acl" { capabilities = ["read"] }
path "sys/renew" { capabilities = ["update"] }
path "sys/leases/renew" { capabilities = ["update"] }
path "sys/leases/lookup" { capabilities = ["update"] }
path "cubbyhole/*" { capabilities = ["create", "read", "update", "delete", "list"] }
path "sys/wrapping/wrap" { capabilities = ["update"] }
path "sys/wrapping/lookup" { capabilities = ["update"] }
path "sys/wrapping/unwrap" { capabilities = ["update"] }
path "sys/tools/hash" { capabilities = ["update"] }
"#;

const KNOWN: [&str; 9] = [
    "create",
    "read",
    "update",
    "patch",
    "delete",
    "list",
    "sudo",
    "deny",
    "subscribe",
];

/// A policy, read.
#[derive(Clone, Debug)]
pub(super) struct Policy {
    /// As it was written.
    pub text: String,
    /// Capabilities by path pattern.
    rules: BTreeMap<String, Vec<String>>,
}

// === impl Policy ===

impl Policy {
    /// Reads JSON or HCL.
    pub(super) fn parse(text: &str) -> Result<Self, Refusal> {
        let rules = match serde_json::from_str::<Value>(text) {
            Ok(json) => from_json(&json),
            Err(_) => from_hcl(text),
        };
        let rules = rules.map_err(|why| Refusal::bad(format!("failed to parse policy: {why}")))?;
        let all = rules.values().flatten();
        if let Some(unknown) = all.into_iter().find(|c| !KNOWN.contains(&c.as_str())) {
            let why = format!("failed to parse policy: invalid capability {unknown:?}");
            return Err(Refusal::bad(why));
        }
        let text = text.to_owned();
        Ok(Self { text, rules })
    }
}

/// The capabilities that `policies` grant on `path`: those of the pattern that fits best; empty grants nothing.
pub(super) fn capabilities<'a>(
    policies: impl Iterator<Item = &'a Policy>,
    path: &str,
) -> Vec<&'a str> {
    let mut best: Option<(&str, Vec<&str>)> = None;
    for (pattern, granted) in policies.flat_map(|policy| &policy.rules) {
        if !fits(pattern, path) {
            continue;
        }
        let order = best.as_ref().map(|(other, _)| priority(pattern, other));
        let granted = granted.iter().map(String::as_str);
        match (order, &mut best) {
            (Some(Ordering::Equal), Some((_, all))) => all.extend(granted),
            (Some(Ordering::Less), _) => {}
            _ => best = Some((pattern, granted.collect())),
        }
    }
    let granted = best.map(|(_, granted)| granted).unwrap_or_default();
    match granted.contains(&"deny") {
        true => Vec::new(),
        false => granted,
    }
}

/// Whether `policies` grant anything on `mount` or below it: `hasMountAccess` of Vault's system backend.
pub(super) fn touch<'a>(mut policies: impl Iterator<Item = &'a Policy>, mount: &str) -> bool {
    let touches = |(pattern, granted): (&String, &Vec<String>)| {
        let start = pattern.split(['*', '+']).next().unwrap_or_default();
        let open = start.len() < pattern.len();
        let denied = granted.is_empty() || granted.iter().any(|one| one == "deny");
        !denied && (start.starts_with(mount) || (open && mount.starts_with(start)))
    };
    policies.any(|policy| policy.rules.iter().any(touches))
}

/// Whether `pattern` covers `path`.
fn fits(pattern: &str, path: &str) -> bool {
    let (pattern, open) = match pattern.strip_suffix('*') {
        Some(pattern) => (pattern, true),
        None => (pattern, false),
    };
    if !pattern.contains('+') {
        return if open {
            path.starts_with(pattern)
        } else {
            path == pattern
        };
    }
    let (mut wanted, mut given) = (pattern.split('/').peekable(), path.split('/'));
    while let Some(want) = wanted.next() {
        let Some(have) = given.next() else {
            return false;
        };
        let last = open && wanted.peek().is_none();
        let same = want == "+" || want == have || (last && have.starts_with(want));
        if !same {
            return false;
        }
    }
    open || given.next().is_none()
}

/// `Greater` when `one` comes before `other`, by the five documented rules.
fn priority(one: &str, other: &str) -> Ordering {
    let first = |pattern: &str| pattern.find(['+', '*']).unwrap_or(usize::MAX);
    let plus = |pattern: &str| pattern.split('/').filter(|part| *part == "+").count();
    first(one)
        .cmp(&first(other))
        .then(other.ends_with('*').cmp(&one.ends_with('*')))
        .then(plus(other).cmp(&plus(one)))
        .then(one.len().cmp(&other.len()))
        .then(one.cmp(other))
}

fn from_json(json: &Value) -> Result<BTreeMap<String, Vec<String>>, String> {
    let paths = json.get("path").and_then(Value::as_object);
    let paths = paths.ok_or("no \"path\"")?;
    let rule = |(path, rule): (&String, &Value)| {
        let all = rule.get("capabilities").and_then(Value::as_array);
        let all = all.ok_or_else(|| format!("no capabilities for {path:?}"))?;
        let all = all.iter().filter_map(Value::as_str).map(str::to_owned);
        Ok((path.clone(), all.collect()))
    };
    paths.iter().map(rule).collect()
}

fn from_hcl(text: &str) -> Result<BTreeMap<String, Vec<String>>, String> {
    let words = words(text)?;
    let mut words = words.iter().map(String::as_str);
    let mut rules: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let expect = |wanted: &str, given: Option<&str>| match given == Some(wanted) {
        true => Ok(()),
        false => Err(format!("expected {wanted} and found {given:?}")),
    };
    while let Some(word) = words.next() {
        expect("path", Some(word))?;
        let path = words.next().and_then(|path| path.strip_prefix('"'));
        let path = path.ok_or("a path without its text")?;
        expect("{", words.next())?;
        expect("capabilities", words.next())?;
        expect("=", words.next())?;
        expect("[", words.next())?;
        let rule = rules.entry(path.to_owned()).or_default();
        for word in words.by_ref() {
            match (word, word.strip_prefix('"')) {
                ("]", _) => break,
                (",", _) => {}
                (_, Some(capability)) => rule.push(capability.to_owned()),
                _ => return Err(format!("unexpected {word} among capabilities")),
            }
        }
        expect("}", words.next())?;
    }
    Ok(rules)
}

/// Words, signs, and text with its opening quote; comments are left out.
fn words(text: &str) -> Result<Vec<String>, String> {
    let (mut found, mut rest) = (Vec::new(), text.trim_start());
    while let Some(first) = rest.chars().next() {
        let len = if first == '#' || rest.starts_with("//") {
            rest.find('\n').unwrap_or(rest.len())
        } else if first == '"' {
            let end = rest[1..].find('"').ok_or("text without an end")?;
            found.push(rest[..=end].to_owned());
            end + 2
        } else if "{}[]=,".contains(first) {
            found.push(first.to_string());
            1
        } else {
            let end = rest.find(|c: char| !c.is_alphanumeric() && c != '_');
            let len = end.unwrap_or(rest.len()).max(first.len_utf8());
            found.push(rest[..len].to_owned());
            len
        };
        rest = rest[len..].trim_start();
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn granted(text: &str, path: &str) -> Vec<String> {
        let policy = Policy::parse(text).unwrap();
        let granted = capabilities([&policy].into_iter(), path);
        granted.into_iter().map(str::to_owned).collect()
    }

    #[test]
    fn the_pattern_that_fits_best_decides() {
        let text = r#"
            # all of the team
            path "secret/*" { capabilities = ["list"] }
            path "secret/+/app" { capabilities = ["read", "list"] }
            path "secret/data/app" { capabilities = ["read"] }
            path "secret/data/key*" { capabilities = ["update"] }
            path "secret/data/no" { capabilities = ["deny", "read"] }
        "#;
        for (path, expected) in [
            ("secret/data/app", &["read"][..]),
            ("secret/other/app", &["read", "list"]),
            ("secret/other/app/more", &["list"]),
            ("secret/data/keys/a", &["update"]),
            ("secret/data/no", &[]),
            ("kv/data/app", &[]),
        ] {
            assert_eq!(granted(text, path), expected, "{path}");
        }
    }

    #[test]
    fn a_mount_is_touched_by_what_is_granted_on_it_or_below() {
        for (rule, expected) in [
            (r#"path "kv/data/app" { capabilities = ["read"] }"#, true),
            (r#"path "k*" { capabilities = ["list"] }"#, true),
            (r#"path "+/data/app" { capabilities = ["read"] }"#, true),
            (r#"path "kv/data/app" { capabilities = ["deny"] }"#, false),
            (r#"path "k" { capabilities = ["read"] }"#, false),
            (r#"path "kv2/*" { capabilities = ["read"] }"#, false),
        ] {
            let policy = Policy::parse(rule).unwrap();
            assert_eq!(touch([&policy].into_iter(), "kv/"), expected, "{rule}");
        }
    }

    #[test]
    fn json_says_the_same_as_hcl() {
        let text = r#"{"path": {"secret/*": {"capabilities": ["read"]}}}"#;
        assert_eq!(granted(text, "secret/a"), ["read"]);
    }

    #[test]
    fn what_is_not_understood_is_refused() {
        for text in [
            r#"path "a" { capabilities = ["fly"] }"#,
            r#"path "a" { denied_parameters = {} }"#,
            "path \"a",
        ] {
            let refused = Policy::parse(text).unwrap_err();
            assert_eq!(refused.status, 400, "{text}");
        }
    }
}
