//! A configuration that was read, and hands out its sections.
use super::{
    composition::ComponentEntry,
    effective::{Effective, Report},
    node::{Node, Value},
    path::{KeyPath, Step},
    place::{Origin, Place},
    problem::{Problem, Problems},
    section::{Reading, Section},
    shape::Shape,
    suggest,
};
use std::{collections::BTreeSet, fmt};

/// The layers as one tree, of which each [`section`](Self::section) takes its part; made by [`load`](super::load).
///
/// Problems are collected until [`finish`](Self::finish), which must be called: before that nothing may be bound.
///
/// # Clone
/// A clone hands out the same sections anew.
#[derive(Clone)]
#[must_use = "`finish` says whether the configuration is good"]
pub struct Loaded {
    tree: Node,
    components: Vec<ComponentEntry>,
    /// Sections that nobody has to ask for: of components that are disabled or have problems of their own.
    tolerated: BTreeSet<String>,
    known: BTreeSet<KeyPath>,
    schemes: Option<Vec<String>>,
    report: Report,
    problems: Vec<Problem>,
}

// === impl Loaded ===

impl Loaded {
    pub(crate) fn new(
        tree: Node,
        components: Vec<ComponentEntry>,
        names: Vec<String>,
        problems: Vec<Problem>,
    ) -> Self {
        let mut tolerated: BTreeSet<String> = names.into_iter().collect();
        for entry in components.iter().filter(|entry| entry.enabled) {
            tolerated.remove(&entry.name);
        }
        Self {
            tree,
            components,
            tolerated,
            known: BTreeSet::new(),
            schemes: None,
            report: Report::default(),
            problems,
        }
    }

    /// The components, in the order of the file; those with problems are left out.
    #[must_use]
    pub fn composition(&self) -> &[ComponentEntry] {
        &self.components
    }

    /// Reports every enabled component of a kind that is not one of `known`.
    pub fn kinds(&mut self, known: &[&str]) {
        for entry in self.components.iter().filter(|entry| entry.enabled) {
            if !known.contains(&entry.kind.as_str()) {
                let what = format!(
                    "the component `{}` is of the unknown kind `{}`",
                    entry.name, entry.kind
                );
                let remedy = suggest::remedy(&entry.kind, known.iter().copied());
                self.problems
                    .push(Problem::new(entry.place.clone(), "", what, remedy));
                self.tolerated.insert(entry.name.clone());
            }
        }
    }

    /// From now on sections may refer to secrets of these schemes only. Without this every scheme is taken.
    ///
    /// The sections of the secrets providers are read first, with `["env", "file"]`; the rest with all that these provide.
    pub fn schemes(&mut self, schemes: &[&str]) {
        self.schemes = Some(schemes.iter().map(|scheme| (*scheme).to_owned()).collect());
    }

    /// Reads the section at `path`: `shutdown`, `telemetry.logs`, the name of a component. Where it has problems they are
    /// kept for [`finish`](Self::finish) and the default is returned; a section that nobody wrote is the default too.
    ///
    /// A path that was asked for before, or lies above or below such a one, is a problem: so is a component that is called
    /// like a section of the runtime.
    pub fn section<T: Section>(&mut self, path: &str) -> T {
        let path = parsed(path);
        if let Some(other) = self
            .known
            .iter()
            .find(|known| known.starts_with(&path) || path.starts_with(known))
        {
            let first = path.steps().first().cloned();
            let same = |entry: &&ComponentEntry| first == Some(Step::Key(entry.name.clone()));
            let entry = self.components.iter().find(same);
            let place = entry.map_or_else(
                || self.tree.nearest(&path).place.clone(),
                |entry| entry.place.clone(),
            );
            let what = format!(
                "`{path}` is a name of the runtime's own: the section `{other}` exists already"
            );
            self.problems.push(Problem::new(
                place,
                path.to_string(),
                what,
                "give the component another name",
            ));
            return T::default();
        }
        self.known.insert(path.clone());
        self.adopt(&path);
        let mut tree = match self.tree.find(&path) {
            Some(node) => node.clone(),
            None => Node::map(Place::new(Origin::Default)),
        };
        let shape = Shape::of::<T>();
        let reading = Reading {
            section: &path,
            shape: &shape,
            schemes: self.schemes.as_deref(),
        };
        let before = self.problems.len();
        let value: T = reading.read(&mut tree, &mut self.problems);
        if self.problems.len() > before {
            return T::default();
        }
        match serde_json::to_value(&value) {
            Ok(json) => self.report.add(&path, &json, &tree, &shape),
            Err(err) => {
                let what = format!("the section cannot be written out: {err}");
                let remedy = "this is a fault of the program: report it";
                self.problems
                    .push(Problem::new(tree.place, path.to_string(), what, remedy));
            }
        }
        value
    }

