//! What is special about the calls of one route.
use super::{PolicyConfig, RouteMatchConfig, RoutePolicyConfig};
use detectviz_core::resilience::bulkhead::Priority;
use http::Method;
use std::time::Duration;

/// What holds for one call; decided once, when it is known whom it goes to.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Rule {
    pub(super) total_timeout: Duration,
    pub(super) attempt_timeout: Duration,
    /// Attempts in all; `None` for what the upstream's retries say.
    pub(super) attempts: Option<u32>,
    /// Whether the call may come twice; `None` for what the request says.
    pub(super) safe: Option<bool>,
    /// Whether a slow attempt gets company, where the upstream says how.
    pub(super) hedges: bool,
    pub(super) priority: Priority,
}

/// The rules of one upstream: those of its routes, and of the rest. Matching allocates nothing.
///
/// A list in order rather than the server's [`RouteTable`](crate::route::RouteTable): there a template that fits the path
/// hides a wider one even when its method does not fit, and a prefix and a parameter cannot stand in the same place.
#[derive(Debug)]
pub(super) struct Rules {
    routes: Box<[(Matcher, Rule)]>,
    rest: Rule,
}

#[derive(Debug)]
struct Matcher {
    method: Option<Method>,
    path: Path,
}

#[derive(Debug)]
enum Path {
    Any,
    /// Without a slash at its end.
    Prefix(Box<str>),
    Template(Template),
}

/// Literals with parameters between them.
#[derive(Debug)]
struct Template {
    /// Up to the first parameter: most paths differ there.
    head: Box<str>,
    /// What follows each parameter that is one segment.
    tails: Box<[Box<str>]>,
    /// Whether the last literal is followed by a parameter for the rest of the path.
    open: bool,
}

// === impl Rule ===

impl Rule {
    /// Of a call of which nothing is known yet.
    pub(super) fn new(total_timeout: Duration) -> Self {
        Self {
            total_timeout,
            attempt_timeout: total_timeout,
            attempts: None,
            safe: None,
            hedges: true,
            priority: Priority::Normal,
        }
    }

    fn of_policy(config: &PolicyConfig, total_timeout: Duration) -> Self {
        Self {
            attempt_timeout: config.attempt_timeout,
            ..Self::new(config.total_timeout.unwrap_or(total_timeout))
        }
    }

    fn of_route(config: &RoutePolicyConfig, rest: Self) -> Self {
        Self {
            total_timeout: config.total_timeout.unwrap_or(rest.total_timeout),
            attempt_timeout: config.attempt_timeout.unwrap_or(rest.attempt_timeout),
            attempts: config.retry.attempts,
            safe: config.retry.safe,
            hedges: config.hedge,
            priority: config.priority,
        }
    }
}

// === impl Rules ===

impl Rules {
    /// Those of a policy of a client whose calls may take `total_timeout`.
    pub(super) fn new(config: &PolicyConfig, total_timeout: Duration) -> Self {
        let rest = Rule::of_policy(config, total_timeout);
        let routes = config.routes.iter();
        let routes = routes
            .filter_map(|route| Some((Matcher::new(&route.matches)?, Rule::of_route(route, rest))));
        Self {
            routes: routes.collect(),
            rest,
        }
    }

    /// What holds for a call that no route is about: no more than its times.
    pub(super) fn rest(&self) -> Rule {
        self.rest
    }

    /// The rule of the first route that matches, or of the rest.
    pub(super) fn find(&self, method: &Method, path: &str) -> Rule {
        let found = self
            .routes
            .iter()
            .find(|(route, _)| route.matches(method, path));
        found.map_or(self.rest, |(_, rule)| *rule)
    }
}

// === impl Matcher ===

impl Matcher {
    /// `None` for what [`validate`](detectviz_core::config::Section::validate) refuses.
    fn new(config: &RouteMatchConfig) -> Option<Self> {
        let method = match &config.method {
            Some(method) => Some(method.parse().ok()?),
            None => None,
        };
        let path = match (&config.path, &config.path_prefix) {
            (Some(path), _) => Path::Template(Template::new(path)),
            (None, Some(prefix)) => Path::Prefix(prefix.trim_end_matches('/').into()),
            (None, None) => Path::Any,
        };
        Some(Self { method, path })
    }

    fn matches(&self, method: &Method, path: &str) -> bool {
        let is_path = match &self.path {
            Path::Any => true,
            Path::Prefix(prefix) => path
                .strip_prefix(&**prefix)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('/')),
            Path::Template(template) => template.matches(path),
        };
        is_path
            && self
                .method
                .as_ref()
                .is_none_or(|own| own == method || (*own == Method::GET && *method == Method::HEAD))
    }
}

// === impl Template ===

