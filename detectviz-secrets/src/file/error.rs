//! What went wrong with a file, and what to do about it.
use super::source::{Unreadable, Why};
use detectviz_core::{
    config::ByteSize,
    secret::{SecretError, SecretErrorKind, SecretRef},
};
use std::{io, path::Path};

/// A file that is there and cannot be understood.
pub(super) fn broken(reference: &SecretRef, path: &Path, what: String) -> SecretError {
    let remedy = format!("{}: {what}", path.display());
    SecretError::new(SecretErrorKind::Malformed, reference, remedy)
}

/// A file that could not be read.
pub(super) fn unreadable(reference: &SecretRef, err: Unreadable, max: ByteSize) -> SecretError {
    let path = err.path.display();
    let (kind, remedy) = match &err.why {
        Why::Absent { dangling: false } => (
            SecretErrorKind::NotFound,
            format!("mount the secret at {path}, or correct the path"),
        ),
        Why::Absent { dangling: true } => (
            SecretErrorKind::NotFound,
            format!("{path} is a link that leads nowhere: mount what it points to"),
        ),
        Why::Loop => (
            SecretErrorKind::Malformed,
            format!("{path} leads through links that lead in a circle: replace one of them"),
        ),
        Why::NotAFile(kind) => (
            SecretErrorKind::Malformed,
            format!("{path} is {kind}: put a file in its place"),
        ),
        Why::TooLarge => (
            SecretErrorKind::Malformed,
            format!("{path} is larger than {max}: correct the path, or raise `max_size`"),
        ),
        Why::Restless => (
            SecretErrorKind::Unavailable,
            format!("{path} changes faster than it can be read: replace it by a rename"),
        ),
        Why::Other(err) if err.kind() == io::ErrorKind::PermissionDenied => (
            SecretErrorKind::Denied,
            format!(
                "let the user of this process read {path}: with `securityContext.fsGroup` a volume belongs to its group"
            ),
        ),
        Why::Other(_) => (
            SecretErrorKind::Unavailable,
            format!("make {path} readable"),
        ),
    };
    let error = SecretError::new(kind, reference, remedy);
    match err.why {
        Why::Other(source) => error.with_source(source),
        _ => error,
    }
}
