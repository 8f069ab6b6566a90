//! Every value that is in force, where it comes from, and what a reload would change.
use super::{
    node::{Node, Value as Written},
    path::{KeyPath, Step},
    place::{Origin, Place},
    redact,
    shape::Shape,
};
use crate::secret::SecretRef;
use serde::Serialize;
use serde_json::Value;
use std::{
    collections::{BTreeMap, BTreeSet, hash_map::DefaultHasher},
    fmt,
    hash::{Hash, Hasher},
};

/// When a change of a value applies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Reload {
    /// At once.
    Live,
    /// After a restart.
    Restart,
}

/// One value that is in force. A list is one value.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct EffectiveValue {
    /// Its path, such as `http.port`.
    pub path: String,
    /// The value; what may be a secret is redacted, a reference to one is not.
    pub value: Value,
    /// Where it was written.
    pub place: Place,
    /// When a change applies.
    pub reload: Reload,
    /// Tells a change of a value that is not shown.
    digest: u64,
    /// What it is in, from the section on, and whether that is live as a whole.
    within: Vec<(String, bool)>,
}

/// All values that are in force, section by section. `Display` is the table of `--config-report`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Effective {
    values: Vec<EffectiveValue>,
}

/// What differs between two configurations: the paths, in order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Changes {
    /// Applies at once.
    pub live: Vec<String>,
    /// Waits for a restart.
    pub pending: Vec<String>,
}

/// The values of the sections read so far.
#[derive(Clone, Debug, Default)]
pub(crate) struct Report {
    values: Vec<EffectiveValue>,
}

/// The configuration that `running` becomes without a restart: the live keys are those of `newer`, all others stay.
///
/// `None` where the two differ in a way that cannot be taken apart, such as another variant of an enum.
#[must_use]
pub fn live_update<T: super::Section>(running: &T, newer: &T) -> Option<T> {
    let shape = Shape::of::<T>();
    let mut kept = serde_json::to_value(running).ok()?;
    let newer = serde_json::to_value(newer).ok()?;
    take_live(&mut kept, newer, &shape, &mut KeyPath::default());
    serde_json::from_value(kept).ok()
}

fn take_live(kept: &mut Value, newer: Value, shape: &Shape, path: &mut KeyPath) {
    match (kept, newer) {
        (Value::Object(kept), Value::Object(newer)) => {
            // Keys come and go only in a map that is live as a whole.
            if shape.is_live(path) {
                kept.retain(|key, _| newer.contains_key(key));
            }
            for (key, newer) in newer {
                path.push(Step::Key(key.clone()));
                match kept.get_mut(&key) {
                    Some(kept) => take_live(kept, newer, shape, path),
                    None if shape.is_live(path) => {
                        kept.insert(key, newer);
                    }
                    None => {}
                }
                path.pop();
            }
        }
        (kept, newer) if shape.is_live(path) => *kept = newer,
        _ => {}
    }
}

fn references(value: &Value, found: &mut BTreeSet<SecretRef>) {
    match value {
        Value::String(text) if redact::is_reference(text) => found.extend(text.parse()),
        Value::Array(values) => values.iter().for_each(|value| references(value, found)),
        Value::Object(values) => values.values().for_each(|value| references(value, found)),
        _ => {}
    }
}

// === impl Effective ===

impl Effective {
    /// One after another, section by section.
    pub fn iter(&self) -> std::slice::Iter<'_, EffectiveValue> {
        self.values.iter()
    }

    /// The value at `path`.
    #[must_use]
    pub fn find(&self, path: &str) -> Option<&EffectiveValue> {
        self.values.iter().find(|value| value.path == path)
    }

    /// Every secret that is referred to, each once, in order.
    #[must_use]
    pub fn secret_references(&self) -> Vec<SecretRef> {
        let mut found = BTreeSet::new();
        for value in &self.values {
            references(&value.value, &mut found);
        }
        found.into_iter().collect()
    }

    /// How `newer` differs from this. A key that is only in one of them counts as changed, and comes or goes at once only in
    /// a map that is live as a whole, as [`live_update`] has it.
    #[must_use]
    pub fn changes(&self, newer: &Self) -> Changes {
        let (before, after) = (self.by_path(), newer.by_path());
        let (held_before, held_after) = (self.holders(), newer.holders());
        let mut changes = Changes::default();
        let mut differ = |path: &str, is_live: bool| {
            let list = if is_live {
                &mut changes.live
            } else {
                &mut changes.pending
            };
            list.push(path.to_owned());
        };
        for (path, value) in &after {
            match before.get(path) {
                Some(before) if before.digest == value.digest => {}
                Some(_) => differ(path, value.reload == Reload::Live),
                None => differ(path, value.moves_live(&held_before)),
            }
        }
        for (path, value) in before.iter().filter(|(path, _)| !after.contains_key(*path)) {
            differ(path, value.moves_live(&held_after));
        }
        changes.live.sort();
        changes.pending.sort();
        changes
    }

    fn by_path(&self) -> BTreeMap<&str, &EffectiveValue> {
        let values = self.values.iter();
        values.map(|value| (value.path.as_str(), value)).collect()
    }

    /// Everything that values are in.
    fn holders(&self) -> BTreeSet<&str> {
        let within = self.values.iter().flat_map(|value| &value.within);
        within.map(|(path, _)| path.as_str()).collect()
    }

    /// A list of `{path, value, origin, line, reload}`, for the admin port.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let entry = |value: &EffectiveValue| {
            serde_json::json!({
                "path": value.path,
                "value": value.value,
                "origin": value.place.origin().to_string(),
                "line": value.place.line(),
                "reload": value.reload,
            })
        };
        self.values.iter().map(entry).collect()
    }
}

