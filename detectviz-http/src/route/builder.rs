//! A table in the making.
use super::{MethodName, RouteTable, table::Entry};
use http::Method;
use std::{error, fmt};

/// Collects the templates of a service; from [`RouteTable::builder`].
#[derive(Clone, Debug, Default)]
#[must_use]
pub struct RouteTableBuilder {
    entries: Vec<Entry>,
}

/// Two templates mean the same paths, or one is not a template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InvalidRoute {
    template: String,
    problem: String,
}

// === impl RouteTableBuilder ===

impl RouteTableBuilder {
    /// Adds a template for every method: `/orders/{id}` for one segment, `/files/{*path}` for the rest of the path.
    pub fn route(self, template: impl Into<String>) -> Self {
        self.add(None, template.into(), false)
    }

    /// Adds a template for one method, and with GET for HEAD; other methods do not match it.
    pub fn route_for(self, method: &Method, template: impl Into<String>) -> Self {
        self.add(Some(MethodName::of(method)), template.into(), false)
    }

    /// Adds the path of a probe or of an admin page, which is kept out of the access log.
    pub fn probe(self, template: impl Into<String>) -> Self {
        self.add(None, template.into(), true)
    }

    /// The table.
    ///
    /// # Errors
    /// [`InvalidRoute`] for a template that is malformed or means the same paths as another one.
    pub fn build(self) -> Result<RouteTable, InvalidRoute> {
        RouteTable::from_entries(self.entries)
    }

    fn add(mut self, method: Option<MethodName>, template: String, quiet: bool) -> Self {
        self.entries.push(Entry {
            method,
            template,
            quiet,
        });
        self
    }
}

// === impl InvalidRoute ===

impl InvalidRoute {
    pub(super) fn new(template: &str, problem: &impl fmt::Display) -> Self {
        Self {
            template: template.to_owned(),
            problem: problem.to_string(),
        }
    }

    /// The template that was refused.
    #[must_use]
    pub fn template(&self) -> &str {
        &self.template
    }
}

impl fmt::Display for InvalidRoute {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "the route `{}` cannot be used: {}; write it as `/orders/{{id}}` or `/files/{{*path}}`, each once",
            self.template, self.problem
        )
    }
}

impl error::Error for InvalidRoute {}
