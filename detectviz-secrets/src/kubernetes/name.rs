//! Which object a reference names.
use detectviz_core::secret::{SecretError, SecretErrorKind, SecretRef};

/// A Secret by namespace and name.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct ObjectName {
    pub(super) namespace: String,
    pub(super) name: String,
}

// === impl ObjectName ===

impl ObjectName {
    /// Reads `[namespace/]name`; `own` is the namespace where there is none. `Malformed` where no Secret can have that name.
    pub(super) fn parse(reference: &SecretRef, own: Option<&str>) -> Result<Self, SecretError> {
        let malformed = |remedy: String| {
            Err(SecretError::new(
                SecretErrorKind::Malformed,
                reference,
                remedy,
            ))
        };
        let path = reference.path();
        if let Some((path, parameters)) = path.split_once('?') {
            return malformed(format!(
                "write `{path}` without `?{parameters}`: a Kubernetes Secret has no parameters"
            ));
        }
        let (namespace, name) = match path.split_once('/') {
            Some((namespace, name)) => (namespace, name),
            None => (own.unwrap_or("default"), path),
        };
        if !is_label(namespace) {
            return malformed(format!(
                "write `namespace/name`: a namespace has at most 63 lower-case letters, digits and `-`, not `{namespace}`"
            ));
        }
        if !is_subdomain(name) {
            return malformed(format!(
                "write `name` or `namespace/name`, and a key after `#`: a Secret's name has at most 253 lower-case letters, \
                 digits, `-` and `.`, not `{name}`"
            ));
        }
        Ok(Self {
            namespace: namespace.to_owned(),
            name: name.to_owned(),
        })
    }

    /// Whether `reference` says its namespace itself.
    pub(super) fn is_absolute(reference: &SecretRef) -> bool {
        reference.path().contains('/')
    }
}

/// Whether `text` is a label of RFC 1123, as the name of a namespace is.
pub(super) fn is_label(text: &str) -> bool {
    let inner = |c: u8| c.is_ascii_lowercase() || c.is_ascii_digit() || c == b'-';
    (1..=63).contains(&text.len())
        && text.bytes().all(inner)
        && !text.starts_with('-')
        && !text.ends_with('-')
}

/// Whether `text` is a subdomain of RFC 1123, as the name of a Secret is: labels with dots between, as Kubernetes checks it
/// (only the whole has a limit).
fn is_subdomain(text: &str) -> bool {
    let part = |part: &str| {
        let inner = |c: u8| c.is_ascii_lowercase() || c.is_ascii_digit() || c == b'-';
        !part.is_empty()
            && part.bytes().all(inner)
            && !part.starts_with('-')
            && !part.ends_with('-')
    };
    text.len() <= 253 && text.split('.').all(part)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reference_names_an_object_and_a_bad_one_says_what_to_write() {
        let long = "a".repeat(254);
        for (path, expected) in [
            ("orders-db", Ok(("shop", "orders-db"))),
            ("other/orders.db", Ok(("other", "orders.db"))),
            ("other/0-db", Ok(("other", "0-db"))),
            ("orders-db?version=3", Err("has no parameters")),
            ("a/b/c", Err("not `b/c`")),
            ("/orders-db", Err("a namespace has")),
            ("a.b/orders-db", Err("a namespace has")),
            ("other/", Err("a Secret's name has")),
            ("Orders", Err("not `Orders`")),
            ("-orders", Err("not `-orders`")),
            ("orders..db", Err("not `orders..db`")),
            ("../secrets", Err("a namespace has")),
            (&long, Err("at most 253")),
        ] {
            let reference = format!("${{secret:k8s:{path}#key}}").parse().unwrap();
            match (ObjectName::parse(&reference, Some("shop")), expected) {
                (Ok(found), Ok((namespace, name))) => {
                    assert_eq!((&*found.namespace, &*found.name), (namespace, name));
                }
                (Err(err), Err(said)) => {
                    assert_eq!(err.kind(), SecretErrorKind::Malformed);
                    assert!(err.to_string().contains(said), "{err}");
                }
                (found, expected) => panic!("{path}: {found:?}, expected {expected:?}"),
            }
        }
    }
}
