//! A tree of configuration in which every value knows where it was written.
use super::{
    path::{KeyPath, Step},
    place::Place,
    redact,
};
use std::collections::BTreeMap;

/// A value and where it stands. A value in a map stands where its key does.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Node {
    pub(crate) place: Place,
    pub(crate) value: Value,
    /// What a shell handed over, where it looks like something other than text.
    pub(crate) raw: Option<String>,
    /// Something is wrong with it, which has been said: it is passed over from now on.
    pub(crate) pruned: bool,
}

/// A value by YAML's core schema, without what JSON cannot hold.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Value {
    /// `empty` where nothing was written at all, as in `http:`.
    Null {
        empty: bool,
    },
    Bool(bool),
    Int(i128),
    Float(f64),
    Text(String),
    List(Vec<Node>),
    Map(BTreeMap<String, Node>),
}

// === impl Node ===

impl Node {
    pub(crate) fn new(place: Place, value: Value) -> Self {
        Self {
            place,
            value,
            raw: None,
            pruned: false,
        }
    }

    pub(crate) fn map(place: Place) -> Self {
        Self::new(place, Value::Map(BTreeMap::new()))
    }

    /// What `text` without quotes means.
    pub(crate) fn plain(place: Place, text: &str) -> Self {
        let value = Value::plain(text);
        let shell = place.origin().is_shell() && !matches!(value, Value::Text(_));
        Self {
            raw: shell.then(|| text.to_owned()),
            ..Self::new(place, value)
        }
    }

    /// The same in our tree, all of it written at `place`.
    pub(crate) fn from_json(place: &Place, json: &serde_json::Value) -> Self {
        use serde_json::Value as Json;
        let below = |json: &Json| Self::from_json(place, json);
        let value = match json {
            Json::Null => Value::Null { empty: false },
            Json::Bool(value) => Value::Bool(*value),
            Json::Number(number) => match (number.as_i64(), number.as_u64()) {
                (Some(value), _) => Value::Int(value.into()),
                (_, Some(value)) => Value::Int(value.into()),
                _ => Value::Float(number.as_f64().unwrap_or_default()),
            },
            Json::String(text) => Value::Text(text.clone()),
            Json::Array(items) => Value::List(items.iter().map(below).collect()),
            Json::Object(map) => {
                let entries = map.iter().map(|(key, json)| (key.clone(), below(json)));
                Value::Map(entries.collect())
            }
        };
        Self::new(place.clone(), value)
    }

    pub(crate) fn entries(&self) -> Option<&BTreeMap<String, Self>> {
        match &self.value {
            Value::Map(entries) => Some(entries),
            _ => None,
        }
    }

    fn step(&self, step: &Step) -> Option<&Self> {
        match (&self.value, step) {
            (Value::Map(entries), Step::Key(key)) => entries.get(key),
            (Value::List(items), Step::Index(index)) => items.get(*index),
            _ => None,
        }
    }

    /// The value at `path`, unless it or something above it is pruned.
    pub(crate) fn find(&self, path: &KeyPath) -> Option<&Self> {
        let mut node = self;
        for step in path.steps() {
            node = node.step(step).filter(|node| !node.pruned)?;
        }
        Some(node)
    }

    /// The value at `path` or, where there is none, the nearest above it.
    pub(crate) fn nearest(&self, path: &KeyPath) -> &Self {
        let mut node = self;
        for step in path.steps() {
            match node.step(step) {
                Some(below) => node = below,
                None => break,
            }
        }
        node
    }

    /// Whether it is a map of which nothing is left, or a list of which something is gone: what was wrong has been told,
    /// and its form is no longer what was written.
    pub(crate) fn is_hollow(&self) -> bool {
        match &self.value {
            Value::Map(entries) => !entries.is_empty() && entries.values().all(|node| node.pruned),
            Value::List(items) => items.iter().any(|node| node.pruned),
            _ => false,
        }
    }

    /// `path`, whose indexes count only what is not pruned, as a path whose indexes count everything.
    pub(crate) fn written(&self, path: &KeyPath) -> KeyPath {
        let mut node = Some(self);
        let whole = path.steps().iter().map(|step| {
            let step = match (node.map(|node| &node.value), step) {
                (Some(Value::List(items)), Step::Index(index)) => {
                    let mut kept = items.iter().enumerate().filter(|(_, item)| !item.pruned);
                    Step::Index(kept.nth(*index).map_or(*index, |(index, _)| index))
                }
                _ => step.clone(),
            };
            node = node.and_then(|node| node.step(&step));
            step
        });
        whole.collect()
    }

    /// Passes over the value at `path` or, where it is gone already, over the nearest above it that is not.
    /// Says how long the path to it is.
    pub(crate) fn prune(&mut self, path: &[Step]) -> usize {
        if let Some((first, rest)) = path.split_first() {
            let below = match (&mut self.value, first) {
                (Value::Map(entries), Step::Key(key)) => entries.get_mut(key),
                (Value::List(items), Step::Index(index)) => items.get_mut(*index),
                _ => None,
            };
            if let Some(below) = below.filter(|below| !below.pruned) {
                return 1 + below.prune(rest);
            }
        }
        self.pruned = true;
        0
    }

    /// Calls `visit` with every value that is neither a list nor a map.
    pub(crate) fn leaves(&self, path: &mut KeyPath, visit: &mut impl FnMut(&KeyPath, &Self)) {
        match &self.value {
            Value::Map(entries) => {
                for (key, node) in entries {
                    path.push(Step::Key(key.clone()));
                    node.leaves(path, visit);
                    path.pop();
                }
            }
            Value::List(items) => {
                for (index, node) in items.iter().enumerate() {
                    path.push(Step::Index(index));
                    node.leaves(path, visit);
                    path.pop();
                }
            }
            _ => visit(path, self),
        }
    }

