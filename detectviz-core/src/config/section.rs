//! A part of the configuration that has a type, and how it is read and checked.
use super::{
    de::ValueReader,
    fault::{Fault, FaultKind},
    node::Node,
    path::{KeyPath, Step},
    place::{Origin, Place},
    problem::{Problem, Problems},
    redact,
    shape::Shape,
    suggest,
};
use crate::secret::SecretRef;
use schemars::JsonSchema;
use serde::{Serialize, de::DeserializeOwned};
use std::fmt;

/// Problems reported for one section; a file in the wrong place is said with fewer.
const MAX_PROBLEMS: usize = 50;

/// A typed part of `app_config.yaml`: plain data with a default that is safe in production.
pub trait Section:
    Serialize + DeserializeOwned + JsonSchema + Default + Clone + Send + Sync + 'static
{
    /// Reports what the types alone cannot say: that one duration fits into another, that a list is not empty.
    fn validate(&self, check: &mut Checker<'_>) {
        let _ = check;
    }
}

/// Takes the problems that a [`Section`] finds in itself, and knows where its values were written.
pub struct Checker<'a> {
    /// Where the section stands in the file.
    section: &'a KeyPath,
    tree: Option<&'a Node>,
    /// Where below the section [`Checker::problem`] starts from.
    within: KeyPath,
    problems: &'a mut Vec<Problem>,
}

/// What reading a section needs to know.
pub(crate) struct Reading<'a> {
    /// Where the section stands in the file.
    pub(crate) section: &'a KeyPath,
    /// The schema of its type.
    pub(crate) shape: &'a Shape,
    /// The schemes that a reference to a secret may have; all where there is none.
    pub(crate) schemes: Option<&'a [String]>,
}

/// Checks a section that was made by code rather than read from a file.
///
/// # Errors
/// Everything that [`Section::validate`] reports.
pub fn check<T: Section>(section: &T) -> Result<(), Problems> {
    let mut problems = Vec::new();
    section.validate(&mut Checker {
        section: &KeyPath::default(),
        tree: None,
        within: KeyPath::default(),
        problems: &mut problems,
    });
    Problems::or(problems, ())
}

// === impl Checker ===

impl Checker<'_> {
    /// Reports a problem with `key`, a path below the section such as `grace` or `tls.cert`; empty for the section as a
    /// whole. `what` says what is wrong without showing a secret, `remedy` what to write instead.
    pub fn problem(&mut self, key: &str, what: impl Into<String>, remedy: impl Into<String>) {
        let key = match key {
            "" => KeyPath::default(),
            key => KeyPath::parse(key)
                .unwrap_or_else(|_| KeyPath::from_iter([Step::Key(key.to_owned())])),
        };
        let below = self.within.join(&key);
        let place = match self.tree {
            Some(tree) => tree.nearest(&below).place.clone(),
            None => Place::new(Origin::Default),
        };
        let path = self.section.join(&below).to_string();
        self.problems.push(Problem::new(place, path, what, remedy));
    }

    /// Checks a part of the section that stands under `key`, for example `tls` or `upstreams[2]`.
    pub fn nested<T: Section>(&mut self, key: &str, part: &T) {
        let key =
            KeyPath::parse(key).unwrap_or_else(|_| KeyPath::from_iter([Step::Key(key.to_owned())]));
        part.validate(&mut Checker {
            section: self.section,
            tree: self.tree,
            within: self.within.join(&key),
            problems: self.problems,
        });
    }
}

impl fmt::Debug for Checker<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Checker")
            .field("section", &self.section.join(&self.within).to_string())
            .field("problems", &self.problems.len())
            .finish_non_exhaustive()
    }
}

// === impl Reading ===

