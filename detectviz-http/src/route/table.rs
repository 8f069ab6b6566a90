//! Templates by path and by name.
use super::{InvalidRoute, MethodName, RouteTableBuilder};
use arc_swap::ArcSwap;
use http::Method;
use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, Mutex, OnceLock, PoisonError},
};

/// One route of a [`RouteTable`], as a small number that is cheap to carry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct Route(u16);

/// What a table says of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Match {
    /// The route, or [`Route::NONE`].
    pub route: Route,
    /// Whether the access log leaves the request out: a probe, an admin page.
    pub quiet: bool,
}

/// The templates of one service.
///
/// # Clone
/// Clones are the same table.
#[derive(Clone)]
pub struct RouteTable {
    shared: Arc<Shared>,
}

/// One line of a [`RouteTableBuilder`].
#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub(super) method: Option<MethodName>,
    pub(super) template: String,
    pub(super) quiet: bool,
}

struct Shared {
    paths: matchit::Router<Methods>,
    names: ArcSwap<Names>,
    /// Held while a template is learned.
    learning: Mutex<()>,
    capacity: usize,
}

/// What the methods of one path mean.
#[derive(Clone, Copy, Default)]
struct Methods {
    any: Option<Match>,
    by: [Option<Match>; MethodName::COUNT],
}

/// Every template, declared and learned. Number 0 is the empty template of what matches none.
#[derive(Clone, Default)]
struct Names {
    templates: Vec<Arc<Template>>,
    routes: HashMap<Arc<str>, Route>,
}

struct Template {
    text: Arc<str>,
    /// By method, such as `GET /orders/{id}`; made when first asked for.
    titles: [OnceLock<Arc<str>>; MethodName::COUNT],
}

// === impl Route ===

impl Route {
    /// No template of the table matches.
    pub const NONE: Self = Self(0);

    /// From 0, which is [`NONE`](Self::NONE), to [`RouteTable::capacity`] - 1, for tables beside the table.
    #[must_use]
    pub fn index(self) -> usize {
        usize::from(self.0)
    }
}

// === impl RouteTable ===

impl RouteTable {
    /// How many templates a table learns through [`matched`](super::matched) at most, beside the declared ones. Further
    /// ones count as no route.
    pub const LEARNED: usize = 1000;

    /// A table without templates, for services whose framework matches.
    #[must_use]
    pub fn new() -> Self {
        Self::assemble(matchit::Router::new(), Names::new())
    }

    /// Declares templates.
    pub fn builder() -> RouteTableBuilder {
        RouteTableBuilder::default()
    }

    pub(super) fn from_entries(entries: Vec<Entry>) -> Result<Self, InvalidRoute> {
        let mut names = Names::new();
        let mut paths = matchit::Router::new();
        let mut methods: HashMap<String, Methods> = HashMap::new();
        for entry in &entries {
            let route = names
                .add(&entry.template, usize::from(u16::MAX) - Self::LEARNED)
                .ok_or_else(|| InvalidRoute::new(&entry.template, &"there are too many routes"))?;
            let found = Match {
                route,
                quiet: entry.quiet,
            };
            let methods = methods.entry(entry.template.clone()).or_default();
            let taken = match entry.method {
                Some(method) => methods.by[method.index()].replace(found),
                None => methods.any.replace(found),
            };
            if taken.is_some() {
                return Err(InvalidRoute::new(&entry.template, &"it is declared twice"));
            }
        }
        for (template, methods) in methods {
            paths
                .insert(template.as_str(), methods)
                .map_err(|err| InvalidRoute::new(&template, &err))?;
        }
        Ok(Self::assemble(paths, names))
    }

    fn assemble(paths: matchit::Router<Methods>, names: Names) -> Self {
        Self {
            shared: Arc::new(Shared {
                paths,
                capacity: names.templates.len() + Self::LEARNED,
                names: ArcSwap::from_pointee(names),
                learning: Mutex::new(()),
            }),
        }
    }

    /// The route of a request.
    #[must_use]
    pub fn find(&self, method: &Method, path: &str) -> Match {
        let Ok(found) = self.shared.paths.at(path) else {
            return Match::default();
        };
        let get = MethodName::of(&Method::GET);
        let method = MethodName::of(method);
        let exact = found.value.by[method.index()];
        let head = (method == MethodName::of(&Method::HEAD))
            .then(|| found.value.by[get.index()])
            .flatten();
        exact.or(head).or(found.value.any).unwrap_or_default()
    }

