//! Lays one tree over another: maps merge, everything else replaces.
use super::{
    node::{Node, Value},
    path::{KeyPath, Step},
    problem::Problem,
};
use std::collections::btree_map::Entry;

/// Lays `upper` over `lower`. Nothing (`http:`) over a map changes nothing; an explicit `null` replaces it.
pub(crate) fn merge(lower: &mut Node, upper: Node, problems: &mut Vec<Problem>) {
    below(lower, upper, &mut KeyPath::default(), problems);
}

fn below(lower: &mut Node, upper: Node, path: &mut KeyPath, problems: &mut Vec<Problem>) {
    match (&mut lower.value, upper.value) {
        (Value::Map(entries), Value::Map(upper)) => {
            for (key, node) in upper {
                match entries.entry(key) {
                    Entry::Vacant(entry) => {
                        entry.insert(node);
                    }
                    Entry::Occupied(entry) => {
                        path.push(Step::Key(entry.key().clone()));
                        below(entry.into_mut(), node, path, problems);
                        path.pop();
                    }
                }
            }
        }
        (Value::Map(_), Value::Null { empty: true }) => {}
        (Value::List(_), Value::Map(_)) if upper.place.origin().is_shell() => {
            let remedy = "replace it as a whole, for example with `[one, two]`";
            let what = "a list cannot be changed in part";
            problems.push(Problem::new(upper.place, path.to_string(), what, remedy));
        }
        (_, value) => *lower = Node { value, ..upper },
    }
}
