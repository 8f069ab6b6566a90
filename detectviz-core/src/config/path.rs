//! Where a value stands in a tree of configuration: `http.listeners[1].port`.
use std::fmt;

/// One step down the tree.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Step {
    Key(String),
    Index(usize),
}

/// The steps from the root to a value.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct KeyPath(Vec<Step>);

/// A text that is not a path, and why.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct InvalidPath(pub(crate) &'static str);

// === impl KeyPath ===

impl KeyPath {
    /// Reads `a.b[0]."c.d"`.
    pub(crate) fn parse(text: &str) -> Result<Self, InvalidPath> {
        let mut steps = Vec::new();
        let mut rest = text;
        loop {
            let (key, tail) = match rest.strip_prefix('"') {
                Some(quoted) => quoted
                    .split_once('"')
                    .ok_or(InvalidPath("a quote is not closed"))?,
                None => rest.split_at(rest.find(['.', '[']).unwrap_or(rest.len())),
            };
            if key.is_empty() {
                return Err(InvalidPath("a key is empty"));
            }
            steps.push(Step::Key(key.to_owned()));
            rest = tail;
            while let Some(tail) = rest.strip_prefix('[') {
                let (index, tail) = tail
                    .split_once(']')
                    .ok_or(InvalidPath("a `]` is missing"))?;
                let index = index
                    .parse()
                    .map_err(|_| InvalidPath("an index is not a number"))?;
                steps.push(Step::Index(index));
                rest = tail;
            }
            if rest.is_empty() {
                return Ok(Self(steps));
            }
            rest = rest
                .strip_prefix('.')
                .ok_or(InvalidPath("a `.` is missing between two keys"))?;
        }
    }

    pub(crate) fn steps(&self) -> &[Step] {
        &self.0
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn push(&mut self, step: Step) {
        self.0.push(step);
    }

    pub(crate) fn pop(&mut self) {
        self.0.pop();
    }

    pub(crate) fn key(&self, key: &str) -> Self {
        let mut path = self.clone();
        path.push(Step::Key(key.to_owned()));
        path
    }

    pub(crate) fn join(&self, below: &Self) -> Self {
        Self(self.0.iter().chain(&below.0).cloned().collect())
    }

    pub(crate) fn starts_with(&self, prefix: &Self) -> bool {
        self.0.starts_with(&prefix.0)
    }

    /// The last key, of whatever list its value may be in.
    pub(crate) fn last_key(&self) -> Option<&str> {
        self.0.iter().rev().find_map(|step| match step {
            Step::Key(key) => Some(key.as_str()),
            Step::Index(_) => None,
        })
    }
}

impl FromIterator<Step> for KeyPath {
    fn from_iter<I: IntoIterator<Item = Step>>(steps: I) -> Self {
        Self(steps.into_iter().collect())
    }
}

impl fmt::Display for KeyPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, step) in self.0.iter().enumerate() {
            match step {
                Step::Index(index) => write!(f, "[{index}]")?,
                Step::Key(key) => {
                    if at > 0 {
                        f.write_str(".")?;
                    }
                    if key.is_empty() || key.contains(['.', '[', '"', ' ', ':']) {
                        write!(f, "\"{key}\"")?;
                    } else {
                        f.write_str(key)?;
                    }
                }
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_read_and_written_back() {
        for text in ["a", "a.b-c.d_e", "a[0].b[12]", r#"a."b.c".d"#, "a[1][2]"] {
            assert_eq!(KeyPath::parse(text).unwrap().to_string(), text);
        }
        for text in [
            "", ".", "a.", ".a", "a..b", "a[", "a[x]", "a[0]b", "\"a", "a.[0]",
        ] {
            assert!(KeyPath::parse(text).is_err(), "{text}");
        }
    }
}
