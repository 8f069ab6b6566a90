//! What is wrong with a configuration, where, and what to write instead.
use super::place::{Origin, Place};
use crate::error::{Error, ErrorKind};
use std::{error, fmt};

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Problem {
    place: Place,
    path: String,
    what: String,
    remedy: String,
}

/// Everything that is wrong, in the order of files and lines; never empty where it is an error.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Problems(Vec<Problem>);

// === impl Problem ===

impl Problem {
    /// Creates a problem. `what` must not hold a secret. Each part is made to fit on one line.
    #[must_use]
    pub fn new(
        place: Place,
        path: impl Into<String>,
        what: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Self {
        Self {
            place,
            path: one_line(path.into()),
            what: one_line(what.into()),
            remedy: one_line(remedy.into()),
        }
    }

    /// Where the value was written.
    #[must_use]
    pub fn place(&self) -> &Place {
        &self.place
    }

    /// The layer that it was written in.
    #[must_use]
    pub fn origin(&self) -> &Origin {
        self.place.origin()
    }

    /// The line in the file, from 1 upwards.
    #[must_use]
    pub fn line(&self) -> Option<usize> {
        self.place.line()
    }

    /// The path of the value, such as `http.port`; empty when it is about a whole file.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.path
    }

    /// What is wrong.
    #[must_use]
    pub fn what(&self) -> &str {
        &self.what
    }

    /// What to write instead.
    #[must_use]
    pub fn remedy(&self) -> &str {
        &self.remedy
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.place)?;
        if !self.path.is_empty() {
            write!(f, "{}: ", self.path)?;
        }
        write!(f, "{}; {}", self.what, self.remedy)
    }
}

// === impl Problems ===

impl Problems {
    /// Sorts `problems` and drops repetitions.
    #[must_use]
    pub fn new(mut problems: Vec<Problem>) -> Self {
        problems.sort_by(|a, b| {
            (&a.place, &a.path, &a.what, &a.remedy).cmp(&(&b.place, &b.path, &b.what, &b.remedy))
        });
        problems.dedup();
        Self(problems)
    }

    /// `value` where there are no problems.
    ///
    /// # Errors
    /// `problems`, where there are some.
    pub fn or<T>(problems: Vec<Problem>, value: T) -> Result<T, Self> {
        if problems.is_empty() {
            Ok(value)
        } else {
            Err(Self::new(problems))
        }
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// One after another.
    pub fn iter(&self) -> std::slice::Iter<'_, Problem> {
        self.0.iter()
    }
}

impl IntoIterator for Problems {
    type Item = Problem;
    type IntoIter = std::vec::IntoIter<Problem>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl<'a> IntoIterator for &'a Problems {
    type Item = &'a Problem;
    type IntoIter = std::slice::Iter<'a, Problem>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl fmt::Display for Problems {
    /// One line for each, without a newline at the end.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, problem) in self.0.iter().enumerate() {
            if at > 0 {
                f.write_str("\n")?;
            }
            problem.fmt(f)?;
        }
        Ok(())
    }
}

impl error::Error for Problems {}

impl From<Problems> for Error {
    fn from(problems: Problems) -> Self {
        let message = match problems.len() {
            1 => "the configuration has a problem".to_owned(),
            count => format!("the configuration has {count} problems"),
        };
        Self::new(ErrorKind::Config, format!("{message}:\n{problems}")).with_source(problems)
    }
}

/// Hostile text must not break a line of the report nor steer a terminal.
fn one_line(text: String) -> String {
    let steers = |c: char| {
        c.is_control()
            || matches!(c, '\u{2028}' | '\u{2029}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    if text.contains(steers) {
        let escape = |c: char| -> String {
            if steers(c) {
                c.escape_default().collect()
            } else {
                c.to_string()
            }
        };
        text.chars().map(escape).collect()
    } else {
        text
    }
}