    /// Adds a problem that only the caller could see, such as a component that needs another.
    pub fn problem(&mut self, problem: Problem) {
        self.problems.push(problem);
    }

    /// Where the value at `path`, or the nearest above it, was written.
    #[must_use]
    pub fn place(&self, path: &str) -> Place {
        self.tree.nearest(&parsed(path)).place.clone()
    }

    /// What has been wrong so far.
    #[must_use]
    pub fn problems(&self) -> Problems {
        Problems::new(self.problems.clone())
    }

    /// Ends the reading: keys at the top that belong to no section are problems too.
    ///
    /// # Errors
    /// Everything that is wrong, also with the files and the composition.
    pub fn finish(mut self) -> Result<Effective, Problems> {
        let mut problems = std::mem::take(&mut self.problems);
        self.strangers(&self.tree, &mut KeyPath::default(), &mut problems);
        Problems::or(problems, self.report.finish())
    }

    /// Gives a key that a variable wrote the name that the program knows: a variable cannot say `-`.
    fn adopt(&mut self, path: &KeyPath) {
        let mut node = &mut self.tree;
        for step in path.steps() {
            let (Step::Key(key), Value::Map(entries)) = (step, &mut node.value) else {
                return;
            };
            if !entries.contains_key(key) {
                let same = |(other, node): &(&String, &Node)| {
                    node.place.origin().is_shell() && **other == key.replace('-', "_")
                };
                let Some(other) = entries.iter().find(same).map(|(other, _)| other.clone()) else {
                    return;
                };
                if let Some(node) = entries.remove(&other) {
                    entries.insert(key.clone(), node);
                }
            }
            let Some(below) = entries.get_mut(key) else {
                return;
            };
            node = below;
        }
    }

    /// Reports what belongs to no section.
    fn strangers(&self, node: &Node, path: &mut KeyPath, problems: &mut Vec<Problem>) {
        let Some(entries) = node.entries() else {
            let what = format!(
                "{} stands where a map of sections is expected",
                node.describe(true)
            );
            let remedy = "write the sections as `name:` lines below it";
            if !matches!(node.value, Value::Null { .. }) {
                problems.push(Problem::new(
                    node.place.clone(),
                    path.to_string(),
                    what,
                    remedy,
                ));
            }
            return;
        };
        let depth = path.steps().len();
        for (key, node) in entries.iter().filter(|(_, node)| !node.pruned) {
            let here = path.key(key);
            if self.known.contains(&here) || (depth == 0 && self.tolerated.contains(key)) {
                continue;
            }
            if self.known.iter().any(|known| known.starts_with(&here)) {
                *path = here;
                self.strangers(node, path, problems);
                path.pop();
                continue;
            }
            let siblings = self
                .known
                .iter()
                .filter(|known| known.starts_with(path))
                .filter_map(|known| match known.steps().get(depth)? {
                    Step::Key(key) => Some(key.as_str()),
                    Step::Index(_) => None,
                });
            let siblings = siblings.chain(
                self.tolerated
                    .iter()
                    .filter(|_| depth == 0)
                    .map(String::as_str),
            );
            let component = self
                .components
                .iter()
                .any(|entry| depth == 0 && entry.name == *key);
            let (what, remedy) = if component {
                (
                    format!("the component `{key}` takes no configuration"),
                    "remove the section".to_owned(),
                )
            } else {
                (
                    format!("there is no section `{key}`"),
                    suggest::remedy(key, siblings),
                )
            };
            problems.push(Problem::new(
                node.place.clone(),
                here.to_string(),
                what,
                remedy,
            ));
        }
    }
}

impl fmt::Debug for Loaded {
    /// Leaves out the values.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Loaded")
            .field("components", &self.components)
            .field("sections", &self.known.len())
            .field("problems", &self.problems)
            .finish_non_exhaustive()
    }
}

/// The path that `text` says.
fn parsed(text: &str) -> KeyPath {
    KeyPath::parse(text).unwrap_or_else(|_| KeyPath::from_iter([Step::Key(text.to_owned())]))
}
