//! What components show to operators.
use serde_json::{Map, Value};
use std::{
    collections::BTreeMap,
    fmt,
    sync::{Arc, PoisonError, RwLock},
};

/// What the components of one runtime show of themselves beside metrics, by topic: for those who look at one instance, as on
/// a page of the admin port. Read-only.
///
/// ```
/// use detectviz_core::runtime::Views;
/// use serde_json::json;
///
/// let views = Views::default();
/// views.show("clients", "payments", || json!({ "in_flight": 3 }));
/// assert_eq!(views.read("clients"), Some(json!({ "payments": { "in_flight": 3 } })));
/// assert_eq!(views.read("pools"), None);
/// ```
///
/// # Clone
/// Clones show the same.
#[derive(Clone, Default)]
pub struct Views {
    topics: Arc<RwLock<Topics>>,
}

/// By topic and by component.
type Topics = BTreeMap<&'static str, BTreeMap<String, Read>>;

type Read = Arc<dyn Fn() -> Value + Send + Sync>;

// === impl Views ===

impl Views {
    /// Shows what `read` gives as `component` under `topic`, such as `clients`, in place of what was shown there before.
    /// `read` runs for each look, on any thread, and shows no secret.
    pub fn show(
        &self,
        topic: &'static str,
        component: &str,
        read: impl Fn() -> Value + Send + Sync + 'static,
    ) {
        let mut topics = self.topics.write().unwrap_or_else(PoisonError::into_inner);
        let components = topics.entry(topic).or_default();
        components.insert(component.to_owned(), Arc::new(read));
    }

    /// What there is to see.
    #[must_use]
    pub fn topics(&self) -> Vec<&'static str> {
        let topics = self.topics.read().unwrap_or_else(PoisonError::into_inner);
        topics.keys().copied().collect()
    }

    /// An object of what each component shows under `topic` at the moment; `None` when none does.
    #[must_use]
    pub fn read(&self, topic: &str) -> Option<Value> {
        let topics = self.topics.read().unwrap_or_else(PoisonError::into_inner);
        let components = topics.get(topic)?.clone();
        drop(topics);
        let shown = components.into_iter().map(|(name, read)| (name, read()));
        Some(Value::Object(shown.collect::<Map<_, _>>()))
    }
}

impl fmt::Debug for Views {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.topics()).finish()
    }
}
