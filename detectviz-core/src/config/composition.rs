//! What is in the box: the list of components in `composition.yaml`.
use super::{
    node::{Node, Value},
    path::{KeyPath, Step},
    place::{Origin, Place},
    problem::Problem,
    section::{Reading, Section},
    shape::Shape,
    suggest,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// One component of a service, as `composition.yaml` lists it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ComponentEntry {
    /// Its name: unique, and the key of its section in `app_config.yaml`.
    pub name: String,
    /// What it is: one of the kinds that the program registers.
    pub kind: String,
    /// The names of the components that start before it.
    pub after: Vec<String>,
    /// Whether it runs at all.
    pub enabled: bool,
    /// Where it is listed.
    pub place: Place,
}

/// The file as it is written.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Composition {
    /// The components of the service. The order is that of their start where `after` leaves it open.
    components: Vec<Entry>,
}

/// A component.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Entry {
    /// The name of the component: unique, and the key of its section in `app_config.yaml`.
    #[schemars(regex(pattern = r"^[a-z]([a-z0-9-]{0,61}[a-z0-9])?$"))]
    name: String,
    /// What it is.
    kind: String,
    /// The names of the components that start before it.
    #[serde(default)]
    after: Vec<String>,
    /// Whether it runs at all.
    #[serde(default = "yes")]
    enabled: bool,
}

fn yes() -> bool {
    true
}

impl Section for Composition {}

/// Reads the list. Entries with problems are left out of it; their names are returned beside it.
pub(crate) fn read(
    tree: &mut Node,
    problems: &mut Vec<Problem>,
) -> (Vec<ComponentEntry>, Vec<String>) {
    let names = names(tree);
    let first = problems.len();
    let shape = Shape::of::<Composition>();
    let section = KeyPath::default();
    let reading = Reading {
        section: &section,
        shape: &shape,
        schemes: None,
    };
    let file: Composition = reading.read(tree, problems);
    let items = match tree
        .entries()
        .and_then(|entries| entries.get("components"))
        .map(|node| &node.value)
    {
        Some(Value::List(items)) => items.as_slice(),
        _ => &[],
    };
    let kept = items.iter().enumerate().filter(|(_, item)| !item.pruned);
    let mut entries: Vec<(usize, ComponentEntry)> = kept
        .zip(file.components)
        .map(|((index, item), entry)| {
            let Entry {
                name,
                kind,
                after,
                enabled,
            } = entry;
            (
                index,
                ComponentEntry {
                    name,
                    kind,
                    after,
                    enabled,
                    place: item.place.clone(),
                },
            )
        })
        .collect();
    let mut check = Check {
        names: &names,
        problems,
    };
    check.entries(&entries);
    // A circle is worth naming only where every name is right.
    if check.problems.len() == first {
        check.circle(&entries);
    }
    let faulty = |at: usize| {
        let path = item(at, "").to_string();
        problems[first..]
            .iter()
            .any(|problem| problem.path().starts_with(&path))
    };
    entries.retain(|(index, _)| !faulty(*index));
    (entries.into_iter().map(|(_, entry)| entry).collect(), names)
}

/// Every name in the file, also of entries that cannot be read.
fn names(tree: &Node) -> Vec<String> {
    let Some(Value::List(items)) = tree
        .entries()
        .and_then(|entries| entries.get("components"))
        .map(|node| &node.value)
    else {
        return Vec::new();
    };
    let name = |item: &Node| match item
        .entries()
        .and_then(|entries| entries.get("name"))
        .map(|node| &node.value)
    {
        Some(Value::Text(name)) => Some(name.clone()),
        _ => None,
    };
    items.iter().filter_map(name).collect()
}

/// `components[index].key`
fn item(index: usize, key: &str) -> KeyPath {
    let path = KeyPath::from_iter([Step::Key("components".to_owned()), Step::Index(index)]);
    if key.is_empty() { path } else { path.key(key) }
}

