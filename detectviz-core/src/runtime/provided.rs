//! What components give to those that are built after them.
use std::{
    any::{Any, TypeId, type_name},
    collections::HashMap,
    error, fmt,
};

/// Values by type and by the name of the component that provides them.
#[derive(Default)]
pub(super) struct Provided {
    values: HashMap<(TypeId, String), Box<dyn Any + Send + Sync>>,
}

/// A component needs a value that none before it provides.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotProvided {
    wanted: &'static str,
    from: String,
}

// === impl Provided ===

impl Provided {
    pub(super) fn insert<T: Any + Send + Sync>(&mut self, name: &str, value: T) {
        let key = (TypeId::of::<T>(), name.to_owned());
        self.values.insert(key, Box::new(value));
    }

    pub(super) fn find<T: Any + Clone>(&self, name: &str) -> Result<T, NotProvided> {
        let key = (TypeId::of::<T>(), name.to_owned());
        let found = self.values.get(&key).and_then(|value| value.downcast_ref());
        found.cloned().ok_or_else(|| NotProvided {
            wanted: type_name::<T>(),
            from: name.to_owned(),
        })
    }
}

impl fmt::Debug for Provided {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list()
            .entries(self.values.keys().map(|(_, name)| name))
            .finish()
    }
}

// === impl NotProvided ===

impl fmt::Display for NotProvided {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { wanted, from } = self;
        write!(
            f,
            "no component `{from}` provides a {wanted}: add it to composition.yaml and name it under `after` of the one that needs it"
        )
    }
}

impl error::Error for NotProvided {}
