//! What components show of themselves.
use serde_json::{Map, Value};
use std::{
    collections::BTreeMap,
    fmt,
    sync::{Arc, PoisonError, RwLock},
};

/// What components show of themselves while they run, page by page; the admin port serves it.
///
/// # Clone
/// Clones are the same pages.
#[derive(Clone, Default)]
pub struct Views {
    pages: Arc<RwLock<Pages>>,
}

type Pages = BTreeMap<&'static str, Page>;

/// By the name of the component.
struct Page {
    says: &'static str,
    of: BTreeMap<String, Read>,
}

type Read = Arc<dyn Fn() -> Value + Send + Sync>;

// === impl Views ===

impl Views {
    /// Adds what `read` gives to `page`, a path such as `/admission`, under the `name` of a component. `says` is what the
    /// page shows, in a few words; the first who adds to it says so. Whoever adds under the same name again replaces it.
    ///
    /// `read` runs on the thread that asks: it takes no lock that requests wait for.
    pub fn add(
        &self,
        (page, says): (&'static str, &'static str),
        name: &str,
        read: impl Fn() -> Value + Send + Sync + 'static,
    ) {
        let mut pages = self.pages.write().unwrap_or_else(PoisonError::into_inner);
        let of = BTreeMap::new();
        let page = pages.entry(page).or_insert(Page { says, of });
        page.of.insert(name.to_owned(), Arc::new(read));
    }

    /// The paths of all pages, and what they show.
    #[must_use]
    pub fn pages(&self) -> Vec<(&'static str, &'static str)> {
        let pages = self.pages.read().unwrap_or_else(PoisonError::into_inner);
        pages
            .iter()
            .map(|(path, page)| (*path, page.says))
            .collect()
    }

    /// What the components show now at `page`: an object with their names as keys. `None` when there is no such page.
    #[must_use]
    pub fn read(&self, page: &str) -> Option<Value> {
        let pages = self.pages.read().unwrap_or_else(PoisonError::into_inner);
        let of = pages.get(page)?.of.clone();
        drop(pages);
        let shown = of.into_iter().map(|(name, read)| (name, read()));
        Some(Value::Object(shown.collect::<Map<_, _>>()))
    }
}

impl fmt::Debug for Views {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Views").field(&self.pages()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;
    use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

    #[test]
    fn a_page_shows_each_component_as_it_is_now() {
        let (views, count) = (Views::default(), Arc::new(AtomicU32::new(1)));
        assert_eq!(views.read("/limits"), None);
        let now = Arc::clone(&count);
        views.add(("/limits", "the limits"), "b", move || {
            now.load(Relaxed).into()
        });
        views
            .clone()
            .add(("/limits", "other words"), "a", || json!({"x": null}));
        assert_eq!(views.pages(), [("/limits", "the limits")]);
        assert_eq!(
            views.read("/limits"),
            Some(json!({"a": {"x": null}, "b": 1}))
        );
        count.store(2, Relaxed);
        assert_eq!(
            views.read("/limits"),
            Some(json!({"a": {"x": null}, "b": 2}))
        );
        assert_eq!(views.read("/"), None);
    }
}