    /// What was found, for a message; without the value where that may be a secret.
    pub(crate) fn describe(&self, sensitive: bool) -> String {
        let shown = |kind: &str, text: &str| {
            if sensitive {
                return format!("a {kind}");
            }
            let text = redact::text(text);
            match text.char_indices().nth(60) {
                Some((at, _)) => format!("the {kind} `{}…`", &text[..at]),
                None => format!("the {kind} `{text}`"),
            }
        };
        match &self.value {
            Value::Null { .. } => "nothing".to_owned(),
            Value::Bool(value) => shown("boolean", if *value { "true" } else { "false" }),
            Value::Int(value) => shown("number", &value.to_string()),
            Value::Float(value) => shown("number", &value.to_string()),
            Value::Text(text) => shown("text", text),
            Value::List(_) => "a list".to_owned(),
            Value::Map(_) => "a map".to_owned(),
        }
    }

    /// The same in JSON, without what is pruned.
    #[cfg(test)]
    pub(crate) fn to_json(&self) -> serde_json::Value {
        let kept = |node: &&Self| !node.pruned;
        match &self.value {
            Value::Null { .. } => serde_json::Value::Null,
            Value::Bool(value) => (*value).into(),
            Value::Int(value) => match (u64::try_from(*value), i64::try_from(*value)) {
                (Ok(value), _) => value.into(),
                (_, Ok(value)) => value.into(),
                #[expect(clippy::cast_precision_loss, reason = "JSON has nothing larger")]
                _ => (*value as f64).into(),
            },
            Value::Float(value) => (*value).into(),
            Value::Text(text) => text.clone().into(),
            Value::List(items) => items.iter().filter(kept).map(Self::to_json).collect(),
            Value::Map(entries) => entries
                .iter()
                .filter(|(_, node)| !node.pruned)
                .map(|(key, node)| (key.clone(), node.to_json()))
                .collect(),
        }
    }
}

// === impl Value ===

impl Value {
    /// What `text` without quotes means in YAML 1.2's core schema. What other readers take for something else stays
    /// text: `0644`, numbers beyond 128 bits, `.inf` and `.nan`.
    pub(crate) fn plain(text: &str) -> Self {
        match text {
            "" => Self::Null { empty: true },
            "~" | "null" | "Null" | "NULL" => Self::Null { empty: false },
            "true" | "True" | "TRUE" => Self::Bool(true),
            "false" | "False" | "FALSE" => Self::Bool(false),
            _ => number(text).unwrap_or_else(|| Self::Text(text.to_owned())),
        }
    }
}

fn number(text: &str) -> Option<Value> {
    let (negative, digits) = match text.as_bytes().first()? {
        b'-' => (true, &text[1..]),
        b'+' => (false, &text[1..]),
        _ => (false, text),
    };
    let radix = |radix: u32, digits: &str| {
        let all = !digits.is_empty() && digits.chars().all(|c| c.is_digit(radix));
        all.then(|| i128::from_str_radix(digits, radix).ok())
            .flatten()
    };
    if let Some(octal) = text.strip_prefix("0o") {
        return radix(8, octal).map(Value::Int);
    }
    if let Some(hex) = text.strip_prefix("0x") {
        return radix(16, hex).map(Value::Int);
    }
    let leading_zero = digits.len() > 1 && digits.starts_with('0');
    if leading_zero && digits.as_bytes()[1].is_ascii_digit() {
        return None;
    }
    if let Some(value) = radix(10, digits) {
        return Some(Value::Int(if negative { -value } else { value }));
    }
    let float = digits.starts_with(|c: char| c.is_ascii_digit() || c == '.')
        && digits.contains(|c: char| c.is_ascii_digit())
        && digits.contains(['.', 'e', 'E'])
        && digits
            .chars()
            .all(|c| c.is_ascii_digit() || matches!(c, '.' | 'e' | 'E' | '+' | '-'));
    let value: f64 = text.parse().ok().filter(|_| float)?;
    value.is_finite().then_some(Value::Float(value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_text_means_what_the_core_schema_says() {
        let text = |text: &str| Value::Text(text.to_owned());
        for (plain, value) in [
            ("", Value::Null { empty: true }),
            ("~", Value::Null { empty: false }),
            ("true", Value::Bool(true)),
            ("yes", text("yes")),
            ("no", text("no")),
            ("8080", Value::Int(8080)),
            ("-1", Value::Int(-1)),
            ("+1", Value::Int(1)),
            ("0", Value::Int(0)),
            ("0x1F", Value::Int(31)),
            ("0o17", Value::Int(15)),
            ("0644", text("0644")),
            ("1_000", text("1_000")),
            ("1.5", Value::Float(1.5)),
            (".5", Value::Float(0.5)),
            ("1e3", Value::Float(1000.0)),
            ("-0.25", Value::Float(-0.25)),
            ("1e999", text("1e999")),
            (".inf", text(".inf")),
            (".nan", text(".nan")),
            ("nan", text("nan")),
            ("inf", text("inf")),
            ("-", text("-")),
            (".", text(".")),
            ("e", text("e")),
            ("1.2.3", text("1.2.3")),
            ("10.0.0.1", text("10.0.0.1")),
            ("12:30", text("12:30")),
            ("0x", text("0x")),
            (
                "99999999999999999999999999999999999999999",
                text("99999999999999999999999999999999999999999"),
            ),
        ] {
            assert_eq!(Value::plain(plain), value, "{plain}");
        }
    }
}
