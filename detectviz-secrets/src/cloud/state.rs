//! What needs no store to be decided: how long a login is used, and what a reference says.
use detectviz_core::secret::{SecretError, SecretErrorKind, SecretRef};
use std::{collections::BTreeMap, time::Duration};

/// A login is replaced this long before its end, as the clients of Google and Azure do it.
const MARGIN: Duration = Duration::from_secs(300);

/// What stands behind the `?` of a reference, by name.
pub(crate) type Parameters<'a> = BTreeMap<&'a str, &'a str>;

/// For how long a login that lasts `life` is used before it is replaced: until 5 minutes before its end, or four fifths of
/// a short life.
pub(super) fn usable(life: Duration) -> Duration {
    life.saturating_sub(MARGIN.min(life / 5))
}

/// Takes the path of `reference` apart: what stands before the `?`, and the parameters behind it.
///
/// # Errors
/// `Malformed` for a parameter that is not in `known`, stands twice or has no value.
pub(crate) fn parameters<'a>(
    reference: &'a SecretRef,
    known: &[&str],
) -> Result<(&'a str, Parameters<'a>), SecretError> {
    let malformed = |remedy| SecretError::new(SecretErrorKind::Malformed, reference, remedy);
    let (path, query) = match reference.path().split_once('?') {
        Some((path, query)) => (path, query.split('&').collect()),
        None => (reference.path(), Vec::new()),
    };
    let mut found = Parameters::new();
    for parameter in query {
        let (name, value) = parameter.split_once('=').unwrap_or((parameter, ""));
        if !known.contains(&name) {
            let remedy = match known {
                [] => "leave out what follows the `?`: this store knows no parameter".to_owned(),
                _ => format!("write one of the known parameters: {}", known.join(", ")),
            };
            return Err(malformed(remedy));
        }
        if value.is_empty() || found.insert(name, value).is_some() {
            return Err(malformed(format!("write `{name}=…` once, with a value")));
        }
    }
    Ok((path, found))
}