impl Reading<'_> {
    /// Reads `tree` strictly, adding every problem. What has problems is pruned from `tree` and takes its default, so
    /// that the rest is read and checked too.
    pub(crate) fn read<T: Section>(&self, tree: &mut Node, problems: &mut Vec<Problem>) -> T {
        let first = problems.len();
        let mut pruned = self.references(tree, problems);
        let value = loop {
            if tree.pruned {
                return T::default();
            }
            let fault = match T::deserialize(ValueReader::new(tree)) {
                Ok(value) => break value,
                Err(fault) => fault,
            };
            let steps: Vec<Step> = fault.steps.iter().rev().cloned().collect();
            let path = KeyPath::from_iter(steps.iter().cloned());
            if let Some(problem) = self.problem(tree, &path, fault) {
                problems.push(problem);
            }
            let gone = tree.prune(&steps);
            pruned.push(steps.into_iter().take(gone).collect());
            if problems.len() - first >= MAX_PROBLEMS {
                return T::default();
            }
        };
        let mut found = Vec::new();
        value.validate(&mut Checker {
            section: self.section,
            tree: Some(tree),
            within: KeyPath::default(),
            problems: &mut found,
        });
        // A check of a value that was not read would speak of its default.
        found.retain(|problem| {
            let hidden = |gone: &KeyPath| {
                KeyPath::parse(problem.path())
                    .is_ok_and(|path| path.starts_with(&self.section.join(gone)))
            };
            !pruned.iter().any(hidden)
        });
        problems.append(&mut found);
        value
    }

    /// Refuses `${…}` wherever it is not a reference to a secret in a field that takes one.
    fn references(&self, tree: &mut Node, problems: &mut Vec<Problem>) -> Vec<KeyPath> {
        let mut refused = Vec::new();
        tree.leaves(&mut KeyPath::default(), &mut |path, node| {
            let super::node::Value::Text(text) = &node.value else {
                return;
            };
            if !text.contains("${") || node.pruned {
                return;
            }
            let known = self.shape.is_secret(path);
            if let Some((what, remedy)) = self.reference(text, known) {
                let path = path.clone();
                let whole = self.section.join(&path).to_string();
                problems.push(Problem::new(node.place.clone(), whole, what, remedy));
                refused.push(path);
            }
        });
        for path in &refused {
            tree.prune(path.steps());
        }
        refused
    }

    fn reference(&self, text: &str, takes_secret: Option<bool>) -> Option<(String, String)> {
        const FORM: &str = "${secret:<scheme>:<path>#<field>}";
        match takes_secret {
            // The key itself is unknown, which the reader says.
            None => None,
            Some(true) => {
                let scheme = match (text.parse::<SecretRef>(), self.schemes) {
                    (Ok(reference), Some(_)) => reference.scheme().to_owned(),
                    // The type refuses what is malformed.
                    _ => return None,
                };
                let schemes = self.schemes.unwrap_or_default();
                if schemes.contains(&scheme) {
                    return None;
                }
                let known: Vec<&str> = schemes.iter().map(String::as_str).collect();
                let what =
                    format!("no secrets provider for the scheme `{scheme}` may be used here");
                let remedy = match suggest::nearest(&scheme, known.iter().copied()) {
                    Some(near) => format!("did you mean `${{secret:{near}:…}}`?"),
                    None => format!("use one of {}", suggest::list(&known)),
                };
                Some((what, remedy))
            }
            Some(false) if text.contains("${secret:") => Some((
                "a reference to a secret stands where only plain text is taken".to_owned(),
                "write the text itself, or use the key that takes the secret".to_owned(),
            )),
            Some(false) => Some((
                "`${…}` is not replaced here".to_owned(),
                format!(
                    "write the value itself, or set it by the variable DETECTVIZ__…; only secrets are written as `{FORM}`"
                ),
            )),
        }
    }

    /// The message for `fault` at `path`, unless something said before is its cause.
    fn problem(&self, tree: &Node, path: &KeyPath, fault: Fault) -> Option<Problem> {
        let node = tree.nearest(path);
        let whole = self.section.join(path);
        let sensitive =
            redact::is_sensitive_path(&whole) || self.shape.is_secret(path) == Some(true);
        let found = node.describe(sensitive);
        let (what, remedy) = match fault.kind {
            FaultKind::Wanted { wanted, remedy } => {
                (format!("{found} stands where {wanted} is expected"), remedy)
            }
            FaultKind::Range { from, to } => (
                format!("{found} is out of range"),
                format!("write a whole number from {from} to {to}"),
            ),
            FaultKind::UnknownKey(known) => {
                let key = path.last_key().unwrap_or_default();
                (
                    format!("the key `{key}` is unknown"),
                    suggest::remedy(key, known.iter().copied()),
                )
            }
            FaultKind::UnknownVariant { found: name, known } => {
                let shown = name
                    .filter(|_| !sensitive)
                    .map_or(found, |name| format!("`{}`", redact::text(&name)));
                let near = suggest::nearest(&shown, known.iter().copied());
                let listed = suggest::list(known);
                let remedy = match near {
                    Some(near) if known.len() > 4 => {
                        format!("did you mean `{near}`? It takes one of {listed}")
                    }
                    _ => format!("write one of {listed}"),
                };
                (format!("{shown} is not known here"), remedy)
            }
            FaultKind::Missing(key) => {
                let said = node.entries().and_then(|entries| entries.get(&key));
                if said.is_some_and(|node| node.pruned) {
                    return None;
                }
                (
                    format!("the key `{key}` is missing"),
                    format!("add `{key}: …` here"),
                )
            }
            FaultKind::Refused(message) => {
                let (message, remedy) = split(message);
                (format!("{found}: {message}"), remedy)
            }
        };
        Some(Problem::new(
            node.place.clone(),
            whole.to_string(),
            what,
            remedy,
        ))
    }
}

/// Parts what is wrong from what to write instead, where the message of a type holds both.
fn split(message: String) -> (String, String) {
    for (mark, skip) in [("; ", 2), (": write ", 2)] {
        if let Some(at) = message.find(mark) {
            let (what, remedy) = message.split_at(at);
            return (what.to_owned(), remedy[skip..].to_owned());
        }
    }
    (message, "correct the value".to_owned())
}
