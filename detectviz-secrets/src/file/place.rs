//! What a reference to a file says.
use super::form::Form;
use detectviz_core::{
    config::nearest,
    secret::{SecretError, SecretErrorKind, SecretRef},
};

/// A path, and the form of the file where the reference names it.
#[derive(Debug)]
pub(super) struct Place<'a> {
    pub(super) path: &'a str,
    pub(super) form: Option<Form>,
}

impl<'a> Place<'a> {
    /// Reads the path of `reference`: `<path>` or `<path>?format=<form>`.
    pub(super) fn of(reference: &'a SecretRef) -> Result<Self, SecretError> {
        let malformed = |remedy| SecretError::new(SecretErrorKind::Malformed, reference, remedy);
        let (path, query) = match reference.path().split_once('?') {
            Some((path, query)) => (path, Some(query)),
            None => (reference.path(), None),
        };
        let mut form = None;
        for parameter in query.into_iter().flat_map(|query| query.split('&')) {
            let (name, value) = parameter.split_once('=').unwrap_or((parameter, ""));
            if name != "format" {
                return Err(malformed(format!(
                    "the parameter `{name}` is unknown; known here: `format`"
                )));
            }
            let known = Form::NAMES.iter().find(|(known, _)| *known == value);
            let Some((_, known)) = known else {
                let names = Form::NAMES.map(|(name, _)| name);
                let near = nearest(value, names)
                    .map_or_else(String::new, |near| format!("did you mean `{near}`? "));
                return Err(malformed(format!(
                    "{near}the formats are {}",
                    names.join(", ")
                )));
            };
            if form.replace(*known).is_some() {
                return Err(malformed("give `format` once".to_owned()));
            }
        }
        Ok(Self { path, form })
    }
}