impl<'a> IntoIterator for &'a Effective {
    type Item = &'a EffectiveValue;
    type IntoIter = std::slice::Iter<'a, EffectiveValue>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl fmt::Display for Effective {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rows: Vec<[String; 4]> = self
            .values
            .iter()
            .map(|value| {
                [
                    value.path.clone(),
                    value.value.to_string(),
                    value.place.to_string(),
                    value.reload.to_string(),
                ]
            })
            .collect();
        let heads = ["path", "value", "origin", "reload"].map(str::to_owned);
        // One long value does not push the rest off the screen.
        const WIDEST: usize = 48;
        let width = |column: usize| {
            let cells = rows
                .iter()
                .chain([&heads])
                .map(|row| row[column].chars().count());
            cells.max().unwrap_or_default().min(WIDEST)
        };
        let widths = [width(0), width(1), width(2)];
        for [path, value, origin, reload] in std::iter::once(&heads).chain(&rows) {
            writeln!(
                f,
                "{path:a$}  {value:b$}  {origin:c$}  {reload}",
                a = widths[0],
                b = widths[1],
                c = widths[2]
            )?;
        }
        Ok(())
    }
}

// === impl EffectiveValue ===

impl EffectiveValue {
    /// Whether it comes or goes without a restart where the things `held` are there already.
    fn moves_live(&self, held: &BTreeSet<&str>) -> bool {
        let mut new = self
            .within
            .iter()
            .filter(|(path, _)| !held.contains(path.as_str()));
        self.reload == Reload::Live && new.all(|(_, live)| *live)
    }
}

// === impl Changes ===

impl Changes {
    /// Whether nothing differs.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.live.is_empty() && self.pending.is_empty()
    }
}

// === impl Reload ===

impl fmt::Display for Reload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Live => "live",
            Self::Restart => "restart",
        })
    }
}

// === impl Report ===

impl Report {
    /// Adds the values of a section: `value` is the section written out, `tree` what was read for it.
    pub(crate) fn add(&mut self, section: &KeyPath, value: &Value, tree: &Node, shape: &Shape) {
        self.below(section, &mut KeyPath::default(), value, Some(tree), shape);
    }

    pub(crate) fn finish(self) -> Effective {
        Effective {
            values: self.values,
        }
    }

    fn below(
        &mut self,
        section: &KeyPath,
        path: &mut KeyPath,
        value: &Value,
        node: Option<&Node>,
        shape: &Shape,
    ) {
        if let Value::Object(entries) = value
            && (!entries.is_empty() || path.is_empty())
        {
            for (key, value) in entries {
                path.push(Step::Key(key.clone()));
                self.below(
                    section,
                    path,
                    value,
                    node.and_then(|node| child(node, key)),
                    shape,
                );
                path.pop();
            }
            return;
        }
        let whole = section.join(path);
        let mut hasher = DefaultHasher::new();
        value.to_string().hash(&mut hasher);
        self.values.push(EffectiveValue {
            value: redact::value(&whole, value),
            path: whole.to_string(),
            place: node.map_or_else(|| Place::new(Origin::Default), |node| node.place.clone()),
            reload: if shape.is_live(path) {
                Reload::Live
            } else {
                Reload::Restart
            },
            digest: hasher.finish(),
            within: within(section, path, shape),
        });
    }
}

/// What the value at `path` is in.
fn within(section: &KeyPath, path: &KeyPath, shape: &Shape) -> Vec<(String, bool)> {
    let above = (0..path.steps().len()).map(|depth| {
        let above = KeyPath::from_iter(path.steps()[..depth].iter().cloned());
        (section.join(&above).to_string(), shape.is_live(&above))
    });
    above.collect()
}

/// What was written for `key`, be it with a dash or without.
fn child<'a>(node: &'a Node, key: &str) -> Option<&'a Node> {
    let Written::Map(entries) = &node.value else {
        return None;
    };
    let same = |(other, _): &(&String, &Node)| other.replace('-', "_") == key.replace('-', "_");
    entries
        .get(key)
        .or_else(|| entries.iter().find(same).map(|(_, node)| node))
}
