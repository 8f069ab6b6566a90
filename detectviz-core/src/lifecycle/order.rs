//! Who starts after whom: no clock, no async.
use std::collections::BTreeMap;

/// The parts by index, and which of them each one waits for.
#[derive(Debug)]
pub(super) struct Order {
    /// For each part, those that it starts after.
    after: Vec<Vec<usize>>,
}

/// Walks an [`Order`], forwards or backwards, and gives out each part once everything before it is done.
#[derive(Debug)]
pub(super) struct Walk {
    /// How many of the parts before it are not done yet.
    waits: Vec<usize>,
    /// Whom each part lets go when it is done.
    releases: Vec<Vec<usize>>,
    ready: Vec<usize>,
}

// === impl Order ===

impl Order {
    /// Resolves the names.
    ///
    /// # Errors
    /// Every problem at once: names that are used twice, names that nothing has, and one cycle.
    pub(super) fn new(parts: &[(&str, &[String])]) -> Result<Self, Vec<String>> {
        let mut problems = Vec::new();
        let mut index = BTreeMap::new();
        for (at, (name, _)) in parts.iter().enumerate() {
            if index.insert(*name, at).is_some() {
                problems.push(format!("two parts are named `{name}`: rename one"));
            }
        }
        let mut after = Vec::with_capacity(parts.len());
        for (name, wanted) in parts {
            let mut found = Vec::with_capacity(wanted.len());
            for other in *wanted {
                match index.get(other.as_str()) {
                    Some(at) => found.push(*at),
                    None => problems.push(format!(
                        "`{name}` starts after `{other}`, which does not exist: add it or take it out of `after` (there are: {})",
                        index.keys().copied().collect::<Vec<_>>().join(", ")
                    )),
                }
            }
            found.sort_unstable();
            found.dedup();
            after.push(found);
        }
        let order = Self { after };
        if let Some(cycle) = order.cycle() {
            let names: Vec<_> = cycle.iter().map(|at| parts[*at].0).collect();
            problems.push(format!(
                "parts wait for each other: {} starts after {}: take one of them out of `after`",
                names[0],
                names[1..].join(", which starts after ")
            ));
        }
        if problems.is_empty() {
            Ok(order)
        } else {
            Err(problems)
        }
    }

    /// Every part, in the order of starting.
    pub(super) fn forwards(&self) -> Walk {
        let mut releases = vec![Vec::new(); self.after.len()];
        for (part, after) in self.after.iter().enumerate() {
            for other in after {
                releases[*other].push(part);
            }
        }
        Walk::new(self.after.iter().map(Vec::len).collect(), releases)
    }

    /// The parts that `wanted` names, in reverse order.
    pub(super) fn backwards(&self, wanted: impl Fn(usize) -> bool) -> Walk {
        let mut waits = vec![0; self.after.len()];
        for other in self.after.iter().flatten() {
            waits[*other] += 1;
        }
        let mut walk = Walk::new(waits, self.after.clone());
        walk.skip(wanted);
        walk
    }

    /// One cycle, its first part repeated at its end.
    fn cycle(&self) -> Option<Vec<usize>> {
        let mut walk = self.forwards();
        let mut left = vec![true; self.after.len()];
        while let Some(part) = walk.next() {
            left[part] = false;
            walk.done(part);
        }
        // Each part that is left waits for one that is left, so following them must come back to where it has been.
        let mut path = vec![left.iter().position(|left| *left)?];
        loop {
            let last = path[path.len() - 1];
            let next = self.after[last].iter().copied().find(|at| left[*at])?;
            if let Some(at) = path.iter().position(|seen| *seen == next) {
                path.push(next);
                return Some(path.split_off(at));
            }
            path.push(next);
        }
    }
}

// === impl Walk ===

impl Walk {
    fn new(waits: Vec<usize>, releases: Vec<Vec<usize>>) -> Self {
        // Taken from the end; reversed so that parts go in the order in which they were added.
        let ready = (0..waits.len())
            .rev()
            .filter(|at| waits[*at] == 0)
            .collect();
        Self {
            waits,
            releases,
            ready,
        }
    }

    /// A part that nothing holds back any more; `None` when there is none at the moment.
    pub(super) fn next(&mut self) -> Option<usize> {
        self.ready.pop()
    }

    /// `part` is done, however it went.
    pub(super) fn done(&mut self, part: usize) {
        for other in std::mem::take(&mut self.releases[part]) {
            self.waits[other] -= 1;
            if self.waits[other] == 0 {
                self.ready.insert(0, other);
            }
        }
    }

    /// Passes over the parts that are not wanted, wherever they come up.
    fn skip(&mut self, wanted: impl Fn(usize) -> bool) {
        // A part that is not wanted holds back no other: drop every edge through it, then the part itself.
        for part in 0..self.waits.len() {
            if !wanted(part) {
                for other in std::mem::take(&mut self.releases[part]) {
                    self.waits[other] -= 1;
                    if self.waits[other] == 0 {
                        self.ready.push(other);
                    }
                }
            }
        }
        self.ready.retain(|part| wanted(*part));
    }
}
