//! What runs here.
use serde::Serialize;
use std::borrow::Cow;

/// What `/version` says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Version {
    /// The name of the service.
    pub service: Cow<'static, str>,
    /// Its version.
    pub version: Cow<'static, str>,
    /// The commit that it was built from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub git: Option<Cow<'static, str>>,
    /// The version of detectviz.
    pub detectviz: Cow<'static, str>,
}

impl Version {
    /// A service and its version, usually `env!("CARGO_PKG_NAME")` and `env!("CARGO_PKG_VERSION")`.
    #[must_use]
    pub fn new(
        service: impl Into<Cow<'static, str>>,
        version: impl Into<Cow<'static, str>>,
    ) -> Self {
        Self {
            service: service.into(),
            version: version.into(),
            git: None,
            detectviz: env!("CARGO_PKG_VERSION").into(),
        }
    }

    /// Sets the commit, which the build knows: `option_env!("GIT_COMMIT")`.
    #[must_use]
    pub fn git(mut self, commit: impl Into<Cow<'static, str>>) -> Self {
        self.git = Some(commit.into());
        self
    }
}

impl Default for Version {
    fn default() -> Self {
        Self::new("unknown", "unknown")
    }
}