    /// The route of that template, which the table learns when it does not know it; [`Route::NONE`] when it is full.
    #[must_use]
    pub fn learn(&self, template: &str) -> Route {
        let known = self.shared.names.load().routes.get(template).copied();
        known.unwrap_or_else(|| self.learn_slowly(template))
    }

    /// The route of a template that the table knows.
    #[must_use]
    pub fn declared(&self, template: &str) -> Option<Route> {
        self.shared.names.load().routes.get(template).copied()
    }

    /// The template of `route`; empty for [`Route::NONE`] and for a route of another table. Allocates; on the request
    /// path [`read_template`](Self::read_template) does not.
    #[must_use]
    pub fn template(&self, route: Route) -> String {
        self.read_template(route, ToOwned::to_owned)
    }

    /// Gives `read` the template of `route`; empty for [`Route::NONE`] and for a route of another table.
    pub fn read_template<R>(&self, route: Route, read: impl FnOnce(&str) -> R) -> R {
        let names = self.shared.names.load();
        read(
            names
                .templates
                .get(route.index())
                .map_or("", |name| &name.text),
        )
    }

    /// Gives `read` the name of a span for `route`: method and template, such as `GET /orders/{id}`; the method alone for
    /// [`Route::NONE`], and `HTTP` for a method that is not known. Allocates the first time.
    pub fn read_title<R>(
        &self,
        route: Route,
        method: MethodName,
        read: impl FnOnce(&Arc<str>) -> R,
    ) -> R {
        let names = self.shared.names.load();
        // The first template, that of no route, is always there.
        let template = names
            .templates
            .get(route.index())
            .unwrap_or(&names.templates[0]);
        read(template.title(method))
    }

    /// One more than the largest [index](Route::index) that a route of this table can ever have.
    #[must_use]
    pub fn capacity(&self) -> usize {
        self.shared.capacity
    }

    /// Whether `other` is a clone of this table.
    #[must_use]
    pub fn is_same(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.shared, &other.shared)
    }

    #[cold]
    fn learn_slowly(&self, template: &str) -> Route {
        let shared = &*self.shared;
        let _learning = shared
            .learning
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let current = shared.names.load();
        if let Some(route) = current.routes.get(template) {
            return *route;
        }
        if current.templates.len() >= shared.capacity {
            return Route::NONE;
        }
        let mut names = Names::clone(&current);
        let route = names.add(template, shared.capacity);
        shared.names.store(Arc::new(names));
        route.unwrap_or_default()
    }
}

impl Default for RouteTable {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for RouteTable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = self.shared.names.load();
        let templates = names.templates.iter().map(|template| &template.text);
        f.debug_set().entries(templates).finish()
    }
}

// === impl Names ===

impl Names {
    fn new() -> Self {
        let none: Arc<str> = "".into();
        Self {
            templates: vec![Arc::new(Template::new(none.clone()))],
            routes: HashMap::from([(none, Route::NONE)]),
        }
    }

    /// The number of `template`, a new one if need be; `None` when there are `most`.
    fn add(&mut self, template: &str, most: usize) -> Option<Route> {
        if let Some(route) = self.routes.get(template) {
            return Some(*route);
        }
        if self.templates.len() >= most {
            return None;
        }
        let route = Route(u16::try_from(self.templates.len()).ok()?);
        let template: Arc<str> = template.into();
        self.templates
            .push(Arc::new(Template::new(template.clone())));
        self.routes.insert(template, route);
        Some(route)
    }
}

// === impl Template ===

impl Template {
    fn new(text: Arc<str>) -> Self {
        Self {
            text,
            titles: [const { OnceLock::new() }; MethodName::COUNT],
        }
    }

    fn title(&self, method: MethodName) -> &Arc<str> {
        self.titles[method.index()].get_or_init(|| {
            let method = if method == MethodName::OTHER {
                "HTTP"
            } else {
                method.as_str()
            };
            let space = if self.text.is_empty() { "" } else { " " };
            format!("{method}{space}{}", self.text).into()
        })
    }
}
