//! The route of the request that the current thread is working on.
use super::{Match, RouteTable};
use http::Method;
use std::{cell::RefCell, marker::PhantomData, mem};

thread_local! {
    static CURRENT: RefCell<Option<Box<Scope>>> = const { RefCell::new(None) };
}

/// The route of one request, beside its [`Slot`](detectviz_core::telemetry::context::Slot): in place while its future is
/// polled, opened by the outermost layer that has a table.
#[derive(Clone, Debug)]
pub struct Scope {
    table: RouteTable,
    found: Match,
    /// Whether it was the service that said so.
    told: bool,
}

/// A scope that is in place until this is dropped; made by [`Scope::enter`].
#[derive(Debug)]
#[must_use = "the scope is in place until this is dropped"]
pub struct Entered<'a> {
    /// `None` where the scope around it stays in place.
    scope: Option<&'a mut Option<Box<Scope>>>,
    /// It belongs to the thread.
    _not_send: PhantomData<*const ()>,
}

/// Says that the current request is for `template`: what a layer inside a framework's router calls.
///
/// Nothing happens outside of a request, and for a request that the table of the stack has matched itself.
pub fn matched(template: &str) {
    update(|scope| {
        scope.told = true;
        scope.found.route = scope.table.learn(template);
    });
}

/// Keeps the current request out of the access log: what a probe calls. As with [`matched`], only a request that the table
/// has not matched can be told so; there a [`probe`](super::RouteTableBuilder::probe) is declared.
pub fn quiet() {
    update(|scope| {
        scope.told = true;
        scope.found.quiet = true;
    });
}

/// The route of the current request, by the numbers of `table`; `None` when no scope is in place or it belongs to another
/// table.
#[must_use]
pub fn current(table: &RouteTable) -> Option<Match> {
    CURRENT.with(|current| {
        let current = current.try_borrow().ok()?;
        let scope = current.as_ref()?;
        scope.table.is_same(table).then_some(scope.found)
    })
}

// === impl Scope ===

impl Scope {
    /// Matches a request.
    #[must_use]
    pub fn of(table: &RouteTable, method: &Method, path: &str) -> Self {
        Self {
            found: table.find(method, path),
            table: table.clone(),
            told: false,
        }
    }

    /// Matches another request, in the same memory.
    pub(crate) fn renew(&mut self, table: &RouteTable, method: &Method, path: &str) {
        if !self.table.is_same(table) {
            self.table = table.clone();
        }
        self.found = table.find(method, path);
        self.told = false;
    }

    /// What is known of the route so far.
    #[must_use]
    pub fn found(&self) -> Match {
        self.found
    }

    /// Puts `scope` in place until the guard is dropped, which gives it back with what was [`matched`] in between; the scope
    /// around it learns that as well. Without a scope, the one in place stays.
    #[inline]
    pub fn enter(scope: &mut Option<Box<Self>>) -> Entered<'_> {
        let mut scope = scope.is_some().then_some(scope);
        if let Some(scope) = &mut scope {
            swap(scope);
        }
        Entered {
            scope,
            _not_send: PhantomData,
        }
    }

    /// Learns what an inner scope, of another table, was told.
    fn take(&mut self, inner: &Self) {
        self.told = true;
        self.found.quiet |= inner.found.quiet;
        self.found.route = inner
            .table
            .read_template(inner.found.route, |template| self.table.learn(template));
    }
}

// === impl Entered ===

impl Entered<'_> {
    fn leave(scope: &mut Option<Box<Scope>>) {
        swap(scope);
        if let Some(inner) = scope.as_deref().filter(|scope| scope.told) {
            update(|outer| outer.take(inner));
        }
    }
}

impl Drop for Entered<'_> {
    #[inline]
    fn drop(&mut self) {
        if let Some(scope) = &mut self.scope {
            Self::leave(scope);
        }
    }
}

fn update(write: impl FnOnce(&mut Scope)) {
    CURRENT.with(|current| {
        if let Ok(mut current) = current.try_borrow_mut()
            && let Some(scope) = current.as_mut()
        {
            write(scope);
        }
    });
}

/// While a thread ends its thread-locals are gone; the work then runs without a scope.
fn swap(scope: &mut Option<Box<Scope>>) {
    let _ = CURRENT.try_with(|current| {
        if let Ok(mut current) = current.try_borrow_mut() {
            mem::swap(&mut *current, scope);
        }
    });
}