/// A word of lower-case letters, digits and dashes that starts with a letter: at most 63, as a label of DNS.
fn is_name(name: &str) -> bool {
    let inner = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    name.len() <= 63
        && name.starts_with(|c: char| c.is_ascii_lowercase())
        && !name.ends_with('-')
        && name.bytes().all(inner)
}

struct Check<'a> {
    names: &'a [String],
    problems: &'a mut Vec<Problem>,
}

// === impl Check ===

impl Check<'_> {
    fn say(&mut self, place: &Place, path: &KeyPath, what: String, remedy: String) {
        self.problems
            .push(Problem::new(place.clone(), path.to_string(), what, remedy));
    }

    fn entries(&mut self, entries: &[(usize, ComponentEntry)]) {
        let mut first: BTreeMap<&str, usize> = BTreeMap::new();
        for (index, entry) in entries {
            let (place, name) = (&entry.place, &entry.name);
            if !is_name(name) {
                let remedy = "write lower-case letters, digits and dashes, at most 63, starting with a letter";
                self.say(
                    place,
                    &item(*index, "name"),
                    format!("`{name}` is no name for a component"),
                    remedy.to_owned(),
                );
            }
            if let Some(first) = first.get(name.as_str()) {
                let what = format!("the name `{name}` is that of components[{first}] too");
                self.say(
                    place,
                    &item(*index, "name"),
                    what,
                    "give each component a name of its own".to_owned(),
                );
            } else {
                first.insert(name, *index);
            }
            for (at, before) in entry.after.iter().enumerate() {
                let mut path = item(*index, "after");
                path.push(Step::Index(at));
                let others = self
                    .names
                    .iter()
                    .map(String::as_str)
                    .filter(|other| other != name);
                if before == name {
                    self.say(
                        place,
                        &path,
                        format!("`{name}` starts after itself"),
                        "remove it".to_owned(),
                    );
                } else if !self.names.contains(before) {
                    let remedy = suggest::remedy(before, others);
                    self.say(
                        place,
                        &path,
                        format!("there is no component `{before}`"),
                        remedy,
                    );
                } else if entry.after[..at].contains(before) {
                    self.say(
                        place,
                        &path,
                        format!("`{before}` is listed twice"),
                        "remove one of the two".to_owned(),
                    );
                }
            }
        }
    }

    /// Names one circle, if there is one.
    fn circle(&mut self, entries: &[(usize, ComponentEntry)]) {
        let by_name: BTreeMap<&str, &ComponentEntry> = entries
            .iter()
            .map(|(_, entry)| (entry.name.as_str(), entry))
            .collect();
        let mut left: BTreeMap<&str, &ComponentEntry> = by_name.clone();
        // What can start, starts, until nothing more can.
        while let Some(name) = left
            .iter()
            .find(|(_, entry)| {
                !entry
                    .after
                    .iter()
                    .any(|before| left.contains_key(before.as_str()))
            })
            .map(|(name, _)| *name)
        {
            left.remove(name);
        }
        let Some((mut name, _)) = left.first_key_value().map(|(name, entry)| (*name, entry)) else {
            return;
        };
        let mut walked: Vec<&str> = Vec::new();
        while !walked.contains(&name) {
            walked.push(name);
            let before = left[name]
                .after
                .iter()
                .find(|before| left.contains_key(before.as_str()));
            let Some(before) = before else { return };
            name = before;
        }
        walked.drain(
            ..walked
                .iter()
                .position(|other| *other == name)
                .unwrap_or_default(),
        );
        walked.push(name);
        let shown = walked
            .iter()
            .map(|name| format!("`{name}`"))
            .collect::<Vec<_>>()
            .join(" after ");
        let index = entries
            .iter()
            .find(|(_, entry)| entry.name == name)
            .map_or(0, |(index, _)| *index);
        let what = format!("the components wait for each other: {shown}");
        let place = by_name[name].place.clone();
        self.say(
            &place,
            &item(index, "after"),
            what,
            "remove one `after` of the circle".to_owned(),
        );
    }
}

/// A composition that was not written anywhere.
pub(crate) fn nothing() -> Node {
    Node::map(Place::new(Origin::Default))
}
