//! What a store answers: the fields of one secret, which belong together.
use super::{Lease, Secret, SecretError, SecretErrorKind, SecretRef};
use std::{collections::BTreeMap, fmt, sync::Arc};

/// The fields of one secret, its version and its lease.
///
/// User and password of one lease come together, so that a reader never pairs an old one with a new one.
///
/// # Clone
/// Clones share the fields and the lease. Dropping the last one wipes the fields and releases the lease.
#[derive(Clone)]
pub struct SecretBundle {
    pub(super) inner: Arc<Inner>,
}

/// Which state of a secret this is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SecretVersion {
    /// Grows with every change that the provider has seen; starts at 1 and is only comparable within one provider.
    pub sequence: u64,
    /// The store's own name for it, where it has one.
    pub label: Option<String>,
}

/// What clones share.
pub(super) struct Inner {
    fields: Arc<BTreeMap<String, Secret>>,
    version: SecretVersion,
    lease: Option<Arc<Lease>>,
}

// === impl SecretBundle ===

impl SecretBundle {
    /// The field that stands for the whole where a secret is a single value.
    pub const VALUE: &'static str = "value";

    /// A bundle of named fields.
    #[must_use]
    pub fn new(fields: BTreeMap<String, Secret>, version: SecretVersion) -> Self {
        Self::of(Arc::new(fields), version, None)
    }

    /// A bundle of one value.
    #[must_use]
    pub fn single(value: Secret, version: SecretVersion) -> Self {
        Self::new(BTreeMap::from([(Self::VALUE.to_owned(), value)]), version)
    }

    /// A bundle that is lent.
    #[must_use]
    pub fn leased(fields: BTreeMap<String, Secret>, version: SecretVersion, lease: Lease) -> Self {
        Self::of(Arc::new(fields), version, Some(Arc::new(lease)))
    }

    /// The same fields and the same lease under another version, for whoever passes on what another provider keeps.
    #[must_use]
    pub fn renumbered(&self, version: SecretVersion) -> Self {
        let Inner { fields, lease, .. } = &*self.inner;
        Self::of(Arc::clone(fields), version, lease.clone())
    }

    /// The value that `reference` asks for: its field, or the only one there is when it names none.
    ///
    /// # Errors
    /// `NotFound` when there is no such field, or when the reference names none of several; `Empty` when it is empty.
    pub fn value(&self, reference: &SecretRef) -> Result<&Secret, SecretError> {
        let fields = &self.inner.fields;
        let found = match reference.field() {
            Some(name) => fields.get(name),
            None if fields.len() == 1 => fields.values().next(),
            None => fields.get(Self::VALUE),
        };
        let Some(secret) = found else {
            let names = fields.keys().map(String::as_str).collect::<Vec<_>>();
            return Err(SecretError::new(
                SecretErrorKind::NotFound,
                reference,
                format!("name one of its fields after `#`: {}", names.join(", ")),
            ));
        };
        if secret.is_empty() {
            return Err(SecretError::new(
                SecretErrorKind::Empty,
                reference,
                "write a value to the store",
            ));
        }
        Ok(secret)
    }

    /// One field by name.
    #[must_use]
    pub fn field(&self, name: &str) -> Option<&Secret> {
        self.inner.fields.get(name)
    }

    /// The names of all fields, in order.
    pub fn field_names(&self) -> impl Iterator<Item = &str> {
        self.inner.fields.keys().map(String::as_str)
    }

    /// Which state of the secret this is.
    #[must_use]
    pub fn version(&self) -> &SecretVersion {
        &self.inner.version
    }

    /// For how long it is lent; `None` when it is not.
    #[must_use]
    pub fn lease(&self) -> Option<&Lease> {
        self.inner.lease.as_deref()
    }

    /// Whether both hold the same fields with the same values, whatever the versions.
    #[must_use]
    pub fn same_fields(&self, other: &Self) -> bool {
        self.inner.fields == other.inner.fields
    }

    /// How many hold this bundle or its lease, the caller included.
    #[must_use]
    pub fn holders(&self) -> usize {
        let lease = self.inner.lease.as_ref().map_or(1, Arc::strong_count);
        Arc::strong_count(&self.inner) + lease - 1
    }

    fn of(
        fields: Arc<BTreeMap<String, Secret>>,
        version: SecretVersion,
        lease: Option<Arc<Lease>>,
    ) -> Self {
        Self {
            inner: Arc::new(Inner {
                fields,
                version,
                lease,
            }),
        }
    }
}

impl fmt::Debug for SecretBundle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SecretBundle")
            .field("fields", &self.inner.fields)
            .field("version", &self.inner.version)
            .field("lease", &self.inner.lease)
            .finish()
    }
}
