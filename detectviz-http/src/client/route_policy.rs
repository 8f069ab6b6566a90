//! What is special about the calls of one route, as a user sets it.
use detectviz_core::{
    config::{Checker, DurationText, Section, optional_duration},
    resilience::bulkhead::Priority,
};
use http::Method;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// What is special about the calls of one route of an upstream. What it leaves out is as for the rest; breaker, bulkhead,
/// retry budget and balance are the upstream's, whatever the route.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[non_exhaustive]
pub struct RoutePolicyConfig {
    /// Which calls.
    #[serde(rename = "match")]
    pub matches: RouteMatchConfig,
    /// The longest that one of its calls may take, from its start to the last byte of the response's body.
    #[serde(with = "optional_duration")]
    #[schemars(with = "Option<DurationText>")]
    pub total_timeout: Option<Duration>,
    /// The longest that one attempt may take until its response begins.
    #[serde(with = "optional_duration")]
    #[schemars(with = "Option<DurationText>")]
    pub attempt_timeout: Option<Duration>,
    /// How its calls are repeated.
    pub retry: RouteRetryConfig,
    /// Whether its slow attempts get company, where the upstream's `hedge` says how. With `false` its calls do not count in
    /// the quantile either: for calls that are slow by nature, or dear.
    pub hedge: bool,
    /// How much its calls matter when not all can run: which the bulkhead refuses first, and which never.
    pub priority: Priority,
}

/// Which calls a route is about: those that fit all that is said here, of which there must be something.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[non_exhaustive]
pub struct RouteMatchConfig {
    /// The method, such as `POST`; with `GET` for `HEAD` too.
    pub method: Option<String>,
    /// A template of the whole path: `/orders/{id}` for one segment, `/files/{*path}` for the rest of the path.
    pub path: Option<String>,
    /// What the path begins with, in whole segments: `/v1` is for `/v1` and `/v1/orders`, not for `/v10` (as `PathPrefix` of
    /// Kubernetes' Gateway API).
    pub path_prefix: Option<String>,
}

/// How the calls of one route are repeated.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[non_exhaustive]
pub struct RouteRetryConfig {
    /// How often a call is tried in all, 1 to 10; with 1 there are no retries.
    pub attempts: Option<u32>,
    /// Whether a call has the same effect when it comes twice, whatever its method and headers say. `true` repeats a `POST`
    /// that was sent already; `false` repeats nothing that was.
    pub safe: Option<bool>,
}

// === impl RoutePolicyConfig ===

impl RoutePolicyConfig {
    /// Nothing special about these calls yet.
    #[must_use]
    pub fn new(matches: RouteMatchConfig) -> Self {
        Self {
            matches,
            ..Self::default()
        }
    }

    /// Sets the longest that a call may take.
    #[must_use]
    pub fn total_timeout(mut self, limit: Duration) -> Self {
        self.total_timeout = Some(limit);
        self
    }

    /// Sets the longest that one attempt may take.
    #[must_use]
    pub fn attempt_timeout(mut self, limit: Duration) -> Self {
        self.attempt_timeout = Some(limit);
        self
    }

    /// Sets how often a call is tried in all.
    #[must_use]
    pub fn attempts(mut self, attempts: u32) -> Self {
        self.retry.attempts = Some(attempts);
        self
    }

    /// Sets whether a call has the same effect when it comes twice.
    #[must_use]
    pub fn safe(mut self, safe: bool) -> Self {
        self.retry.safe = Some(safe);
        self
    }

    /// Sets whether slow attempts get company, where the upstream says how.
    #[must_use]
    pub fn hedge(mut self, hedge: bool) -> Self {
        self.hedge = hedge;
        self
    }

    /// Sets how much the calls matter.
    #[must_use]
    pub fn priority(mut self, priority: Priority) -> Self {
        self.priority = priority;
        self
    }
}

impl Default for RoutePolicyConfig {
    fn default() -> Self {
        Self {
            matches: RouteMatchConfig::default(),
            total_timeout: None,
            attempt_timeout: None,
            retry: RouteRetryConfig::default(),
            hedge: true,
            priority: Priority::default(),
        }
    }
}

impl Section for RoutePolicyConfig {
    fn validate(&self, check: &mut Checker<'_>) {
        for (key, limit) in [
            ("total_timeout", self.total_timeout),
            ("attempt_timeout", self.attempt_timeout),
        ] {
            if limit.is_some_and(|limit| limit.is_zero()) {
                let remedy = "write a time such as `1s`, or leave it out";
                check.problem(key, "every call would fail", remedy);
            }
        }
        if self.retry.attempts.is_some_and(|n| !(1..=10).contains(&n)) {
            check.problem(
                "retry.attempts",
                "is not from 1 to 10",
                "write `3`, or `1` for a call that is not retried",
            );
        }
        check.nested("match", &self.matches);
    }
}

