//! Which paths are probes: looked at for every request, so that most are told apart by their length.
use super::ProbeConfig;

/// What a probe asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ProbeKind {
    /// Is the process alive?
    Live,
    /// Does it deserve traffic?
    Ready,
    /// Has it started?
    Startup,
}

/// The longest path of a probe, in bytes.
pub(super) const MAX_PATH: usize = 63;

/// The paths, and the lengths that they have.
#[derive(Clone, Debug)]
pub(super) struct ProbePaths {
    /// Bit `n` is set when a path of `n` bytes is a probe.
    lengths: u64,
    paths: Box<[(ProbeKind, Box<str>)]>,
}

// === impl ProbeKind ===

impl ProbeKind {
    /// The key of its paths in the config.
    pub(super) fn key(self) -> &'static str {
        match self {
            Self::Live => "live",
            Self::Ready => "ready",
            Self::Startup => "startup",
        }
    }
}

// === impl ProbePaths ===

impl ProbePaths {
    /// Paths that are too long are left out: validation names them.
    pub(super) fn new(config: &ProbeConfig) -> Self {
        let paths = config.paths().filter(|(_, path)| path.len() <= MAX_PATH);
        let paths: Box<[(ProbeKind, Box<str>)]> =
            paths.map(|(kind, path)| (kind, path.into())).collect();
        let lengths = paths
            .iter()
            .fold(0, |bits, (_, path)| bits | 1 << path.len());
        Self { lengths, paths }
    }

    /// The probe at `path`. Does not allocate.
    pub(super) fn find(&self, path: &str) -> Option<ProbeKind> {
        if path.len() > MAX_PATH || self.lengths >> path.len() & 1 == 0 {
            return None;
        }
        let mut paths = self.paths.iter();
        paths
            .find(|(_, known)| **known == *path)
            .map(|(kind, _)| *kind)
    }

    /// Every path, in the order of the config.
    pub(super) fn iter(&self) -> impl Iterator<Item = (ProbeKind, &str)> {
        self.paths.iter().map(|(kind, path)| (*kind, &**path))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use detectviz_core::config::check;

    #[test]
    fn each_path_and_alias_asks_what_it_says() {
        let paths = ProbePaths::new(&ProbeConfig::default());
        for (path, expected) in [
            ("/livez", Some(ProbeKind::Live)),
            ("/healthz", Some(ProbeKind::Live)),
            ("/health/live", Some(ProbeKind::Live)),
            ("/health/liveness", Some(ProbeKind::Live)),
            ("/readyz", Some(ProbeKind::Ready)),
            ("/health", Some(ProbeKind::Ready)),
            ("/health/ready", Some(ProbeKind::Ready)),
            ("/health/readiness", Some(ProbeKind::Ready)),
            ("/readiness", Some(ProbeKind::Ready)),
            ("/startupz", Some(ProbeKind::Startup)),
            ("/", None),
            ("", None),
            ("/livez/", None),
            ("/LIVEZ", None),
            ("/healthy", None),
            ("/orders", None),
        ] {
            assert_eq!(paths.find(path), expected, "{path}");
        }
        assert_eq!(paths.find(&"/".repeat(64)), None);
        assert_eq!(paths.find(&"/".repeat(128)), None);
        assert_eq!(paths.iter().count(), 10);
    }

    #[test]
    fn paths_that_are_none_are_named() {
        assert!(check(&ProbeConfig::default()).is_ok());
        let long = format!("/{}", "x".repeat(MAX_PATH));
        for (path, expected) in [
            ("livez", "is not a path"),
            ("/a?b", "is not a path"),
            ("/readyz", "is listed twice"),
            (long.as_str(), "is too long"),
        ] {
            let config = ProbeConfig::default().startup([path]);
            let problems = check(&config).unwrap_err().to_string();
            assert!(problems.contains(expected), "{problems}");
            assert!(problems.contains("startup"), "{problems}");
        }
    }
}