impl Template {
    /// Of what [`validate`](detectviz_core::config::Section::validate) lets through: each parameter is a whole segment.
    fn new(text: &str) -> Self {
        let closed = text.split_once("{*").map_or(text, |(closed, _)| closed);
        let mut literals = closed.split('{');
        let head = literals.next().unwrap_or_default();
        let tails = literals.map(|part| part.split_once('}').map_or("", |(_, tail)| tail).into());
        Self {
            head: head.into(),
            tails: tails.collect(),
            open: closed.len() < text.len(),
        }
    }

    fn matches(&self, path: &str) -> bool {
        let Some(mut rest) = path.strip_prefix(&*self.head) else {
            return false;
        };
        for tail in &self.tails {
            let end = rest.bytes().position(|byte| byte == b'/');
            let end = end.unwrap_or(rest.len());
            match rest[end..].strip_prefix(&**tail) {
                Some(after) if end > 0 => rest = after,
                _ => return false,
            }
        }
        rest.is_empty() != self.open
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use detectviz_core::config::check;
    use proptest::prelude::*;

    fn rule(routes: Vec<RoutePolicyConfig>, method: &str, path: &str) -> Rule {
        let config = PolicyConfig::default().routes(routes);
        check(&config).unwrap();
        let rules = Rules::new(&config, Duration::from_secs(3));
        rules.find(&method.parse().unwrap(), path)
    }

    fn hits(matches: &RouteMatchConfig, method: &str, path: &str) -> bool {
        let route = RoutePolicyConfig::new(matches.clone()).priority(Priority::Critical);
        rule(vec![route], method, path).priority == Priority::Critical
    }

    #[test]
    fn a_route_matches_by_method_and_by_template_or_prefix() {
        let any = RouteMatchConfig::default;
        for (matches, hit, miss) in [
            (
                any().path("/orders/{id}"),
                &["/orders/7", "/orders/a.b"][..],
                &[
                    "/orders",
                    "/orders/",
                    "/orders/7/",
                    "/orders/7/x",
                    "/order/7",
                ][..],
            ),
            (any().path("/orders"), &["/orders"], &["/orders/", "/"]),
            (any().path("/"), &["/"], &["/a"]),
            (
                any().path("/{tenant}/orders/{*rest}"),
                &["/a/orders/1", "/a/orders/1/2/3", "/a/orders//"],
                &["/a/orders/", "/a/orders", "//orders/1"],
            ),
            (
                any().path_prefix("/v1"),
                &["/v1", "/v1/", "/v1/x/y"],
                &["/v1x", "/v", "/"],
            ),
            (any().path_prefix("/v1/"), &["/v1", "/v1/x"], &["/v10"]),
            (any().path_prefix("/"), &["/", "/x"], &[]),
        ] {
            for path in hit {
                assert!(hits(&matches, "GET", path), "{matches:?} {path}");
            }
            for path in miss {
                assert!(!hits(&matches, "GET", path), "{matches:?} {path}");
            }
        }
        let get = any().method("GET");
        let found = ["GET", "HEAD", "POST"].map(|method| hits(&get, method, "/x"));
        assert_eq!(found, [true, true, false]);
    }

    #[test]
    fn the_first_route_that_matches_counts_and_what_it_leaves_out_is_the_upstreams() {
        let any = RouteMatchConfig::default;
        let seconds = Duration::from_secs;
        let report = RoutePolicyConfig::new(any().path("/v1/reports"))
            .total_timeout(seconds(30))
            .attempt_timeout(seconds(20));
        let rest = RoutePolicyConfig::new(any().path_prefix("/v1")).attempts(1);
        let routes = vec![report, rest];
        let found = rule(routes.clone(), "GET", "/v1/reports");
        assert_eq!(
            (found.total_timeout, found.attempt_timeout, found.attempts),
            (seconds(30), seconds(20), None)
        );
        let found = rule(routes.clone(), "GET", "/v1/other");
        assert_eq!(
            (found.total_timeout, found.attempt_timeout, found.attempts),
            (seconds(3), seconds(1), Some(1))
        );
        let found = rule(routes, "GET", "/v2");
        assert_eq!(found.attempts, None);
    }

    proptest! {
        /// As the server's table of routes, which is another implementation.
        #[test]
        fn a_template_matches_what_the_servers_table_matches(
            template in "(/(a|b|\\{x\\})){1,3}(/\\{\\*rest\\})?",
            path in "(/[ab]{0,2}){1,5}",
        ) {
            let mut n = 0;
            let template: String = template.split("{x}").map(|part| {
                n += 1;
                if n == 1 { part.to_owned() } else { format!("{{x{n}}}{part}") }
            }).collect();
            let table = crate::route::RouteTable::builder().route(&*template).build().unwrap();
            let expected = table.find(&Method::GET, &path).route != crate::route::Route::NONE;
            let matches = RouteMatchConfig::default().path(&*template);
            prop_assert_eq!(hits(&matches, "GET", &path), expected, "{} {}", template, path);
        }
    }
}