// === impl RouteMatchConfig ===

impl RouteMatchConfig {
    /// Sets the method.
    #[must_use]
    pub fn method(mut self, method: impl Into<String>) -> Self {
        self.method = Some(method.into());
        self
    }

    /// Sets the template of the path.
    #[must_use]
    pub fn path(mut self, template: impl Into<String>) -> Self {
        self.path = Some(template.into());
        self
    }

    /// Sets what the path begins with.
    #[must_use]
    pub fn path_prefix(mut self, prefix: impl Into<String>) -> Self {
        self.path_prefix = Some(prefix.into());
        self
    }
}

impl Section for RouteMatchConfig {
    fn validate(&self, check: &mut Checker<'_>) {
        if *self == Self::default() {
            let remedy = "write `method`, `path` or `path_prefix`";
            check.problem("", "it matches every call", remedy);
        }
        if let Some(method) = &self.method
            && (method.parse::<Method>().is_err() || method.chars().any(|c| c.is_ascii_lowercase()))
        {
            let remedy = "write it in upper case, such as `POST`";
            check.problem("method", "it is no method", remedy);
        }
        if self.path.is_some() && self.path_prefix.is_some() {
            let remedy = "write `path` or `path_prefix`";
            check.problem("path_prefix", "there is a `path` too", remedy);
        }
        if self.path.as_ref().is_some_and(|path| !is_template(path)) {
            check.problem(
                "path",
                "it is no template of a path",
                "write it as `/orders/{id}` or `/files/{*path}`, where a parameter is a whole segment",
            );
        }
        let is_prefix = |path: &String| path.starts_with('/') && !path.contains(['{', '}', '?']);
        if self.path_prefix.as_ref().is_some_and(|p| !is_prefix(p)) {
            let remedy = "write it as `/v1`";
            check.problem("path_prefix", "it is no beginning of a path", remedy);
        }
    }
}

/// Whether it begins with a slash, and its parameters are whole segments with names.
fn is_template(path: &str) -> bool {
    let Some(path) = path.strip_prefix('/') else {
        return false;
    };
    let mut segments = path.split('/').peekable();
    while let Some(segment) = segments.next() {
        let is_last = segments.peek().is_none();
        let parameter = segment.strip_prefix('{').and_then(|s| s.strip_suffix('}'));
        let name = match parameter {
            Some(name) => match name.strip_prefix('*') {
                Some(name) if is_last => name,
                Some(_) => return false,
                None => name,
            },
            None => "literal",
        };
        let text = parameter.map_or(segment, |_| name);
        if name.is_empty() || text.contains(['{', '}', '?']) {
            return false;
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;
    use detectviz_core::config::check;

    #[test]
    fn a_template_is_of_whole_segments() {
        for (path, good) in [
            ("/", true),
            ("/orders/{id}", true),
            ("/{a}/{b}/{*rest}", true),
            ("orders", false),
            ("", false),
            ("/orders/{}", false),
            ("/orders/{*}", false),
            ("/{*rest}/x", false),
            ("/a{id}", false),
            ("/{id}.json", false),
            ("/{{id}}", false),
            ("/orders?x=1", false),
        ] {
            assert_eq!(is_template(path), good, "{path}");
        }
    }

    #[test]
    fn a_route_that_cannot_work_is_refused_by_its_key() {
        let any = RouteMatchConfig::default;
        let of = RoutePolicyConfig::new;
        for (config, key) in [
            (of(any()), "match"),
            (of(any().method("get")), "match.method"),
            (of(any().method("G ET")), "match.method"),
            (of(any().path("orders")), "match.path"),
            (of(any().path("/a").path_prefix("/a")), "match.path_prefix"),
            (of(any().path_prefix("v1")), "match.path_prefix"),
            (of(any().path("/a")).attempts(11), "retry.attempts"),
            (
                of(any().path("/a")).attempt_timeout(Duration::ZERO),
                "attempt_timeout",
            ),
        ] {
            let problems = check(&config).unwrap_err().to_string();
            assert!(problems.contains(key), "{key}: {problems}");
        }
        assert!(check(&of(any().method("POST").path("/a")).attempts(1)).is_ok());
    }
}
